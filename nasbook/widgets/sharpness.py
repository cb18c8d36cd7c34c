"""Move along the line from a search to an architecture, and over the surface around the search, as measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook.figures import sharpness, style
from nasbook.figures.picture import Picture, together
from nasbook.instruments import Landscape, Line
from nasbook.runtime.errors import UsageError
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import row
from nasbook.widgets.sharpness_drawing import line_svg, surface_svg
from nasbook.widgets.state import names

TASK = (
    "Walk from t = 0 to t = 1: how far does Taylor's formula hold, and does its gradient term help? Then leave the "
    "middle of the surface: which way costs most?"
)


@dataclass(frozen=True)
class SharpnessState:
    """What the widget shows: places among the points that were measured.

    Args:
        place: on the line, from 0 at t = 0.
        column: along the first direction of the surface.
        row: along the second.
    """

    place: int
    column: int
    row: int

    def __str__(self) -> str:
        return f"line={self.place} surface={self.column},{self.row}"

    @classmethod
    def parse(cls, text: str) -> SharpnessState:
        """Read `str(state)` back.

        Raises:
            UsageError: the text has another form.
        """
        try:
            line, surface = text.split()
            (head, place), (foot, pair) = line.split("="), surface.split("=")
            column, row = pair.split(",")
            if (head, foot) != ("line", "surface"):
                raise ValueError
            return cls(int(place), int(column), int(row))
        except ValueError:
            raise UsageError(f"A state reads like 'line=10 surface=5,5', not {text!r}.") from None


@dataclass(frozen=True)
class SharpnessResult:
    """What was measured at one state; losses in nats, accuracies in percent.

    Args:
        t: on the line.
        loss, accuracy: there.
        taylor: the estimate of the loss by curvature alone.
        taylor_with_gradient: the estimate with the gradient term.
        offsets: along the first and the second direction of the surface.
        surface_loss, surface_accuracy: there.
    """

    t: float
    loss: float
    accuracy: float
    taylor: float
    taylor_with_gradient: float
    offsets: tuple[float, float]
    surface_loss: float
    surface_accuracy: float


def compute(line: Line, surface: Landscape, state: SharpnessState) -> SharpnessResult:
    """Look up one state; nothing is interpolated, and no network runs."""
    return SharpnessResult(
        t=line.t[state.place],
        loss=line.loss[state.place],
        accuracy=line.accuracy[state.place],
        taylor=float(line.taylor()[state.place]),
        taylor_with_gradient=float(line.taylor(gradient=True)[state.place]),
        offsets=(surface.offsets[state.column], surface.offsets[state.row]),
        surface_loss=surface.loss[state.row][state.column],
        surface_accuracy=surface.accuracy[state.row][state.column],
    )


class Sharpness(Stateful[SharpnessState]):
    """A slider along the line and two over the surface; loss, Taylor estimates and accuracy follow.

    Args:
        line: of `instruments.line`.
        surface: of `instruments.landscape`.
        state: where to begin, as `state()` returned it; at the search's own point without.

    Raises:
        UsageError: the state is of another form, or of other measurements.
    """

    state_type = SharpnessState

    place = traitlets.Int()
    column = traitlets.Int()
    row = traitlets.Int()

    def __init__(self, line: Line, surface: Landscape, *, state: str | None = None) -> None:
        self.line, self.surface = line, surface
        middle = len(surface.offsets) // 2
        begin = SharpnessState(0, middle, middle) if state is None else self._read(state)
        way = sharpness.DIRECTIONS[surface.direction]
        self._sliders = {
            "place": _slider("t", line.t, "How far from the search's weights, 0, to the architecture, 1"),
            "column": _slider(way, surface.offsets, f"How far along the {way} from where the search stands"),
            "row": _slider("random", surface.offsets, "How far along a random direction orthogonal to it"),
        }
        self._drawings = widgets.HTML(), widgets.HTML()
        along, *over = self._sliders.values()
        panels = [
            widgets.VBox([*sliders, drawing], layout={"flex": "1 1 17em"})
            for sliders, drawing in zip(([along], over), self._drawings, strict=True)
        ]
        super().__init__([widgets.HTML(f"<b>{TASK}</b>"), row(panels)])
        self._begin(begin, self._sliders.items(), "index")

    def step(self) -> None:
        """One point further along the line, as far as it goes."""
        self.place = min(self.place + 1, len(self.line.t) - 1)

    def result(self) -> SharpnessResult:
        """What was measured at the state shown."""
        return compute(self.line, self.surface, self._state())

    @style.styled
    def figure(self) -> Picture:
        """The line's two curves and the surface, with the state marked."""
        _, axes = style.figure("wide", 1, 3, height=3.0)
        surface = sharpness.landscape(self.surface, at=(self.row, self.column), axes=axes[2:])
        return together(sharpness.line(self.line, at=self.place, axes=axes[:2]), surface)

    def sentence(self) -> str:
        """Loss, estimates and accuracy at both places."""
        return f"{self._line_sentence()} {self._surface_sentence()}"

    def _line_sentence(self) -> str:
        shown = self.result()
        return (
            f"At t = {shown.t:.2f} the loss is {shown.loss:.2f} nats and the accuracy {shown.accuracy:.1f} %; Taylor's "
            f"formula says {shown.taylor:.2f} nats, and {shown.taylor_with_gradient:.2f} with the gradient term."
        )

    def _surface_sentence(self) -> str:
        shown = self.result()
        first, second = shown.offsets
        return (
            f"{first:+.2f} along the {sharpness.DIRECTIONS[self.surface.direction]} and {second:+.2f} along the random "
            f"direction the loss is {shown.surface_loss:.2f} nats and the accuracy {shown.surface_accuracy:.1f} %."
        )

    @traitlets.validate(*names(SharpnessState))
    def _check(self, proposal: Any) -> int:
        value: int = proposal["value"]
        self._allowed(SharpnessState(**{"place": 0, "column": 0, "row": 0, proposal["trait"].name: value}))
        return value

    def _allowed(self, state: SharpnessState) -> SharpnessState:
        points, side = len(self.line.t), len(self.surface.offsets)
        if not (0 <= state.place < points and 0 <= state.column < side and 0 <= state.row < side):
            raise UsageError(
                f"There are the points 0 to {points - 1} of the line and 0 to {side - 1} along each direction of the "
                f"surface; the state '{state}' is of other measurements."
            )
        return state

    def _draw(self, _change: Any = None) -> None:
        line, surface = self._line_sentence(), self._surface_sentence()
        self._drawings[0].value = f"{line_svg(self.line, self.place, line)}<p>{line}</p>"
        self._drawings[1].value = f"{surface_svg(self.surface, (self.row, self.column), surface)}<p>{surface}</p>"


def _slider(description: str, values: tuple[float, ...], tooltip: str) -> widgets.SelectionSlider:
    """A slider over points that were measured, each shown by its value."""
    return widgets.SelectionSlider(
        options=[(f"{value:.2f}", index) for index, value in enumerate(values)],
        description=description,
        tooltip=tooltip,
        continuous_update=True,
        style={"description_width": "8em"},
    )
