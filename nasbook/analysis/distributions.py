"""Random operation weights on paper: Gumbel-softmax and Dirichlet samples, their moments, and the Dirichlet's gradient.

Architecture weights z of K operations lie on the simplex: none is negative, and they sum to one. Two families put a
distribution on it.

- Gumbel-softmax (Maddison et al. 2017; Jang et al. 2017; SNAS, GDAS): z = softmax((log p + G) / tau) with p =
  softmax(alpha) and G_k = -log(-log U_k). For tau -> 0 it is one-hot and operation k is drawn with probability p_k, for
  tau -> infinity it is uniform.
- Dirichlet (DrNAS): z ~ Dir(beta), with mean beta / sum(beta). Small beta put the mass into the corners, beta = 1 is
  uniform, large beta gather it around the mean.

All numbers are float64, and depend on the seed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import special
from torch import Tensor
from torch.distributions import Dirichlet

from nasbook.relaxation.base import gumbel
from nasbook.runtime.errors import UsageError
from nasbook.runtime.random import RandomStream

Vector = Tensor | Sequence[float]

_STEP = 0.02  # of the central difference, relative to the scale on which the Beta CDF changes
_STENCIL = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))  # eighth order


def gumbel_softmax(logits: Vector, temperature: float, *, samples: int, seed: int) -> Tensor:
    """softmax((alpha + G) / tau): relaxed samples (samples, K), whose largest weight is where `gumbel_max` draws.

    A logit may carry any constant, so that raw alpha does the same as log p.

    Args:
        logits: alpha (K,).
        temperature: tau > 0.
        samples: how many.
        seed: of the noise; equal seeds give equal noise at each temperature.

    Raises:
        UsageError: the logits are no finite vector, the temperature is not positive, or there is no sample.
    """
    return torch.softmax(perturbed(logits, samples=samples, seed=seed) / check_temperature(temperature), dim=-1)


def gumbel_max(logits: Vector, *, samples: int, seed: int) -> Tensor:
    """argmax_k (alpha_k + G_k): operation k with probability softmax(alpha)_k. int64 (samples,).

    Arguments and errors as for `gumbel_softmax`.
    """
    return perturbed(logits, samples=samples, seed=seed).argmax(-1)


def perturbed(logits: Vector, *, samples: int, seed: int) -> Tensor:
    """alpha + G, (samples, K): what a temperature or an argmax is then applied to.

    Arguments and errors as for `gumbel_softmax`.
    """
    alpha = vector(logits, "Logits")
    check_samples(samples)
    return alpha + gumbel(alpha.new_empty(samples, len(alpha)), torch.Generator().manual_seed(seed))


def dirichlet(concentration: Vector, *, samples: int, seed: int) -> Tensor:
    """z ~ Dir(beta), (samples, K).

    Args:
        concentration: beta (K,), all positive. Gradients reach it as torch computes them (see `dirichlet_jacobian`).
        samples: how many.
        seed: of the draws.

    Raises:
        UsageError: a concentration is not positive or not finite, or there is no sample.
    """
    check_samples(samples)
    return dirichlet_rows(_positive(concentration).expand(samples, -1), seed=seed)


def dirichlet_rows(concentrations: Tensor, *, seed: int) -> Tensor:
    """One sample of each row's Dirichlet distribution, (samples, K), differentiable sample by sample.

    torch draws from its global state: here that state is the seed's own, for the time. Equal rows give what `dirichlet`
    gives.
    """
    with RandomStream(seed).scope():
        drawn: Tensor = Dirichlet(concentrations).rsample()
    return drawn


def with_mean(logits: Tensor, concentration: float) -> Tensor:
    """beta = K * concentration * softmax(alpha): the mean of the samples is softmax(alpha), that of beta the given one.

    Args:
        logits: alpha (..., K), differentiable.
        concentration: positive.

    Raises:
        UsageError: the concentration is not positive or not finite.
    """
    if not 0 < concentration < float("inf"):
        raise UsageError(f"A concentration is a positive number, not {concentration:g}.")
    return logits.shape[-1] * concentration * torch.softmax(logits, dim=-1)


@dataclass(frozen=True, eq=False)
class Moments:
    """What is known of a distribution on the simplex.

    Args:
        mean: (K,).
        variance: (K,), of each weight.
        entropy: the mean of -sum_k z_k log z_k, in nats: 0 for one-hot samples, log K where all weights are equal.
    """

    mean: Tensor
    variance: Tensor
    entropy: float


def measured(samples: Tensor) -> Moments:
    """Moments by Monte Carlo, of samples (samples, K).

    Raises:
        UsageError: fewer than two samples.
    """
    if samples.ndim != 2 or len(samples) < 2:
        raise UsageError(f"A variance needs at least two samples (samples, K), not shape {tuple(samples.shape)}.")
    return Moments(samples.mean(0), samples.var(0), float(entropy(samples).mean()))


def dirichlet_moments(concentration: Vector) -> Moments:
    """Moments of Dir(beta) in closed form, with m = beta / total.

    Var z_k = m_k (1 - m_k) / (total + 1). The entropy is digamma(total + 1) - sum_k m_k digamma(beta_k + 1): each
    z_k is Beta(beta_k, total - beta_k), and E[z_k log z_k] = m_k E[log y] with y of Beta(beta_k + 1, total - beta_k).

    Raises:
        UsageError: a concentration is not positive or not finite.
    """
    beta = _positive(concentration).detach()
    total = beta.sum()
    mean = beta / total
    nats = torch.digamma(total + 1) - (mean * torch.digamma(beta + 1)).sum()
    return Moments(mean, mean * (1 - mean) / (total + 1), float(nats))


def entropy(weights: Tensor) -> Tensor:
    """-sum_k z_k log z_k over the last dimension, in nats; 0 log 0 is 0."""
    nats: Tensor = torch.special.entr(weights).sum(-1)
    return nats


def dirichlet_jacobian(samples: Tensor, concentration: Vector) -> Tensor:
    """How a Dirichlet sample moves with its concentrations: entry [s, i, j] is dz_i / dbeta_j of sample s.

    dz_i / dbeta_j = -(dF(z_j) / dbeta_j) / f(z_j) * (delta_ij - z_i) / (1 - z_j)

    with CDF F and density f of Beta(beta_j, total - beta_j), derived in its first parameter while the second is held
    (implicit reparameterisation, Figurnov et al. 2018; Jankowiak & Obermeyer 2018, of which DrNAS makes use). The
    derivative of F is an eighth-order central difference. Relative errors against 40-digit arithmetic are near 1e-13;
    torch's own gradient is faster and in part a fitted formula, seen up to 3e-3 off: for z_j above 1/2 unless it is
    near 1, and below 1/2 where total * z_j * (1 - z_j) exceeds about 2.

    Args:
        samples: z (samples, K), each weight strictly between 0 and 1.
        concentration: beta (K,).

    Returns:
        (samples, K, K). The sum over i is 0: weights go on to sum to one.

    Raises:
        UsageError: a concentration is not positive or not finite, or a sample does not lie inside the simplex.
    """
    beta = _positive(concentration).detach()
    if samples.ndim != 2 or samples.shape[1] != len(beta) or not bool(((samples > 0) & (samples < 1)).all()):
        raise UsageError(f"Samples are {len(beta)} weights each, strictly between 0 and 1.")
    weights, first = samples.detach().double().numpy(), beta.numpy()
    second = first.sum() - first
    log_density = special.xlogy(first - 1, weights) + special.xlog1py(second - 1, -weights)
    density = np.exp(log_density - special.betaln(first, second))
    pull = -_cdf_slope(weights, first, second) / density / (1 - weights)  # (samples, K), by j
    own = np.eye(len(first)) - weights[:, :, None]  # (samples, K, K), by i and j
    return torch.from_numpy(own * pull[:, None, :])


def _cdf_slope(at: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """d/da of the CDF of Beta(a, b) at a point, b held. Right of the mean 1 - F is used, which loses fewer digits."""
    step = _STEP / (1 / first - np.log(at))
    left = at < first / (first + second)
    slope = np.zeros_like(at)
    for places, weight in _STENCIL:
        above, below = first + places * step, first - places * step
        lower = special.betainc(above, second, at) - special.betainc(below, second, at)
        upper = special.betaincc(below, second, at) - special.betaincc(above, second, at)
        slope += weight * np.where(left, lower, upper)
    return slope / step


def dirichlet_mean_gradient(concentration: Vector) -> Tensor:
    """dE[z_i] / dbeta_j = (total delta_ij - beta_i) / total^2, (K, K): what the Jacobian is on average.

    Raises:
        UsageError: a concentration is not positive or not finite.
    """
    beta = _positive(concentration)
    total = beta.sum()
    return (total * torch.eye(len(beta), dtype=torch.float64) - beta[:, None]) / total**2


def largest_gradient(concentration: float, *, operations: int = 3, samples: int = 20_000, seed: int = 0) -> float:
    """max |dz_0 / dbeta_j| over all j and all samples, where each beta_j is `concentration`, as torch computes it.

    It grows like 1 / concentration^2. The anchor at 1, to which DrNAS pulls, keeps concentrations from there.

    Raises:
        UsageError: the concentration is not positive or not finite, or there is no sample.
    """
    check_samples(samples)
    each = _positive([concentration] * operations).expand(samples, -1).clone().requires_grad_()
    (gradient,) = torch.autograd.grad(dirichlet_rows(each, seed=seed)[:, 0].sum(), each)
    return float(gradient.abs().max())


def vector(values: Any, what: str) -> Tensor:
    """Finite numbers as a float64 vector of at least two.

    Raises:
        UsageError: they are something else; `what` names them.
    """
    found = torch.as_tensor(values, dtype=torch.float64)
    if found.ndim != 1 or len(found) < 2 or not bool(found.isfinite().all()):
        raise UsageError(f"{what} are one finite number an operation, for at least two operations.")
    return found


def check_temperature(temperature: float) -> float:
    """The temperature.

    Raises:
        UsageError: it is not positive or not finite.
    """
    if not 0 < temperature < float("inf"):
        raise UsageError(f"A temperature is a positive number, not {temperature:g}.")
    return temperature


def check_samples(samples: int) -> None:
    """Make sure that something is drawn.

    Raises:
        UsageError: there is no sample.
    """
    if samples < 1:
        raise UsageError(f"At least one sample is drawn, not {samples}.")


def _positive(concentration: Vector) -> Tensor:
    beta = vector(concentration, "Concentrations")
    if not bool((beta > 0).all()):
        raise UsageError(f"Every concentration is positive, unlike {float(beta.detach().min()):g}.")
    return beta
