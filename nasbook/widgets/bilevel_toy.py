"""The bilevel toy problem on its alpha-w plane, step by step: first order on the left, second order on the right."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook.analysis import bilevel_toy as toy
from nasbook.figures import style
from nasbook.figures.bilevel import plane
from nasbook.figures.picture import Picture, together
from nasbook.runtime.errors import UsageError
from nasbook.search.hypergradient import exact, first_order
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import row, side_by_side
from nasbook.widgets.plane_drawing import svg
from nasbook.widgets.state import floats, names, read

STEPS = 100
REACH = 2.0  # a start lies between -REACH and REACH in both variables
FAR = 2.8  # how far the searches go from any such start
TASK = "Find the look-ahead step ξ at which second order comes to rest on the star, and take steps until it is there."


@dataclass(frozen=True)
class BilevelToyState:
    """What the widget shows.

    Args:
        look_ahead: the step xi of second order, from 0 to 1.
        alpha: where alpha starts.
        w: where w starts.
        steps: how many alternations are shown.
    """

    look_ahead: float = 0.25
    alpha: float = toy.START[0]
    w: float = toy.START[1]
    steps: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.look_ahead <= 1:
            raise UsageError(f"xi lies between 0 and 1, not at {self.look_ahead:g}.")
        if not (abs(self.alpha) <= REACH and abs(self.w) <= REACH):
            raise UsageError(f"A start lies between -{REACH:g} and {REACH:g}, not at {self.alpha:g},{self.w:g}.")
        if not 0 <= self.steps <= STEPS:
            raise UsageError(f"There are 0 to {STEPS} steps, not {self.steps}.")

    def __str__(self) -> str:
        return f"xi={self.look_ahead:g} start={self.alpha:g},{self.w:g} steps={self.steps}"

    @classmethod
    def parse(cls, text: str) -> BilevelToyState:
        """Read `str(state)` back.

        Raises:
            UsageError: the text has another form, or a number is out of range.
        """
        values = read(text, {"xi": float, "start": _pair, "steps": int}, example=cls())
        alpha, w = values["start"]
        return cls(values["xi"], alpha, w, values["steps"])


@dataclass(frozen=True)
class BothOrders:
    """The two trajectories of one state, from the start to the current step."""

    first: toy.Trajectory
    second: toy.Trajectory


def compute(state: BilevelToyState) -> BothOrders:
    """Both searches up to the current step.

    Second order is drawn by the exact hypergradient: on a quadratic the finite difference of `second_order` is exact,
    except at alpha = 0, where its direction vanishes.
    """
    first, second = _runs(state.look_ahead, state.alpha, state.w)
    shown = slice(state.steps + 1)
    return BothOrders(*(toy.Trajectory(path.alpha[shown], path.w[shown]) for path in (first, second)))


@lru_cache(maxsize=256)
def _runs(look_ahead: float, alpha: float, w: float) -> tuple[toy.Trajectory, toy.Trajectory]:
    """All steps of both searches, so that a step of the widget only shows more of them."""
    start = (alpha, w)
    return toy.run(first_order, steps=STEPS, start=start), toy.run(exact, look_ahead, steps=STEPS, start=start)


class BilevelToy(Stateful[BilevelToyState]):
    """The alpha-w plane twice, with a step button, the look-ahead step xi and the start.

    Args:
        state: where to begin, as `state()` returned it.

    Raises:
        UsageError: the state is of another form, or out of range.
    """

    state_type = BilevelToyState

    look_ahead = traitlets.Float()
    alpha = traitlets.Float()
    w = traitlets.Float()
    steps = traitlets.Int()

    def __init__(self, state: str | None = None) -> None:
        begin = BilevelToyState() if state is None else self._read(state)
        self._drawing = widgets.HTML()
        self._sliders: dict[str, Any] = {
            "look_ahead": _slider("ξ", 0.0, 1.0, 0.05, "How far second order looks ahead"),
            "alpha": _slider("start α", -REACH, REACH, 0.5, "Where alpha starts"),
            "w": _slider("start w", -REACH, REACH, 0.5, "Where w starts"),
            "steps": widgets.IntSlider(min=0, max=STEPS, description="steps", tooltip="How many steps are shown"),
        }
        self._play = widgets.Play(min=0, max=STEPS, interval=150, description="Play", tooltip="One step after another")
        buttons = [
            self._button("Step", "One step on alpha, then one on w", lambda: self.step()),
            self._button("10 steps", "Ten of them", lambda: self.step(10)),
            self._button("Reset", "Back to the start", lambda: self.set_trait("steps", 0)),
        ]
        left, right = list(self._sliders.values())[:2], list(self._sliders.values())[2:]
        super().__init__(
            [
                widgets.HTML(f"<b>{TASK}</b>"),
                row([widgets.VBox(left), widgets.VBox(right)]),
                row([*buttons, self._play]),
                self._drawing,
            ]
        )
        self._begin(begin, [*self._sliders.items(), ("steps", self._play)])

    def step(self, count: int = 1) -> None:
        """Take steps, as far as there are any."""
        self.steps = min(self.steps + count, STEPS)

    @style.styled
    def figure(self) -> Picture:
        """Both planes at the current step."""
        shown = compute(self._state())
        _, axes = style.figure("wide", 1, 2, height=3.9)
        return together(
            plane({"darts": shown.first}, reach=FAR, ax=axes[0]),
            plane({"darts-2nd": shown.second}, reach=FAR, ax=axes[1]),
        )

    def sentence(self) -> str:
        """Where both searches stand."""
        shown = compute(self._state())
        ends = [f"α = {alpha:.3f}, w = {w:.3f}" for alpha, w in (shown.first.end, shown.second.end)]
        return (
            f"After {self.steps} steps first order stands at {ends[0]}, second order with ξ = {self.look_ahead:g} "
            f"at {ends[1]}; the exact answer is α = 1, w = 1."
        )

    @traitlets.validate(*names(BilevelToyState))
    def _check(self, proposal: Any) -> Any:
        return self._checked(proposal)

    def _state(self) -> BilevelToyState:
        return BilevelToyState(round(self.look_ahead, 6), self.alpha, self.w, self.steps)

    def _draw(self, _change: Any = None) -> None:
        shown = compute(self._state())
        planes = [svg("first order", shown.first, style.METHODS["darts"])]
        planes += [svg(f"second order, ξ = {self.look_ahead:g}", shown.second, style.METHODS["darts-2nd"])]
        self._drawing.value = f"{side_by_side(planes)}<p>{self.sentence()}</p>"


def _slider(description: str, low: float, high: float, step: float, tooltip: str) -> widgets.FloatSlider:
    return widgets.FloatSlider(min=low, max=high, step=step, description=description, tooltip=tooltip)


def _pair(text: str) -> tuple[float, float]:
    first, second = floats(text)
    return first, second
