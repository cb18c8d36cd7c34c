"""How well one score orders architectures as another does: rank correlations with their uncertainty, overlap of tops.

Kendall's tau is the version b of scipy, which accounts for ties; Spearman's rho is Pearson's correlation of the ranks.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbook.runtime.errors import UsageError

RESAMPLES = 500
LEVEL = 0.95


@dataclass(frozen=True)
class Agreement:
    """A rank correlation and a bootstrap interval over architectures.

    Args:
        value: from -1 (opposite orders) over 0 to 1 (the same order); not a number where one score is constant.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def kendall(x: Sequence[float], y: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0) -> Agreement:
    """Kendall's tau-b of two scores of the same architectures.

    Args:
        x, y: (architectures,).
        resamples: of the bootstrap, which draws architectures with replacement; 0 makes an interval of one point.
        seed: of the bootstrap.

    Raises:
        UsageError: the scores have different lengths, are fewer than two, or are not all finite.
    """
    return _with_interval(_kendall, x, y, resamples, seed)


def spearman(x: Sequence[float], y: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0) -> Agreement:
    """Spearman's rho of two scores of the same architectures; arguments and errors as in `kendall`."""
    return _with_interval(_spearman, x, y, resamples, seed)


def top_overlap(x: Sequence[float], y: Sequence[float], k: int) -> float:
    """The share of the k best by x that are among the k best by y; chance alone gives k / architectures.

    Of equal scores the earlier counts as better.

    Raises:
        UsageError: as in `kendall`, or k is not between 1 and the number of architectures.
    """
    xs, ys = _pair(x, y)
    if not 1 <= k <= len(xs):
        raise UsageError(f"k must be from 1 to {len(xs)}, the number of architectures, not {k}.")
    tops = [set(np.argsort(-scores, kind="stable")[:k].tolist()) for scores in (xs, ys)]
    return len(tops[0] & tops[1]) / k


def reliability(first: Sequence[float], second: Sequence[float]) -> float:
    """How well the mean of two measurements of each architecture orders them, from the agreement of the two.

    Spearman and Brown's formula 2r / (1 + r), with Spearman's rho as r: the correlation that two such means, each of
    two fresh trainings, would have with each other.

    Raises:
        UsageError: as in `kendall`.
    """
    r = max(0.0, spearman(first, second, resamples=0).value)
    return 2 * r / (1 + r)


def ceiling(first: Sequence[float], second: Sequence[float]) -> float:
    """The correlation of a faultless score with the mean of two noisy measurements: the root of the reliability.

    Raises:
        UsageError: as in `kendall`.
    """
    return math.sqrt(reliability(first, second))


def _with_interval(statistic: Any, x: Sequence[float], y: Sequence[float], resamples: int, seed: int) -> Agreement:
    xs, ys = _pair(x, y)
    value = statistic(xs, ys)
    if resamples == 0 or math.isnan(value):
        return Agreement(value, value, value)
    generator = np.random.default_rng(seed)
    draws = (generator.integers(len(xs), size=len(xs)) for _ in range(resamples))
    found = np.array([statistic(xs[draw], ys[draw]) for draw in draws])
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.nanpercentile(found, (tail, 100 - tail))  # a resample of one architecture alone has no correlation
    return Agreement(value, float(low), float(high))


def _kendall(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    from scipy import stats

    return float(stats.kendalltau(x, y).statistic)


def _spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)  # the result says it: not a number
        return float(stats.spearmanr(x, y).statistic)


def _pair(x: Sequence[float], y: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if xs.shape != ys.shape or xs.ndim != 1 or len(xs) < 2:
        raise UsageError(
            f"Ranks are compared of two equally long lists of at least 2 scores, not {xs.shape} and {ys.shape}."
        )
    if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
        raise UsageError("A score is not a finite number, so it has no rank.")
    return xs, ys
