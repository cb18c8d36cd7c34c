"""Gradients through one random operation: how far each estimate is from the truth on average, and how much it varies.

The loss of architecture weights z is f(z). With operation k drawn from p = softmax(alpha), its expectation and the
gradient that a search wants are known exactly:

    J(alpha) = sum_k p_k f(e_k),        dJ / dalpha_j = p_j (f(e_j) - J)

with e_k the one-hot weights. `ESTIMATORS` names what methods use in its place, each from one sample of Gumbel noise:
h is the one-hot sample, z the relaxed one at temperature tau, and pulling a slope g back through the softmax gives
z * (g - <g, z>) / tau.

- `soft` (SNAS): the loss is evaluated at z, its slope pulled back. Exact for E f(z), which is not J.
- `straight-through` (Bengio et al. 2013; Jang et al. 2017): the loss is evaluated at h, its slope there pulled back.
- `sampled only` (GDAS, which runs the sampled operation alone): the same with the slope of that operation alone, as the
  outputs of the others are not known.
- `score function` (REINFORCE, Williams 1992): f(h) d log p(h) / dalpha = f(h) (h - p). No bias, at any loss.
- `credit` (DSNAS, Hu et al. 2020): the slope of the sampled operation in place of f(h). The same where f is linear.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from nasbook.analysis import distributions
from nasbook.analysis.distributions import Vector
from nasbook.runtime.errors import UsageError

Objective = Callable[[Tensor], Tensor]
"""Weights (samples, K) -> losses (samples,), differentiable."""


def linear(costs: Vector) -> Objective:
    """f(z) = <c, z>: each operation costs what it costs.

    Raises:
        UsageError: the costs are no finite vector.
    """
    prices = distributions.vector(costs, "Costs")
    return lambda weights: weights @ prices


def squared(costs: Vector, target: float) -> Objective:
    """f(z) = (<c, z> - target)^2: a mixture of two operations can be better than both, so that E f(z) is not J.

    Raises:
        UsageError: the costs are no finite vector.
    """
    output = linear(costs)
    return lambda weights: (output(weights) - target).square()


def expected(objective: Objective, logits: Vector) -> tuple[float, Tensor]:
    """J(alpha), and its exact gradient (K,).

    Raises:
        UsageError: the logits are no finite vector.
    """
    chances = torch.softmax(distributions.vector(logits, "Logits"), dim=0)
    losses = objective(torch.eye(len(chances), dtype=torch.float64))
    mean = chances @ losses
    return float(mean), chances * (losses - mean)


@dataclass(frozen=True, eq=False)
class Draw:
    """Samples at one temperature, and what an estimator may read of them.

    Args:
        relaxed: z (samples, K).
        hard: h (samples, K), one-hot.
        chances: p (K,).
        temperature: tau.
    """

    relaxed: Tensor
    hard: Tensor
    chances: Tensor
    temperature: float

    def pulled_back(self, slope: Tensor) -> Tensor:
        """z * (g - <g, z>) / tau: a slope g in the weights (samples, K) as one in alpha."""
        mean = (slope * self.relaxed).sum(-1, keepdim=True)
        return self.relaxed * (slope - mean) / self.temperature

    def scored(self, reward: Tensor) -> Tensor:
        """R (h - p): a reward (samples,) times the gradient of log p(h)."""
        return reward[:, None] * (self.hard - self.chances)


def _soft(draw: Draw, objective: Objective) -> Tensor:
    return draw.pulled_back(slope(objective, draw.relaxed))


def _straight_through(draw: Draw, objective: Objective) -> Tensor:
    return draw.pulled_back(slope(objective, draw.hard))


def _sampled_only(draw: Draw, objective: Objective) -> Tensor:
    return draw.pulled_back(draw.hard * slope(objective, draw.hard))


def _score_function(draw: Draw, objective: Objective) -> Tensor:
    return draw.scored(objective(draw.hard))


def _credit(draw: Draw, objective: Objective) -> Tensor:
    return draw.scored((draw.hard * slope(objective, draw.hard)).sum(-1))


ESTIMATORS: MappingProxyType[str, Callable[[Draw, Objective], Tensor]] = MappingProxyType(
    {
        "soft": _soft,
        "straight-through": _straight_through,
        "sampled only": _sampled_only,
        "score function": _score_function,
        "credit": _credit,
    }
)
"""Each makes of a draw and a loss one estimate a sample, (samples, K)."""


def slope(objective: Objective, weights: Tensor) -> Tensor:
    """df / dz at weights (samples, K), each sample by itself."""
    at = weights.detach().requires_grad_()
    (found,) = torch.autograd.grad(objective(at).sum(), at)
    return found


def draw(logits: Vector, temperature: float, *, samples: int, seed: int) -> Draw:
    """Relaxed and one-hot samples of the same noise. Arguments and errors as for `distributions.gumbel_softmax`."""
    alpha = distributions.vector(logits, "Logits")
    noisy = distributions.perturbed(alpha, samples=samples, seed=seed)
    relaxed = torch.softmax(noisy / distributions.check_temperature(temperature), dim=-1)
    hard = torch.nn.functional.one_hot(noisy.argmax(-1), len(alpha)).double()
    return Draw(relaxed, hard, torch.softmax(alpha, dim=0), temperature)


@dataclass(frozen=True, eq=False)
class Accuracy:
    """Estimates of a gradient against the exact one.

    Args:
        exact: dJ / dalpha (K,).
        mean: of the estimates (K,).
        variance: of one sample's estimate, summed over the K entries.
        samples: how many estimates there were.
    """

    exact: Tensor
    mean: Tensor
    variance: float
    samples: int

    @property
    def bias(self) -> float:
        """Euclidean norm of mean - exact. Where there is none, it is about `noise`."""
        return float((self.mean - self.exact).norm())

    @property
    def noise(self) -> float:
        """The standard error of the mean: the root of variance / samples."""
        return math.sqrt(self.variance / self.samples)


@dataclass(frozen=True, eq=False)
class GradientEstimate(Accuracy):
    """One estimator at one temperature, against the exact gradient.

    Args:
        exact, mean, variance, samples: as in `Accuracy`.
        estimator: its name.
        temperature: tau; the score function and the credit do not depend on it.
        entropy: mean entropy of the weights at which the loss is evaluated, in nats: 0 for one-hot ones.
    """

    estimator: str
    temperature: float
    entropy: float


def estimate(
    objective: Objective, logits: Vector, temperature: float, estimator: str, *, samples: int = 20_000, seed: int = 0
) -> GradientEstimate:
    """Bias and variance of one estimator at one temperature, by Monte Carlo.

    Args:
        objective: f, as `linear` and `squared` make it, or any differentiable function (samples, K) -> (samples,).
        logits: alpha (K,).
        temperature: tau > 0.
        estimator: a name of `ESTIMATORS`.
        samples: at least two; 20 000 take some milliseconds.
        seed: of the noise; equal seeds give all estimators and temperatures the same noise.

    Raises:
        UsageError: there is no such estimator, fewer than two samples, or as for `distributions.gumbel_softmax`.
    """
    if estimator not in ESTIMATORS:
        raise UsageError(f"An estimator is one of {', '.join(ESTIMATORS)}, not {estimator!r}.")
    _check_samples(samples)
    drawn = draw(logits, temperature, samples=samples, seed=seed)
    found = ESTIMATORS[estimator](drawn, objective)
    _, exact = expected(objective, logits)
    evaluated = drawn.relaxed if estimator == "soft" else drawn.hard
    entropy = float(distributions.entropy(evaluated).mean())
    variance = float(found.var(0).sum())
    return GradientEstimate(exact, found.mean(0), variance, samples, estimator, temperature, entropy)


def pathwise(
    objective: Objective, logits: Vector, concentration: float, *, samples: int = 20_000, seed: int = 0
) -> Accuracy:
    """Bias and variance of the gradient through a Dirichlet sample (DrNAS), as torch computes it, by Monte Carlo.

    The sample is z ~ Dir(beta) with beta = K * concentration * softmax(alpha), so that E[z] = p. For a linear loss
    there is no bias at any concentration.

    Args:
        objective: as for `estimate`.
        logits: alpha (K,).
        concentration: the mean of beta; positive.
        samples: at least two.
        seed: of the samples, which are those of `distributions.dirichlet`.

    Raises:
        UsageError: fewer than two samples, no finite vector of logits, or no positive concentration.
    """
    _check_samples(samples)
    alpha = distributions.vector(logits, "Logits").detach().expand(samples, -1).clone().requires_grad_()
    weights = distributions.dirichlet_rows(distributions.with_mean(alpha, concentration), seed=seed)
    (found,) = torch.autograd.grad(objective(weights).sum(), alpha)
    _, exact = expected(objective, logits)
    return Accuracy(exact, found.mean(0), float(found.var(0).sum()), samples)


def _check_samples(samples: int) -> None:
    if samples < 2:
        raise UsageError(f"A variance needs at least two samples, not {samples}.")


def compare(
    objective: Objective,
    logits: Vector,
    temperatures: Sequence[float],
    *,
    estimators: Sequence[str] = tuple(ESTIMATORS),
    samples: int = 20_000,
    seed: int = 0,
) -> list[GradientEstimate]:
    """`estimate` for each estimator at each temperature, estimator by estimator. Arguments and errors as there."""
    return [
        estimate(objective, logits, temperature, name, samples=samples, seed=seed)
        for name in estimators
        for temperature in temperatures
    ]
