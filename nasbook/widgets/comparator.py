"""Recorded searches of all methods on one space, two side by side, as far into them as a slider says.

MethodComparator()                                      the book's own study of the methods' order
MethodComparator(claims.runs("method-order"))           the same, read by the caller
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook import claims, spaces
from nasbook.claims import entries, results
from nasbook.figures import drawing, style
from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder
from nasbook.widgets.base import Stateful
from nasbook.widgets.comparison import PARTS, Answer, ComparatorState, Edges, Side, answer, compute
from nasbook.widgets.microscope import picture, to_html
from nasbook.widgets.page import row
from nasbook.widgets.state import names

STUDY = "method-order"
TASK = (
    "At the end of the searches, which method's gap is nearest to 0, and whose cell is best after training? Are they "
    "the same? Ask another seed."
)
NOTE = (
    "Supernet and derived cell share weights and are tested on validation data, trained cells on test data. The gap is "
    "supernet less derived cell. Where a method draws its operations, the supernet's accuracy is that of one draw, and "
    "the gap may be below 0."
)
_MENU = {"width": "15em"}
NOT_MEASURED = f"not measured yet: nasbook claims measure {STUDY} --folder data/results"


class MethodComparator(Stateful[ComparatorState]):
    """Two methods, a seed, and a slider for the share of the epochs that is done.

    Args:
        runs: of the study of the methods' order; the book's own without. Where there are none, the widget says what
            command measures them.
        space: that was searched; the study's own without.
        state: where to begin, as `state()` returned it; the first two methods at the end of their searches without.

    Raises:
        UsageError: the state is of another form, or of other runs; or the book's file is damaged.
    """

    state_type = ComparatorState

    seed = traitlets.Int()
    left = traitlets.Unicode()
    right = traitlets.Unicode()
    part = traitlets.Int(PARTS)

    def __init__(
        self,
        runs: Sequence[claims.Run] | None = None,
        *,
        space: Edges | None = None,
        state: str | None = None,
    ) -> None:
        study = entries.load().studies[STUDY]
        if runs is None:
            runs = claims.runs(STUDY) if results.path(study, data_folder() / "results").exists() else ()
        self.values = {run.seed: run.values for run in runs}
        self.space = space or spaces.get(study.settings["space"])
        self._shown = widgets.HTML()
        if not self.values:
            self._shown.value = f"<p>{NOT_MEASURED}</p>"
            super().__init__([self._shown])
            return
        self.methods = tuple(next(iter(self.values.values()))["records"])
        begin = self._first() if state is None else self._read(state)
        self._controls = self._make_controls()
        further = self._button("step ▸", "An eighth further", self.step, width="7em")
        controls = row([*self._controls.values(), further])
        super().__init__([widgets.HTML(f"<b>{TASK}</b>"), controls, self._shown])
        self._begin(begin, self._controls.items())

    def step(self) -> None:
        """One eighth of the searches further, as far as they go."""
        self.part = min(self._state().part + 1, PARTS)

    def result(self) -> tuple[Side, Side]:
        """Both methods as shown.

        Raises:
            UsageError: nothing is measured.
        """
        state = self._state()
        return compute(self.values[state.seed], self.space, state)

    def answer(self) -> Answer:
        """The task's answer for the seed that is shown.

        Raises:
            UsageError: nothing is measured.
        """
        return answer(self.values[self._state().seed])

    def sentence(self) -> str:
        """Both methods in words."""
        return " ".join(side.sentence() for side in self.result())

    @style.styled
    def figure(self) -> Picture:
        """Both methods side by side, each with its derived cell."""
        if self.values:
            return self._panels(self.result())
        figure, ax = style.figure("wide", height=0.6)
        words = drawing.Box("text", 400, 30, 0, 0, NOT_MEASURED, "none", "none")
        drawing.draw(drawing.Drawing(800, 60, (words,), NOT_MEASURED), ax)
        return Picture(figure, NOT_MEASURED)

    def _panels(self, sides: Sequence[Side]) -> Picture:
        drawn = picture([side.view for side in sides])
        for side, cell in zip(sides, drawn.axes[len(sides) :], strict=True):  # the lower row
            gap = "" if side.gap is None else f"gap {side.gap:.1f} points; "
            cell.set_title(f"{gap}trained {side.trained:.1f} %, a random cell {side.random:.1f} %")
        return Picture(drawn.figure, self.sentence())

    @traitlets.validate(*names(ComparatorState))
    def _check(self, proposal: Any) -> Any:
        return self._checked(proposal)

    def _first(self) -> ComparatorState:
        self._check_measured()
        return ComparatorState(next(iter(self.values)), self.methods[0], self.methods[min(1, len(self.methods) - 1)])

    def _state(self) -> ComparatorState:
        self._check_measured()
        return super()._state()

    def _check_measured(self) -> None:
        if not self.values:
            raise UsageError(f"There is nothing to compare: {NOT_MEASURED}.")

    def _allowed(self, state: ComparatorState) -> ComparatorState:
        self._check_measured()
        if state.seed not in self.values:
            raise UsageError(f"There is no seed {state.seed}; there is {', '.join(map(str, self.values))}.")
        for method in (state.left, state.right):
            if method not in self.methods:
                raise UsageError(f"There is no method {method!r}; there are {', '.join(self.methods)}.")
        if not 1 <= state.part <= PARTS:
            raise UsageError(f"There are the parts 1 to {PARTS} of a search, not {state.part}.")
        return state

    def _make_controls(self) -> dict[str, Any]:
        parts = [(f"{part}/{PARTS}", part) for part in range(1, PARTS + 1)]
        return {
            "left": widgets.Dropdown(
                options=self.methods, description="left", tooltip="The method on the left", layout=_MENU
            ),
            "right": widgets.Dropdown(
                options=self.methods, description="right", tooltip="The method on the right", layout=_MENU
            ),
            "seed": widgets.Dropdown(
                options=list(self.values), description="seed", tooltip="The seed of the searches", layout=_MENU
            ),
            "part": widgets.SelectionSlider(
                options=parts,
                value=PARTS,
                description="searched",
                tooltip="The share of its epochs that each search has done",
            ),
        }

    def _draw(self, _change: Any = None) -> None:
        sides = self.result()
        note = f"<details><summary>How each number was measured</summary>{NOTE}</details>"
        self._shown.value = f"{to_html([side.view for side in sides])}{_table(sides)}{note}"


def _table(sides: Sequence[Side]) -> str:
    """The numbers of both methods, a row each."""
    rows = [
        ("epoch", [f"{side.view.epoch} of {side.view.numbers[-1]}" for side in sides]),
        ("supernet", [f"{side.supernet:.1f} %" for side in sides]),
        ("derived cell, same weights", [_or_later(side.derived, "%") for side in sides]),
        ("gap", [_or_later(side.gap, "points") for side in sides]),
        ("cell of the whole search, trained", [f"{side.trained:.1f} %" for side in sides]),
        ("random cell, trained", [f"{side.random:.1f} %" for side in sides]),
        ("better than random by", [f"{side.gain:+.1f} points" for side in sides]),
    ]
    heads = "".join(f'<th scope="col">{html.escape(side.method)}</th>' for side in sides)
    body = "".join(
        f'<tr><th scope="row" style="text-align:left">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for name, cells in rows
    )
    return f'<table style="border-spacing:1em 0"><tr><td></td>{heads}</tr>{body}</table>'


def _or_later(value: float | None, unit: str) -> str:
    return "chosen after the search by ranking" if value is None else f"{value:.1f} {unit}"
