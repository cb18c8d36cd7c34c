"""Why a mixed edge prefers the skip connection: the closed form, and its demonstration on drawn numbers.

In the unrolled view every edge refines an estimate of one map m. A skip connection returns the estimate x that it was
given, a convolution makes a new one, o. The edge mixes them, and the best mixture is the one with the smallest error

    Var(theta x + (1 - theta) o - m) = theta^2 V_skip + (1 - theta)^2 V_conv + 2 theta (1 - theta) c

with V_skip = Var(x - m), V_conv = Var(o - m) and c = Cov(x - m, o - m). Its minimum lies at

    theta* = (V_conv - c) / (V_skip + V_conv - 2 c),        alpha_skip* - alpha_conv* = log (V_conv - c) / (V_skip - c)

(the view is that of Wang et al. 2021, "Rethinking architecture selection in differentiable NAS", proposition 1; the
formulas follow from the line above). So the weight of the skip connection grows with the error of the *convolution*:
alpha says how bad the other branch is, not how useful an operation is. Deep in a network x has been refined often:
V_skip goes to 0, and theta* to 1.

`skip_errors` measures the same quantities on a trained supernet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasbook.runtime.errors import UsageError

DEPTHS = (1, 2, 4, 8, 16, 32, 64)
CONV_VARIANCE, SHARED = 0.67, 0.15  # at DEPTHS they give theta* = 0.58, 0.69, 0.79, 0.87, 0.93, 0.96, 0.98
_ROUNDING = 1e-9  # relative: what a covariance computed in double precision may exceed its bound by


def error_variance(theta: float, /, *, skip: float, conv: float, covariance: float = 0.0) -> float:
    """The error of the mixture with weight `theta` on the skip connection and the rest on the convolution.

    Args:
        theta: any number; a softmax gives those in (0, 1).
        skip, conv, covariance: V_skip, V_conv and c, as for `best_weight`.

    Raises:
        UsageError: no two estimates have such variances and such a covariance.
    """
    check(skip, conv, covariance)
    return theta**2 * skip + (1 - theta) ** 2 * conv + 2 * theta * (1 - theta) * covariance


def best_weight(skip: float, conv: float, *, covariance: float = 0.0, clip: bool = False) -> float:
    """theta*: the weight of the skip connection at which the mixture's error is smallest.

    Where c is larger than the smaller of the two variances, the minimum lies outside [0, 1]: the worse estimate would
    have to be subtracted, which no softmax can do. Within [0, 1] the better estimate alone is best then.

    Args:
        skip: V_skip, the variance of the skip connection's error.
        conv: V_conv, the variance of the convolution's error.
        covariance: c, of the two errors.
        clip: give the minimum within [0, 1].

    Raises:
        UsageError: no two estimates have such variances and such a covariance, or the errors are equal, so that every
            weight is as good as any other.
    """
    check(skip, conv, covariance)
    curvature = skip + conv - 2 * covariance  # the variance of x - o
    if curvature <= _ROUNDING * (skip + conv):
        raise UsageError("Skip connection and convolution make the same error: every weight is as good as any other.")
    theta = (conv - covariance) / curvature
    return min(max(theta, 0.0), 1.0) if clip else theta


def alpha_difference(skip: float, conv: float, *, covariance: float = 0.0) -> float:
    """alpha_skip* - alpha_conv*: the difference of logits whose softmax is theta*. Arguments as for `best_weight`.

    Raises:
        UsageError: no two estimates have such variances and such a covariance, or c is not smaller than both
            variances: then one operation alone is best, and alpha grows without end.
    """
    check(skip, conv, covariance)
    if covariance >= min(skip, conv):
        raise UsageError(
            f"With covariance {covariance:g}, not below both variances {skip:g} and {conv:g}, no mixture beats the "
            "better operation alone: the best difference of alphas is not finite."
        )
    return math.log((conv - covariance) / (skip - covariance))


def check(skip: float, conv: float, covariance: float) -> None:
    """Make sure that two random numbers can have these variances and this covariance.

    Raises:
        UsageError: a variance is negative, a number is not finite, or |c| exceeds the root of the product.
    """
    if not (math.isfinite(skip) and math.isfinite(conv) and skip >= 0 and conv >= 0):
        raise UsageError(f"A variance is a finite number and not negative, unlike {skip:g} or {conv:g}.")
    bound = math.sqrt(skip * conv)
    if not abs(covariance) <= bound * (1 + _ROUNDING):
        raise UsageError(
            f"Errors of variances {skip:g} and {conv:g} have a covariance between {-bound:g} and {bound:g} "
            f"(Cauchy-Schwarz), not {covariance:g}."
        )


@dataclass(frozen=True)
class Depth:
    """The demonstration at one depth.

    Args:
        depth: L, how often the input was refined.
        skip, conv, covariance: V_skip = 1 / (L + 1), V_conv and c, of which the numbers are drawn.
        theory: theta* by the closed form.
        fitted: theta by least squares on the drawn numbers.
    """

    depth: int
    skip: float
    conv: float
    covariance: float
    theory: float
    fitted: float


def at_depth(depth: float, *, conv: float = CONV_VARIANCE, shared: float = SHARED) -> tuple[float, float, float]:
    """(V_skip, V_conv, c) where the input has averaged L + 1 estimates of variance 1.

    The convolution's error has the same variance at each depth. A part of it, `shared` times the error of its input, is
    handed on: c = shared * V_skip, which vanishes with the error of the input.

    Raises:
        UsageError: the depth is negative, or the part that is handed on is larger than the whole.
    """
    if not (math.isfinite(depth) and depth >= 0):
        raise UsageError(f"A depth is 0 or more, not {depth:g}.")
    skip = 1.0 / (depth + 1)
    check(skip, conv, shared * skip)
    return skip, conv, shared * skip


def demonstrate(
    depths: Sequence[int] = DEPTHS,
    *,
    conv: float = CONV_VARIANCE,
    shared: float = SHARED,
    samples: int = 20_000,
    seed: int = 0,
) -> list[Depth]:
    """Draw m, x and o at each depth, and find the best weight by least squares.

    Args:
        depths: L, each at least 0.
        conv: V_conv.
        shared: the part of the input's error that the convolution hands on.
        samples: draws of (m, x, o) a depth.
        seed: of the draws.

    Raises:
        UsageError: a number is out of range.
    """
    if samples < 2:
        raise UsageError(f"Least squares needs at least 2 samples, not {samples}.")
    generator = np.random.default_rng(seed)
    found = []
    for depth in depths:
        skip, conv, covariance = at_depth(depth, conv=conv, shared=shared)
        target, first, second = generator.standard_normal((3, samples))
        error = math.sqrt(skip) * first
        own = math.sqrt(max(conv - shared**2 * skip, 0.0))
        fitted = least_squares(target, target + error, target + shared * error + own * second)
        theory = best_weight(skip, conv, covariance=covariance)
        found.append(Depth(depth, skip, conv, covariance, theory, fitted))
    return found


def least_squares(target: np.ndarray, skip: np.ndarray, conv: np.ndarray) -> float:
    """The theta with the smallest mean square of theta * skip + (1 - theta) * conv - target; arrays of one shape.

    Raises:
        UsageError: both estimates are the same.
    """
    apart = skip - conv
    square = float((apart**2).sum())
    if square == 0:
        raise UsageError("Both estimates are the same numbers: every weight is as good as any other.")
    return float((apart * (target - conv)).sum()) / square
