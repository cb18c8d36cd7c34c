"""What fits: the size of a search under sliders, and the memory that each mode of running an edge needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook import sizes
from nasbook.analysis import memory_budget
from nasbook.analysis.cost import MODES
from nasbook.analysis.memory_budget import BUDGETS
from nasbook.figures import costs, style
from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import row, scrolled
from nasbook.widgets.state import NamedState, names

# The least, the largest and the step of each slider, and what it says.
RANGES = {
    "operations": (1, 16, 1, "Separable convolutions on an edge"),
    "channels": (8, 48, 4, "Channels of a node in the first cells"),
    "layers": (3, 64, 1, "Cells of the supernet"),
    "batch": (8, 512, 4, "Images a step"),
}
TASK = (
    "Find the largest batch that a laptop with 8 GiB holds while all operations run. Keep this batch, read the row of "
    "one path, and move the layers: how many does the laptop hold then?"
)


@dataclass(frozen=True)
class WhatFitsState(NamedState):
    """What the widget shows; everything else is as in the published search of DARTS.

    Args:
        operations: K.
        channels: of a node in the first cells.
        layers: cells.
        batch: images a step.
    """

    operations: int = 8
    channels: int = 16
    layers: int = 8
    batch: int = 64

    def __post_init__(self) -> None:
        for name, (low, high, step, _) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high or (value - low) % step:
                of = f", in steps of {step}" if step > 1 else ""
                raise UsageError(f"{name} goes from {low} to {high}{of}, not to {value}.")


@dataclass(frozen=True)
class Need:
    """What one mode of running an edge needs.

    Args:
        mib: at the state's batch.
        batches: for each budget the largest batch that fits; 0 where none does.
    """

    mib: float
    batches: dict[str, int]


def compute(state: WhatFitsState) -> dict[str, Need]:
    """The need of each mode of `MODES`, counted and not estimated (see `nasbook.analysis.memory_budget`)."""
    numbers = replace(sizes.get("paper").search, channels=state.channels, layers=state.layers, batch=state.batch)
    lines = {name: memory_budget.over_batch(state.operations, numbers, mode) for name, mode in MODES.items()}
    return {
        name: Need(line(state.batch), {each: line.largest(mib) for each, mib in BUDGETS.items()})
        for name, line in lines.items()
    }


class WhatFits(Stateful[WhatFitsState]):
    """Sliders for K, channels, layers and batch; a table of the memory and the largest batch of each mode.

    Args:
        state: where to begin, as `state()` returned it.

    Raises:
        UsageError: the state is of another form, or out of range.
    """

    state_type = WhatFitsState

    operations = traitlets.Int(WhatFitsState.operations)
    channels = traitlets.Int(WhatFitsState.channels)
    layers = traitlets.Int(WhatFitsState.layers)
    batch = traitlets.Int(WhatFitsState.batch)

    def __init__(self, state: str | None = None) -> None:
        begin = WhatFitsState() if state is None else self._read(state)
        self._table = widgets.HTML()
        self._sliders = {
            name: widgets.IntSlider(
                min=low, max=high, step=step, description=name, tooltip=tooltip, style={"description_width": "7em"}
            )
            for name, (low, high, step, tooltip) in RANGES.items()
        }
        again = self._button("Reset", "Back to the published size", lambda: self._show(WhatFitsState()))
        super().__init__([widgets.HTML(f"<b>{TASK}</b>"), *self._sliders.values(), row([again]), self._table])
        self._begin(begin, self._sliders.items())

    def result(self) -> dict[str, Need]:
        """The need of each mode now."""
        return compute(self._state())

    @style.styled
    def figure(self) -> Picture:
        """The needs beside the budgets."""
        drawn = costs.budgets({name: need.mib for name, need in self.result().items()}, BUDGETS)
        return Picture(drawn.figure, f"{self.sentence()} {drawn.alt}")

    def sentence(self) -> str:
        """The size in words."""
        shown = self._state()
        return (
            f"{shown.operations} separable convolution{'' if shown.operations == 1 else 's'} an edge, {shown.channels} "
            f"channels, {shown.layers} cells of four nodes, {shown.batch} images of 32x32 pixels a step."
        )

    @traitlets.validate(*names(WhatFitsState))
    def _check(self, proposal: Any) -> Any:
        return self._checked(proposal)

    def _draw(self, _change: Any = None) -> None:
        head = _row("th", ["", "MiB", *(f"largest batch in {name}" for name in BUDGETS)])
        rows = [_row("td", [name, f"{each.mib:,.0f}", *_batches(each)]) for name, each in self.result().items()]
        table = f"<table>{head}{''.join(rows)}</table>"
        self._table.value = f"<p>{self.sentence()}</p>{scrolled(table)}"


def _batches(need: Need) -> list[str]:
    """The largest batch for each budget, and whether this state's need is within it."""
    return [
        f"{batch:,} {'✓' if need.mib <= amount else '✗'}"
        for batch, amount in zip(need.batches.values(), BUDGETS.values(), strict=True)
    ]


def _row(tag: str, cells: list[str]) -> str:
    texts = "".join(f'<{tag} style="padding:0 0.7em;text-align:right">{escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{texts}</tr>"
