"""The cost explorer: move a budget of GPU-days along the published systems, and see which of them fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.strategies.published import FAMILIES, PublishedMethod, published_methods
from nasbook.widgets.base import Stateful
from nasbook.widgets.history_drawing import (
    LARGEST,
    SMALLEST,
    CostResult,
    CostState,
    check_budget,
    check_families,
    compute,
    live,
    picture,
)
from nasbook.widgets.page import row

STEP = 0.05  # of the slider, in powers of ten of a GPU-day


class CostExplorer(Stateful[CostState]):
    """A slider for the budget of a search, a box for each family of methods, the systems that fit and the best of them.

    Args:
        methods: with their costs; the lecture's tables without.
        state: where to begin, as `state()` returned it; one GPU-day and every family without.

    Raises:
        UsageError: no method has a known cost, or the state is of another form.
    """

    state_type = CostState

    budget = traitlets.Float(1.0)
    families = traitlets.Tuple()

    def __init__(self, methods: Sequence[PublishedMethod] | None = None, *, state: str | None = None) -> None:
        self.methods = published_methods() if methods is None else tuple(methods)
        with_cost = {row.family for row in self.methods if row.gpu_days is not None}
        if not with_cost:
            raise UsageError("The cost explorer needs at least one method whose GPU-days are known.")
        there = tuple(name for name in FAMILIES if name in with_cost)
        begin = CostState(1.0, there) if state is None else self._read(state)
        self._slider = widgets.FloatSlider(
            min=SMALLEST,
            max=LARGEST,
            step=STEP,
            readout=False,
            description="Budget",
            tooltip="The budget of a search in GPU-days, on a logarithmic scale",
            layout={"width": "28em"},
        )
        self._boxes = {
            name: widgets.Checkbox(description=name, tooltip=f"Show {name}", indent=False, layout={"width": "auto"})
            for name in there
        }
        self._drawing, self._setting = widgets.HTML(), False
        controls = [self._slider, row(self._boxes.values())]
        super().__init__([*controls, self._drawing], budget=begin.budget, families=begin.families)
        self._slider.observe(self._on_slider, names="value")
        for box in self._boxes.values():
            box.observe(self._on_box, names="value")
        self.observe(self._redraw, names=["budget", "families"])
        self._redraw()

    def result(self) -> CostResult:
        """What the budget buys now."""
        return compute(self.methods, self._state())

    def figure(self) -> Picture:
        """Error against cost, with the budget as a line and what does not fit in pale colours."""
        return picture(self.result(), self._state())

    @traitlets.validate("budget")
    def _check_budget(self, proposal: Any) -> float:
        return check_budget(proposal["value"])

    @traitlets.validate("families")
    def _check_families(self, proposal: Any) -> tuple[str, ...]:
        return check_families(tuple(proposal["value"]))

    def _on_slider(self, change: dict[str, Any]) -> None:
        if not self._setting:
            self.budget = float(f"{10 ** change['new']:.3g}")

    def _on_box(self, _change: Any) -> None:
        if not self._setting:
            self.families = tuple(name for name, box in self._boxes.items() if box.value)

    def _draw(self, _change: Any = None) -> None:
        with self._quiet():
            for name, box in self._boxes.items():
                box.value = name in self.families
            self._slider.value = math.log10(self.budget)
        self._drawing.value = live(self.result(), self._state())

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Set the controls from the traits, and not the traits from controls that are half set."""
        self._setting = True
        try:
            yield
        finally:
            self._setting = False
