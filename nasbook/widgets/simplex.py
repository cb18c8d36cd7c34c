"""Random weights of three operations under sliders: samples on the triangle, their entropy, and a gradient's worth.

Both families have the same mean to aim at, softmax(alpha): Gumbel-softmax samples at a temperature, and Dirichlet
samples of concentrations 3 c softmax(alpha), whose mean is the slider's c. The gradient is that of the expected first
weight in alpha, by one sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ipywidgets as widgets
import torch
import traitlets
from torch import Tensor

from nasbook.analysis import distributions, gradient_estimates
from nasbook.analysis.gradient_estimates import Accuracy
from nasbook.figures import distributions as pictures
from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import beside, row
from nasbook.widgets.simplex_drawing import numbers, triangle
from nasbook.widgets.state import NamedState, names

FAMILIES = {"gumbel": "Gumbel-softmax", "dirichlet": "Dirichlet"}
COLDEST, WARMEST = 0.05, 10.0
SPARSEST, DENSEST = 0.05, 50.0
LARGEST = 3.0  # of a logit, in size
DOTS = 400  # drawn on the triangle, of all samples
SEED = 0
TASK = (
    "With all logits at 0, find the temperature, and then the Dirichlet concentration, at which the samples have half "
    "of the largest entropy."
)


@dataclass(frozen=True)
class SimplexState(NamedState):
    """What the widget shows.

    Args:
        family: "gumbel" or "dirichlet".
        temperature: of Gumbel-softmax samples.
        concentration: c, the mean of the three concentrations of Dirichlet samples.
        logits: alpha of the three operations.
    """

    family: str = "gumbel"
    temperature: float = 1.0
    concentration: float = 1.0
    logits: tuple[float, ...] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise UsageError(f"The family is {' or '.join(FAMILIES)}, not {self.family!r}.")
        if not COLDEST <= self.temperature <= WARMEST:
            raise UsageError(f"The temperature lies between {COLDEST:g} and {WARMEST:g}, not at {self.temperature:g}.")
        if not SPARSEST <= self.concentration <= DENSEST:
            raise UsageError(
                f"The concentration lies between {SPARSEST:g} and {DENSEST:g}, not at {self.concentration:g}."
            )
        if len(self.logits) != 3 or not all(abs(each) <= LARGEST for each in self.logits):
            raise UsageError(f"There are three logits between -{LARGEST:g} and {LARGEST:g}, not {self.logits}.")


@dataclass(frozen=True, eq=False)
class SimplexResult:
    """What the samples of one state show.

    Args:
        samples: (samples, 3).
        mean: of the samples (3,).
        expected: softmax(alpha) (3,), of which one operation is drawn in the end.
        entropy: mean entropy of a sample, in nats.
        gradient: one sample's estimate of the gradient of the expected first weight, against the exact one.
    """

    samples: Tensor
    mean: Tensor
    expected: Tensor
    entropy: float
    gradient: Accuracy

    @property
    def share(self) -> float:
        """The entropy by the largest that there is, log 3: 0 for one-hot samples, 1 for equal weights."""
        return self.entropy / math.log(3)


@lru_cache(maxsize=16)
def compute(state: SimplexState, samples: int = 10_000) -> SimplexResult:
    """Draw and measure. The seed is always the same: what moves in the picture is moved by the sliders.

    Args:
        state: the distribution.
        samples: how many to draw.
    """
    first = gradient_estimates.linear((1.0, 0.0, 0.0))
    alpha = torch.tensor(state.logits, dtype=torch.float64)
    gradient: Accuracy
    if state.family == "gumbel":
        drawn = distributions.gumbel_softmax(alpha, state.temperature, samples=samples, seed=SEED)
        gradient = gradient_estimates.estimate(first, alpha, state.temperature, "soft", samples=samples, seed=SEED)
    else:
        beta = distributions.with_mean(alpha, state.concentration)
        drawn = distributions.dirichlet(beta, samples=samples, seed=SEED)
        gradient = gradient_estimates.pathwise(first, alpha, state.concentration, samples=samples, seed=SEED)
    moments = distributions.measured(drawn)
    return SimplexResult(drawn, moments.mean, torch.softmax(alpha, dim=0), moments.entropy, gradient)


class SimplexExplorer(Stateful[SimplexState]):
    """A choice of family, sliders for its sharpness and for three logits; the samples, their entropy, a gradient.

    Args:
        state: where to begin, as `state()` returned it.

    Raises:
        UsageError: the state is of another form, or out of range.
    """

    state_type = SimplexState

    family = traitlets.Unicode(SimplexState.family)
    temperature = traitlets.Float(SimplexState.temperature)
    concentration = traitlets.Float(SimplexState.concentration)
    logits = traitlets.Tuple(SimplexState.logits)

    def __init__(self, state: str | None = None) -> None:
        begin = SimplexState() if state is None else self._read(state)
        self._drawing, self._numbers = widgets.HTML(), widgets.HTML()
        self._fields: dict[str, Any] = {
            "family": widgets.Dropdown(
                options=[(title, name) for name, title in FAMILIES.items()],
                description="family",
                tooltip="The distribution that the weights are drawn from",
                style=_LABEL,
            ),
            "temperature": _log_slider("temperature", COLDEST, WARMEST, "Low: one-hot samples; high: equal weights"),
            "concentration": _log_slider("concentration", SPARSEST, DENSEST, "Below 1: corners; above 1: the mean"),
        }
        self._logits = [_slider(f"logit {place}", f"alpha of operation {place}") for place in (1, 2, 3)]
        half = self._button("Half", "Half the temperature, or half the concentration", self.step)
        again = self._button("Reset", "Back to where it began", lambda: self._show(SimplexState()))
        super().__init__(
            [
                widgets.HTML(f"<b>{TASK}</b>"),
                beside([*self._fields.values(), *self._logits, row([half, again]), self._numbers], self._drawing),
            ]
        )
        for place, slider in enumerate(self._logits):
            slider.observe(lambda change, place=place: self._on_logit(place, change["new"]), names="value")
        self._begin(begin, self._fields.items())

    def step(self) -> None:
        """Half the temperature or the concentration, whichever the family has, as far as its slider goes."""
        if self.family == "gumbel":
            self.temperature = max(self.temperature / 2, COLDEST)
        else:
            self.concentration = max(self.concentration / 2, SPARSEST)

    def result(self) -> SimplexResult:
        """What the samples show now."""
        return compute(self._state())

    @style.styled
    def figure(self) -> Picture:
        """The samples on the triangle."""
        shown = self.result()
        drawn = pictures.clouds({self._title(): shown.samples[:DOTS]}, expected=shown.expected)
        return Picture(drawn.figure, f"{drawn.alt} {self.sentence()}")

    def sentence(self) -> str:
        """The entropy and the gradient in words."""
        shown, logits = self.result(), ", ".join(f"{each:g}" for each in self._state().logits)
        return (
            f"{self._title()}, logits {logits}: the mean entropy of {len(shown.samples)} samples is "
            f"{shown.entropy:.3f} nats, {shown.share:.3f} of the largest. The gradient of the expected first weight "
            f"has variance {shown.gradient.variance:.3g} a sample and is off by {shown.gradient.bias:.3f} on average, "
            f"where chance alone gives about {shown.gradient.noise:.3f}."
        )

    @traitlets.validate(*names(SimplexState))
    def _check(self, proposal: Any) -> Any:
        return self._checked(proposal)

    def _make(self, **values: Any) -> SimplexState:
        return _rounded(**values)

    def _title(self) -> str:
        value = self.temperature if self.family == "gumbel" else self.concentration
        return f"{FAMILIES[self.family]}, {'temperature' if self.family == 'gumbel' else 'concentration'} {value:.3g}"

    def _on_logit(self, place: int, value: float) -> None:
        if self.logits[place] != value:
            self.logits = (*self.logits[:place], value, *self.logits[place + 1 :])

    def _draw(self, _change: Any = None) -> None:
        for slider, value in zip(self._logits, self.logits, strict=True):
            slider.value = value
        self._fields["temperature"].disabled = self.family != "gumbel"
        self._fields["concentration"].disabled = self.family == "gumbel"
        words = self.sentence()
        self._drawing.value = f"{triangle(self.result(), words, DOTS)}<p>{words}</p>"
        self._numbers.value = numbers(self.result())


def _rounded(family: str, temperature: float, concentration: float, logits: tuple[float, ...]) -> SimplexState:
    """A state without the rounding errors of sliders, which move by powers of ten."""
    values = [float(f"{value:.6g}") for value in (temperature, concentration, *logits)]
    return SimplexState(family, values[0], values[1], tuple(values[2:]))


_LABEL = {"description_width": "7em"}


def _log_slider(description: str, low: float, high: float, tooltip: str) -> widgets.FloatLogSlider:
    return widgets.FloatLogSlider(
        min=math.log10(low), max=math.log10(high), step=0.01, description=description, tooltip=tooltip,
        readout_format=".3f", style=_LABEL,
    )  # fmt: skip


def _slider(description: str, tooltip: str) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        min=-LARGEST, max=LARGEST, step=0.1, description=description, tooltip=tooltip, readout_format=".1f",
        style=_LABEL,
    )  # fmt: skip
