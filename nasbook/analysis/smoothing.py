"""What smoothing penalises: how a loss rises when the operation weights are perturbed (Chen & Hsieh 2020, section 3).

Around a point with gradient g and Hessian H, up to third order, for a radius r:

    uniform noise in a box      E L(p + d) - L(p)  =  r^2 / 6 tr H           each coordinate of d has variance r^2 / 3
    worst case in a ball        max L(p + d) - L(p)  =  r^2 / 2 lambda_max   where g = 0 and lambda_max > 0

The first needs no g = 0, as the mean of d is zero. The second does; where there is a gradient, the worst case is the
largest value of a quadratic in a ball (a trust-region problem). What a search does to its weights is none of the two:
it brings them back to where weights may lie, and its ascent stays in a box.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import brentq
from torch import Tensor
from torch.nn import functional as F

from nasbook.instruments.hessian import mean_derivatives
from nasbook.instruments.points import Batch, Points
from nasbook.runtime.errors import UsageError
from nasbook.search import Search
from nasbook.search.perturbation import Adversarial, Perturbation, Radius, RandomSmoothing
from nasbook.supernet import Mixing

Vector = NDArray[np.float64]
Loss = Callable[[Tensor], Tensor]
KINDS = ("random", "adversarial")


def by_trace(hessian: Vector, radius: float) -> float:
    """r^2 / 6 tr H: the expected rise under uniform noise in a box of half side r."""
    return radius**2 / 6 * float(np.trace(hessian))


def by_eigenvalue(hessian: Vector, radius: float) -> float:
    """r^2 / 2 lambda_max: the worst rise in a ball of radius r around a stationary point; 0 where all curve down."""
    return radius**2 / 2 * max(float(eigh(hessian, eigvals_only=True)[-1]), 0.0)


def worst_of_quadratic(gradient: Vector, hessian: Vector, radius: float) -> tuple[float, Vector]:
    """The largest value of g'd + d'Hd / 2 for |d| <= r, and where it is.

    The maximum solves (m I - H) d = g with a multiplier m >= max(lambda_max, 0), and lies on the border unless m = 0.

    Args:
        gradient: (n,).
        hessian: (n, n), symmetric.
        radius: above 0.
    """
    values, vectors = eigh(hessian)
    slope = vectors.T @ gradient
    lowest, top = max(float(values[-1]), 0.0), values >= values[-1] - 1e-12 * max(float(np.abs(values).max()), 1.0)
    largest, length = float(np.abs(values).max()), float(np.linalg.norm(slope))
    scale = max(largest, length / radius, 1e-300)

    def at(multiplier: float) -> Vector:
        return slope / (multiplier - values)

    def too_far(multiplier: float) -> float:
        return float(np.linalg.norm(at(multiplier))) - radius

    least = lowest + 1e-12 * scale
    if too_far(least) > 0:
        found = at(float(brentq(too_far, least, lowest + 2 * length / radius + scale, xtol=1e-14 * scale)))
    else:  # the gradient has no part along the top: what is left of the radius goes there
        found = np.where(top & (values > 0), 0.0, at(least))
        if values[-1] > 0:
            found[-1] = max(radius**2 - float(found @ found), 0.0) ** 0.5
    return float(slope @ found + values @ found**2 / 2), vectors @ found


def expected_rise(loss: Loss, point: Tensor, radius: float, *, pairs: int, seed: int) -> tuple[float, float]:
    """The mean rise of a loss under uniform noise in a box, by Monte Carlo, with its standard error.

    Noise is drawn in pairs d and -d, so that the gradient's part cancels in each.

    Args:
        loss: of a point (n,).
        point: the middle of the box.
        radius: half of its side.
        pairs: how many, at least two.
        seed: of the draw.
    """
    generator = torch.Generator().manual_seed(seed)
    rises = []
    with torch.no_grad():
        here = float(loss(point))
        for _ in range(pairs):
            noise = torch.empty_like(point).uniform_(-radius, radius, generator=generator)
            rises.append(float(loss(point + noise) + loss(point - noise)) / 2 - here)
    return float(np.mean(rises)), float(np.std(rises, ddof=1) / pairs**0.5)


def worst_rise(loss: Loss, point: Tensor, radius: float, *, start: Tensor, steps: int) -> float:
    """The largest rise of a loss that projected gradient ascent finds in a ball.

    Args:
        loss: of a point (n,), differentiable.
        point: the middle of the ball.
        radius: of the ball.
        start: a displacement (n,) to begin at, not zero, as the gradient may be zero in the middle.
        steps: how many, each shorter than the one before.
    """
    shift = radius * start / start.norm()
    best = -float("inf")
    for step in range(steps + 1):
        leaf = (point + shift).detach().requires_grad_()
        value = loss(leaf)
        best = max(best, float(value.detach()))
        if step == steps:
            break
        (slope,) = torch.autograd.grad(value, leaf)
        shift = shift + radius * (1 - step / steps) * slope / slope.norm().clamp_min(1e-300)
        shift = shift * min(1.0, radius / float(shift.norm()))
    with torch.no_grad():
        return best - float(loss(point))


@dataclass(frozen=True)
class Rises:
    """How a search's validation loss rises over the radius, measured and by formula, all in nats.

    Args:
        radii: of the box and of the ball, in units of weight.
        random: the mean rise under uniform noise in the box.
        random_error: its standard errors.
        worst: the largest rise found in the ball.
        by_trace: r^2 / 6 tr H, to compare with `random`.
        by_eigenvalue: r^2 / 2 lambda_max, to compare with `worst` where there is no gradient.
        by_quadratic: the largest value of the quadratic with its gradient term, to compare with `worst` elsewhere.
        trace, eigenvalue, slope: tr H, lambda_max and |g| behind the formulas.
    """

    radii: tuple[float, ...]
    random: tuple[float, ...]
    random_error: tuple[float, ...]
    worst: tuple[float, ...]
    by_trace: tuple[float, ...]
    by_eigenvalue: tuple[float, ...]
    by_quadratic: tuple[float, ...]
    trace: float
    eigenvalue: float
    slope: float


def rises(
    search: Search, radii: Sequence[float], *, images: int = 128, pairs: int = 8, steps: int = 4, seed: int = 0
) -> Rises:
    """Perturb the operation weights of a search, each weight a free number, shared weights and images fixed.

    Costs the Hessian (a backward pass for each weight), and for each radius `2 pairs` forward passes and `steps`
    backward ones.

    Args:
        search: nothing in it changes.
        radii: above 0, ascending.
        images: of alpha's half, at most 256.
        pairs: of noise.
        steps: of ascent, from the maximum of the quadratic.
        seed: of the noise.
    """
    points = Points(search, "mixing")
    here, batches = points.here(), points.images(_one_batch(images))
    first, second = mean_derivatives(points, here, batches)

    def loss(point: Tensor) -> Tensor:
        return points.loss(point, batches[0])

    random = [expected_rise(loss, here, radius, pairs=pairs, seed=seed) for radius in radii]
    quadratic = [worst_of_quadratic(first.numpy(), second, radius) for radius in radii]
    worst = [
        worst_rise(loss, here, radius, start=torch.from_numpy(shift), steps=steps)
        for radius, (_, shift) in zip(radii, quadratic, strict=True)
    ]
    return Rises(
        radii=tuple(radii),
        random=tuple(mean for mean, _ in random),
        random_error=tuple(error for _, error in random),
        worst=tuple(worst),
        by_trace=tuple(by_trace(second, radius) for radius in radii),
        by_eigenvalue=tuple(by_eigenvalue(second, radius) for radius in radii),
        by_quadratic=tuple(value for value, _ in quadratic),
        trace=float(np.trace(second)),
        eigenvalue=float(eigh(second, eigvals_only=True)[-1]),
        slope=float(first.norm()),
    )


@dataclass(frozen=True, eq=False)
class Perturbed:
    """The operation weights of a search before and after its perturbation, and what the supernet makes of both.

    Args:
        before, after: weights by group, (rows, columns).
        loss: before and after, nats per image.
        accuracy: before and after, percent.
        images: how many.
    """

    before: dict[str, Tensor]
    after: dict[str, Tensor]
    loss: tuple[float, float]
    accuracy: tuple[float, float]
    images: int

    @property
    def rise(self) -> float:
        """How much the loss is higher after the perturbation, nats."""
        return self.loss[1] - self.loss[0]


def perturbed(
    search: Search, kind: str, radius: float, *, images: int = 128, steps: int = 3, seed: int = 0
) -> Perturbed:
    """Do to the weights of a search what SDARTS does before a step of the shared weights, on validation images.

    The supernet is run by the statistics of the batch, also where the search keeps running ones and attacks by these.

    Args:
        search: of any method; nothing in it changes.
        kind: "random" (SDARTS-RS) or "adversarial" (SDARTS-ADV).
        radius: half the side of the box, at least 0.
        images: of alpha's half, at most 256, the same at every call.
        steps: of the ascent.
        seed: of the draw.

    Raises:
        UsageError: no such kind, or a radius below 0.
    """
    if kind not in KINDS or not radius >= 0:
        raise UsageError(
            f"A perturbation is {' or '.join(KINDS)} with a radius of at least 0, not {kind!r}, {radius:g}."
        )
    points = Points(search, "mixing")
    (batch,) = points.images(_one_batch(images))
    with torch.no_grad():
        weights = search.relaxation.expected(search.alpha, search.progress)
    mixing = Mixing({name: value.detach() for name, value in weights.items()}, search.candidates)
    schedule = Radius(radius, radius)
    how: Perturbation = RandomSmoothing(schedule) if kind == "random" else Adversarial(schedule, steps)

    def loss(moved: Mixing) -> Tensor:
        return F.cross_entropy(points.logits(moved, batch[0]), batch[1])

    moved = how(mixing, loss, 0.0, torch.Generator().manual_seed(seed))
    measured = [_measure(points, each, batch) for each in (mixing, moved)]
    return Perturbed(
        before={name: value.cpu() for name, value in mixing.weights.items()},
        after={name: value.cpu() for name, value in moved.weights.items()},
        loss=(measured[0][0], measured[1][0]),
        accuracy=(measured[0][1], measured[1][1]),
        images=len(batch[1]),
    )


def perturbed_rises(
    search: Search, radii: Sequence[float], *, images: int = 128, draws: int = 4, steps: int = 3, seed: int = 0
) -> dict[str, tuple[float, ...]]:
    """The mean rise (nats) of the loss by each kind of `perturbed`, over the radii.

    Args:
        search, images, steps: as for `perturbed`.
        radii: of the boxes.
        draws: over which each mean is taken; they have the seeds from `seed` on.
    """
    return {
        kind: tuple(
            float(
                np.mean(
                    [
                        perturbed(search, kind, radius, images=images, steps=steps, seed=seed + draw).rise
                        for draw in range(draws)
                    ]
                )
            )
            for radius in radii
        )
        for kind in KINDS
    }


def _one_batch(images: int) -> int:
    if not 2 <= images <= 256:
        raise UsageError(f"A perturbation is measured on 2 to 256 images, one batch, not on {images}.")
    return images


def _measure(points: Points, mixing: Mixing, batch: Batch) -> tuple[float, float]:
    """Loss (nats) and accuracy (percent) at some operation weights."""
    with torch.no_grad():
        logits = points.logits(mixing, batch[0])
        return float(F.cross_entropy(logits, batch[1])), 100 * float((logits.argmax(1) == batch[1]).double().mean())
