"""Selection: from a trained supernet to one architecture."""

from __future__ import annotations

from collections.abc import Callable

from nasbook.search import Search
from nasbook.selection.magnitude import every_edge, magnitude
from nasbook.selection.ranking import ranking, shared_weight_accuracies
from nasbook.spaces import Architecture

# A selection is handed the whole search: it may measure on the half of alpha, and train the supernet further.
Selection = Callable[[Search], Architecture]

SELECTIONS: dict[str, Selection] = {"magnitude": Search.outcome, "ranking": ranking}

__all__ = ["SELECTIONS", "Selection", "every_edge", "magnitude", "ranking", "shared_weight_accuracies"]
