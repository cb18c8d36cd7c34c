"""Skip domination under sliders: the errors of both operations go in, the best weights and alphas come out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook.analysis import skip_domination
from nasbook.figures import skips, style
from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import beside, row
from nasbook.widgets.skip_theory_drawing import svg
from nasbook.widgets.state import NamedState, names

SMALLEST, LARGEST = 0.05, 2.0  # of a variance
CORRELATION = 0.95  # the largest in size: at 1 two equal errors would leave every weight as good as any other
DEEPEST = 64


@dataclass(frozen=True)
class SkipTheoryState(NamedState):
    """What the widget shows.

    Args:
        skip: the variance of an estimate's error before it is refined; at depth L, V_skip = skip / (L + 1).
        conv: V_conv, the same at each depth.
        correlation: of the two errors.
        depth: L.
    """

    skip: float = 1.0
    conv: float = skip_domination.CONV_VARIANCE
    correlation: float = 0.1
    depth: int = 1

    def __post_init__(self) -> None:
        for variance in (self.skip, self.conv):
            if not SMALLEST <= variance <= LARGEST:
                raise UsageError(f"A variance lies between {SMALLEST:g} and {LARGEST:g}, not at {variance:g}.")
        if not abs(self.correlation) <= CORRELATION:
            end = CORRELATION
            raise UsageError(f"The correlation lies between -{end:g} and {end:g}, not at {self.correlation:g}.")
        if not 0 <= self.depth <= DEEPEST:
            raise UsageError(f"The depth lies between 0 and {DEEPEST}, not at {self.depth}.")


@dataclass(frozen=True)
class SkipTheoryResult:
    """What the theory says of one state.

    Args:
        skip, conv, covariance: V_skip at this depth, V_conv and c.
        theta: the best weight of the skip connection within [0, 1].
        difference: alpha_skip* - alpha_conv*; infinite (by its sign) where one operation alone is best.
        error: the smallest variance of the mixture's error.
    """

    skip: float
    conv: float
    covariance: float
    theta: float
    difference: float
    error: float


def compute(state: SkipTheoryState) -> SkipTheoryResult:
    """The closed form at the state's depth."""
    skip, conv = state.skip / (state.depth + 1), state.conv
    covariance = state.correlation * math.sqrt(skip * conv)
    theta = skip_domination.best_weight(skip, conv, covariance=covariance, clip=True)
    if covariance < min(skip, conv):
        difference = skip_domination.alpha_difference(skip, conv, covariance=covariance)
    else:
        difference = math.inf if skip < conv else -math.inf
    error = skip_domination.error_variance(theta, skip=skip, conv=conv, covariance=covariance)
    return SkipTheoryResult(skip, conv, covariance, theta, difference, error)


class SkipTheory(Stateful[SkipTheoryState]):
    """Sliders for the two variances, their correlation and the depth; the error over theta, and where it is smallest.

    Args:
        state: where to begin, as `state()` returned it.

    Raises:
        UsageError: the state is of another form, or out of range.
    """

    state_type = SkipTheoryState

    skip = traitlets.Float(SkipTheoryState.skip)
    conv = traitlets.Float(SkipTheoryState.conv)
    correlation = traitlets.Float(SkipTheoryState.correlation)
    depth = traitlets.Int(SkipTheoryState.depth)

    def __init__(self, state: str | None = None) -> None:
        begin = SkipTheoryState() if state is None else self._read(state)
        self._drawing = widgets.HTML()
        self._sliders: dict[str, Any] = {
            "skip": _slider("first V_skip", SMALLEST, LARGEST, 0.01, "Variance of the input's error at depth 0"),
            "conv": _slider("V_conv", SMALLEST, LARGEST, 0.01, "Variance of the convolution's error"),
            "correlation": _slider("correlation", -CORRELATION, CORRELATION, 0.05, "Correlation of the two errors"),
            "depth": widgets.IntSlider(
                min=0,
                max=DEEPEST,
                description="depth L",
                tooltip="How often the input was refined: its error's variance is divided by L + 1",
                style={"description_width": "7em"},
            ),
        }
        deeper = self._button("Twice as deep", "Double the depth", self.step)
        again = self._button("Reset", "Back to where it began", lambda: self._show(SkipTheoryState()))
        super().__init__([beside([*self._sliders.values(), row([deeper, again])], self._drawing)])
        self._begin(begin, self._sliders.items())

    def step(self) -> None:
        """Twice as deep, as far as the slider goes."""
        self.depth = min(max(1, 2 * self.depth), DEEPEST)

    def result(self) -> SkipTheoryResult:
        """What the theory says now."""
        return compute(self._state())

    @style.styled
    def figure(self) -> Picture:
        """The error over the weight, with its minimum."""
        shown = self.result()
        drawn = skips.mixture(shown.skip, shown.conv, covariance=shown.covariance)
        return Picture(drawn.figure, f"{drawn.alt} {self.sentence()}")

    def sentence(self) -> str:
        """The best weights and alphas in words."""
        shown = self.result()
        start = (
            f"At depth {self.depth} the input's error has variance {shown.skip:.3f}, the convolution's "
            f"{shown.conv:.3f}: θ_skip* = {shown.theta:.3f}, θ_conv* = {1 - shown.theta:.3f}"
        )
        if math.isinf(shown.difference):
            alone = "skip connection" if shown.difference > 0 else "convolution"
            return f"{start}. The errors are so alike that the {alone} alone is best: no finite alphas reach it."
        return f"{start}, α_skip* - α_conv* = {shown.difference:+.3f}."

    @traitlets.validate(*names(SkipTheoryState))
    def _check(self, proposal: Any) -> Any:
        return self._checked(proposal)

    def _state(self) -> SkipTheoryState:
        return SkipTheoryState(round(self.skip, 6), round(self.conv, 6), round(self.correlation, 6), self.depth)

    def _draw(self, _change: Any = None) -> None:
        self._drawing.value = f"{svg(self.result(), self.sentence())}<p>{self.sentence()}</p>"


def _slider(description: str, low: float, high: float, step: float, tooltip: str) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        min=low, max=high, step=step, description=description, tooltip=tooltip, style={"description_width": "7em"}
    )
