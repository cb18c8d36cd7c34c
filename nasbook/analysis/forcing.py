"""Convolutions forced into a trained supernet whose edges choose between a convolution and something else (S2, S4).

Wang et al. 2021, section 3.1: in S2 alpha points at skips, and yet the supernet does better the more of its edges are
made to hold the convolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from nasbook.analysis.strength import branch, expected, tuned_accuracy
from nasbook.runtime.errors import UsageError
from nasbook.search import Search
from nasbook.selection import PerturbationSelection
from nasbook.spaces import Space

Assignment = tuple[bool, ...]  # for each edge of the normal cell: does it hold the convolution?
MOST_EDGES = 8  # whose every assignment is tried: 256 trainings


def forced(search: Search) -> dict[Assignment, float]:
    """The supernet's accuracy (percent) for every way to put skips and convolutions on the edges of the normal cell.

    Every way starts from the same state, holds one operation on every edge, and is trained on for `tuning_steps`.

    Args:
        search: in a space whose edges each offer one convolution and one other operation (S2, S4).

    Raises:
        UsageError: the space is another, or has so many edges that this would take too long.
    """
    columns = convolution_columns(search.space)
    return {
        ways: tuned_accuracy(search, {"normal": assigned(columns, ways)})
        for ways in product((False, True), repeat=len(columns))
    }


def convolution_columns(space: Space) -> list[int]:
    """The column of the convolution of each edge of the normal cell.

    Raises:
        UsageError: an edge does not offer one convolution and one other operation, or there are many edges.
    """
    lists = space.groups["normal"].operations
    if len(lists) > MOST_EDGES:
        raise UsageError(f"Every assignment is tried of at most {MOST_EDGES} edges, not of {len(lists)}.")
    if any(len(names) != 2 or sum("conv" in name for name in names) != 1 for names in lists):
        raise UsageError(
            f"Convolutions are forced where each edge offers one and one other operation, not in {space.name}."
        )
    return [next(k for k, name in enumerate(names) if "conv" in name) for names in lists]


def assigned(columns: Sequence[int], ways: Assignment) -> dict[int, tuple[int, ...]]:
    """Decided rows: the column of the convolution where it is held, the other one of the two where it is not."""
    return {
        row: (column if held else 1 - column,) for row, (column, held) in enumerate(zip(columns, ways, strict=True))
    }


def by_weight(search: Search) -> Assignment:
    """What the larger weight of each edge points at, by magnitude."""
    weights = expected(search)["normal"]
    return tuple(bool(weights[row].argmax() == column) for row, column in enumerate(convolution_columns(search.space)))


def by_perturbation(search: Search) -> tuple[Assignment, list[dict[str, Any]]]:
    """What selection by perturbation decides on a copy of a search, edge after edge; no edge is dropped.

    Returns:
        What each edge holds; and for each decision `where` it was, whether the `convolution` was kept, and the
        supernet's `accuracy` (percent) after the tuning that followed.
    """
    columns, stage = convolution_columns(search.space), PerturbationSelection(branch(search, {}, learns=True))
    path: list[dict[str, Any]] = []
    for _ in columns:
        record = stage.run_epoch(lambda step, steps: None)
        (made,) = (each for each in record["decisions"] if each["group"] == "normal")
        path.append(
            {"where": made["where"], "convolution": "conv" in made["kept"][0], "accuracy": record["valid_accuracy"]}
        )
    held = stage.decisions["normal"]
    return tuple(held[row] == (column,) for row, column in enumerate(columns)), path
