"""Selection: from a trained supernet to one architecture."""

from __future__ import annotations

from collections.abc import Callable

from nasbook.relaxation import Derive
from nasbook.search import Search
from nasbook.selection.magnitude import every_edge, magnitude
from nasbook.selection.ranking import ranking, shared_weight_accuracies
from nasbook.spaces import Architecture

# A selection is handed the whole search: it may measure on the half of alpha, and train the supernet further.
Selection = Callable[[Search], Architecture]

SELECTIONS: dict[str, Selection] = {
    "magnitude": Search.outcome,
    "all-edges": Search.outcome,
    "ranking": ranking,
}


def derive(selection: str) -> Derive:
    """The rule that reads an architecture off the operation weights while a search with this selection goes on."""
    return every_edge if selection == "all-edges" else magnitude


__all__ = ["SELECTIONS", "Selection", "derive", "every_edge", "magnitude", "ranking", "shared_weight_accuracies"]
