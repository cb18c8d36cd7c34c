"""The operation weights of a search under a perturbation: move its radius, and loss and accuracy follow.

What is drawn is what SDARTS does before a step of the shared weights (`search.perturbation`), on a few validation
images, by the statistics of their batch, and with the shared weights as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook.analysis.smoothing import KINDS, Perturbed, perturbed
from nasbook.figures import smoothing, style
from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.search import Search
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import row, side_by_side
from nasbook.widgets.perturbation_radius_drawing import svgs
from nasbook.widgets.state import NamedState, names

WIDEST, STEP = 1.0, 0.05  # of the radius
SEEDS = 10
IMAGES, ATTACK_STEPS = 64, 3
TASK = (
    "Find the smallest radius at which the adversarial perturbation costs the supernet ten points of accuracy. Then "
    "choose the random one at that radius, and try other seeds: does any of them cost as much?"
)


@dataclass(frozen=True)
class RadiusState(NamedState):
    """What the widget shows.

    Args:
        kind: "random" or "adversarial".
        radius: half the side of the box around the operation weights.
        seed: of what is drawn.
    """

    kind: str = "random"
    radius: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"The kind is {' or '.join(KINDS)}, not {self.kind!r}.")
        if not 0 <= self.radius <= WIDEST:
            raise UsageError(f"The radius lies between 0 and {WIDEST:g}, not at {self.radius:g}.")
        if not 0 <= self.seed < SEEDS:
            raise UsageError(f"The seed is a whole number from 0 to {SEEDS - 1}, not {self.seed}.")


def compute(search: Search, state: RadiusState) -> Perturbed:
    """Perturb the weights of a search as a state says, and measure the supernet before and after."""
    return perturbed(search, state.kind, state.radius, images=IMAGES, steps=ATTACK_STEPS, seed=state.seed)


class PerturbationRadius(Stateful[RadiusState]):
    """A slider for the radius, a choice of perturbation and of a seed; weights, loss and accuracy before and after.

    Args:
        search: whose weights are perturbed; nothing in it changes.
        state: where to begin, as `state()` returned it.

    Raises:
        UsageError: the state is of another form, or out of range.
    """

    state_type = RadiusState

    kind = traitlets.Unicode(RadiusState.kind)
    radius = traitlets.Float(RadiusState.radius)
    seed = traitlets.Int(RadiusState.seed)

    def __init__(self, search: Search, state: str | None = None) -> None:
        begin = RadiusState() if state is None else self._read(state)
        self.search = search
        self._known: dict[RadiusState, Perturbed] = {}
        self._drawing = widgets.HTML()
        self._fields: dict[str, Any] = {
            "kind": widgets.Dropdown(
                options=list(KINDS), description="perturbation", tooltip="A random shift, or a shift to a high loss",
                style={"description_width": "7em"},
            ),
            "radius": widgets.FloatSlider(
                min=0.0, max=WIDEST, step=STEP, description="radius", tooltip="Half the side of the box, in weight",
                readout_format=".2f",
            ),
            "seed": widgets.IntSlider(min=0, max=SEEDS - 1, description="seed", tooltip="What is drawn"),
        }  # fmt: skip
        more = self._button("Wider", "One step of the radius more", self.step)
        again = self._button("Reset", "Back to where it began", lambda: self._show(RadiusState()))
        super().__init__(
            [widgets.HTML(f"<b>{TASK}</b>"), row(self._fields.values()), row([more, again]), self._drawing]
        )
        self._begin(begin, self._fields.items())

    def step(self) -> None:
        """One step of the slider wider, as far as it goes."""
        self.radius = round(min(self.radius + STEP, WIDEST), 6)

    def result(self) -> Perturbed:
        """What the perturbation of the state shown does; each state is measured once."""
        state = self._state()
        if state not in self._known:
            self._known[state] = compute(self.search, state)
        return self._known[state]

    @style.styled
    def figure(self) -> Picture:
        """The weights before and after, and what the supernet makes of them."""
        drawn = smoothing.perturbation(self.result(), self.search.space)
        return Picture(drawn.figure, f"{self.sentence()} {drawn.alt}")

    def sentence(self) -> str:
        """Loss and accuracy before and after, in words."""
        shown = self.result()
        name = "A random" if self.kind == "random" else "An adversarial"
        return (
            f"{name} perturbation with radius {self.radius:g}, seed {self.seed}: the loss on {shown.images} validation "
            f"images goes from {shown.loss[0]:.3f} to {shown.loss[1]:.3f} nats, the accuracy from "
            f"{shown.accuracy[0]:.1f} to {shown.accuracy[1]:.1f} %."
        )

    @traitlets.validate(*names(RadiusState))
    def _check(self, proposal: Any) -> Any:
        return self._checked(proposal)

    def _make(self, **values: Any) -> RadiusState:
        return RadiusState(**{**values, "radius": float(f"{values['radius']:.6g}")})  # sliders add up steps

    def _draw(self, _change: Any = None) -> None:
        words = self.sentence()
        drawn = svgs(self.result(), self.search.space, words)
        self._drawing.value = f"{side_by_side(drawn, least='24em')}<p>{words}</p>"
