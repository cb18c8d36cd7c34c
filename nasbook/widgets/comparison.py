"""Two methods of the study of the methods' order at one place of their searches, as plain numbers: no widget."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nasbook import spaces
from nasbook.claims.studies.order import SNAPSHOTS
from nasbook.runtime.errors import UsageError
from nasbook.spaces import SearchSpace, TopologySpace
from nasbook.widgets import lens
from nasbook.widgets.recordings import Recording

Edges = SearchSpace | TopologySpace
DIGITS = 3  # of a difference of stored accuracies: beyond them equal ones differ by rounding
PARTS = SNAPSHOTS  # of each search, as many as it has records


@dataclass(frozen=True)
class ComparatorState:
    """What the widget shows.

    Args:
        seed: of the searches.
        left, right: the two methods.
        part: how many eighths of its epochs each search has done.
    """

    seed: int
    left: str
    right: str
    part: int = PARTS

    def __str__(self) -> str:
        return f"seed={self.seed} methods={self.left},{self.right} part={self.part}/{PARTS}"

    @classmethod
    def parse(cls, text: str) -> ComparatorState:
        """Read `str(state)` back.

        Raises:
            UsageError: the text has another form.
        """
        form = rf"\s*seed=(\d{{1,9}})\s+methods=([\w-]+),([\w-]+)\s+part=(\d{{1,2}})/{PARTS}\s*"
        found = re.fullmatch(form, text)
        if found is None:
            example = cls(0, "darts", "pc-darts", 3)
            raise UsageError(f"A state reads like '{example}', not {text[:60]!r}.")
        return cls(int(found[1]), found[2], found[3], int(found[4]))


@dataclass(frozen=True)
class Side:
    """One method at one place of its search; accuracies in percent, differences in points.

    Args:
        method: name of its recipe.
        trained: test accuracy of the cell that the whole search gives, after a training of its own.
        random: of a random cell after such a training.
        view: what the microscope sees, with epoch, operation weights, edge weights and derived cell.
    """

    method: str
    trained: float
    random: float
    view: lens.View

    @property
    def supernet(self) -> float:
        """Validation accuracy of the supernet."""
        return self.view.valid[self.view.at]

    @property
    def derived(self) -> float | None:
        """That of the derived cell with the same weights; None where the cell is chosen only after the search."""
        return self.view.derived.values[self.view.at] if self.view.derived else None

    @property
    def gap(self) -> float | None:
        """What the derived cell loses with the same weights."""
        return None if self.derived is None else round(self.supernet - self.derived, DIGITS)

    @property
    def gain(self) -> float:
        """How much better than the random cell the method's is after training."""
        return self.trained - self.random

    def sentence(self) -> str:
        """The method in words."""
        gap = "" if self.gap is None else f" The gap is {self.gap:.1f} points."
        return (
            f"{self.view.sentence()}{gap} The cell of the whole search reaches {self.trained:.1f} % after training, a "
            f"random one {self.random:.1f} %."
        )


@dataclass(frozen=True)
class Answer:
    """What the task asks for, of one seed; equal numbers make several names.

    Args:
        least_change: methods whose gap after the last epoch is nearest to 0; where the supernet's accuracy is that of
            one draw, a gap may be below it.
        best_trained: methods whose cell has the highest test accuracy after training.
    """

    least_change: tuple[str, ...]
    best_trained: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether one method is both."""
        return bool(set(self.least_change) & set(self.best_trained))


def compute(values: Mapping[str, Any], space: Edges, state: ComparatorState) -> tuple[Side, Side]:
    """Look up both methods.

    Args:
        values: of the state's seed, as `claims.studies.order.study` returned them.
        space: that was searched.
        state: what to look up.
    """
    left, right = (_side(values, space, method, state.part) for method in (state.left, state.right))
    return left, right


def answer(values: Mapping[str, Any]) -> Answer:
    """The task's answer for the values of one seed; a method that chooses its cell after the search has no gap."""
    ends = {method: series for method, series in values["series"].items() if not _chosen_after(values, method)}
    gaps = {
        method: abs(round(each["valid_accuracy"][-1] - each["derived_accuracy"][-1], DIGITS))
        for method, each in ends.items()
    }
    trained = {method: values["trained"][method] for method in values["series"]}
    least, best = min(gaps.values()), max(trained.values())
    return Answer(
        tuple(method for method, gap in gaps.items() if gap == least),
        tuple(method for method, accuracy in trained.items() if accuracy == best),
    )


def _side(values: Mapping[str, Any], space: Edges, method: str, part: int) -> Side:
    records, trained = values["records"][method], values["trained"]
    record = records[max(round(part * len(records) / PARTS), 1) - 1]  # a short search has fewer records than parts
    series = values["series"][method]
    view = lens.compute(Recording(method, space, [record]), lens.State(record["epoch"]))
    valid, derived = tuple(series["valid_accuracy"]), tuple(series["derived_accuracy"])
    track = lens.Track("derived_accuracy", "derived", derived)
    view = replace(view, numbers=tuple(range(1, len(valid) + 1)), train=(), valid=valid, derived=track, chosen=())
    if _chosen_after(values, method):
        view = _with_cell(view, space, values["cells"][method] if record is records[-1] else None)
    return Side(method, trained[method], trained["random"], view)


def _chosen_after(values: Mapping[str, Any], method: str) -> bool:
    """Whether the method's cell is not what its last weights point at, but chosen when the search is over."""
    return bool(values["records"][method][-1]["genotype"] != values["cells"][method])


def _with_cell(view: lens.View, space: Edges, text: str | None) -> lens.View:
    """The view with another derived cell, or with none; with the supernet's weights neither was tested."""
    view = replace(view, derived=None)
    if text is None:
        return replace(view, genotype=None, kept=(None,) * len(view.edges))
    genotype = spaces.read(text)
    kept = tuple(held[0] if held else None for held in space.chosen(genotype)[view.group])
    return replace(view, genotype=genotype, kept=kept)
