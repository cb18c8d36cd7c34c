"""Selection: from a trained supernet to one architecture."""

from __future__ import annotations

from collections.abc import Callable

from nasbook.relaxation import Derive
from nasbook.runtime.driver import Stage
from nasbook.search import Search
from nasbook.selection.magnitude import every_edge, magnitude, top_pairs
from nasbook.selection.perturbation import PerturbationSelection
from nasbook.selection.ranking import ranking, shared_weight_accuracies
from nasbook.spaces import Architecture

# Drives a stage of training to its end: told, kept and resumed.
Drive = Callable[[Stage], object]
# A selection is handed the whole search: it may measure on the half of alpha, and train the supernet further.
Selection = Callable[[Search, Drive], Architecture]


def by_perturbation(search: Search, drive: Drive) -> Architecture:
    """Perturbation-based selection, driven to its end (see `PerturbationSelection`)."""
    stage = PerturbationSelection(search)
    drive(stage)
    return stage.architecture()


SELECTIONS: dict[str, Selection] = {
    "magnitude": lambda search, drive: search.outcome(),
    "all-edges": lambda search, drive: search.outcome(),
    "top-pairs": lambda search, drive: search.outcome(),
    "ranking": lambda search, drive: ranking(search),
    "perturbation": by_perturbation,
}


def derive(selection: str) -> Derive:
    """The rule that reads an architecture off the operation weights while a search with this selection goes on."""
    return {"all-edges": every_edge, "top-pairs": top_pairs}.get(selection, magnitude)


__all__ = [
    "SELECTIONS",
    "PerturbationSelection",
    "Selection",
    "by_perturbation",
    "derive",
    "every_edge",
    "magnitude",
    "ranking",
    "shared_weight_accuracies",
    "top_pairs",
]
