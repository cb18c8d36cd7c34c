"""The exercises of chapter 14, does alpha represent strength?"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from nasbook.analysis.ranks import kendall, spearman
from nasbook.course.exercises.checking import Exercise, expect, expect_close

# Scores without ties, of different scales, whose orders are neither equal nor opposite.
_SCORES = (
    ((0.1, 0.2, 0.15, 0.3, 0.25), (50.0, 51.0, 55.0, 90.0, 49.0)),
    ((0.31, 0.12, 0.22, 0.35), (61.0, 64.5, 40.0, 60.2)),
    ((5.0, 1.0, 2.0, 4.0, 3.0, 6.0), (0.2, 0.1, 0.9, 0.8, 0.3, 0.4)),
)
# Operations, weights, accuracies. In the first `none` has the largest weight; in the last it is the most accurate too.
_EDGES = (
    (("none", "skip", "conv"), (0.5, 0.3, 0.2), (30.0, 44.0, 51.0)),
    (("skip", "pool", "conv", "none"), (0.2, 0.3, 0.4, 0.1), (47.5, 40.0, 45.0, 20.0)),
    (("conv", "none", "skip"), (0.25, 0.35, 0.4), (52.0, 53.0, 48.0)),
)
# Errors of three operations: two that fail alike, three that have nothing in common, three of which all share a little.
_COVARIANCES = (
    ((1.0, 0.2, 0.2), (0.2, 0.8, 0.75), (0.2, 0.75, 0.8)),
    ((1.0, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.25)),
    ((0.9, 0.3, 0.1), (0.3, 0.6, 0.2), (0.1, 0.2, 0.7)),
)
# (skip, convolution) of each edge, and how many more are forced; the last asks for more than there are.
_CHOICES = (
    (((0.7, 0.3), (0.6, 0.4), (0.9, 0.1), (0.4, 0.6)), 1),
    (((0.7, 0.3), (0.6, 0.4), (0.9, 0.1), (0.4, 0.6)), 2),
    (((0.55, 0.45), (0.8, 0.2), (0.65, 0.35)), 0),
    (((0.45, 0.55), (0.7, 0.3), (0.6, 0.4)), 5),
)


def check_rank_correlation(attempt: Callable[[Sequence[float], Sequence[float]], Any]) -> None:
    """Two equally long lists without ties -> Spearman's rank correlation, equation (14.3)."""
    for x, y in _SCORES:
        got = attempt(list(x), list(y))
        expect(got is not None, "Your function returns nothing; is a return missing?")
        expect(_is_number(got), f"The correlation is one number, not {got!r}.")
        got, right = float(got), spearman(x, y, resamples=0).value
        first, second = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
        places = spearman(first.argsort().tolist(), second.argsort().tolist(), resamples=0).value
        wrong = (
            ("This is the correlation of the values: take that of their ranks.", _pearson(first, second)),
            ("An argsort lists which is smallest; the rank of each comes from sorting that list once more.", places),
            (
                "This is Kendall's rank correlation; (14.3) squares differences of ranks.",
                kendall(x, y, resamples=0).value,
            ),
            ("The sign is turned: are both lists ranked in the same direction?", -right),
        )
        for message, value in wrong:
            expect(math.isclose(value, right, abs_tol=1e-6) or not math.isclose(got, value, abs_tol=1e-6), message)
        expect_close(got, right, "The rank correlation")


def check_regret(attempt: Callable[[Sequence[str], Sequence[float], Sequence[float]], Any]) -> None:
    """(operations, weights, accuracies) -> points that the choice by weight loses; `none` may not be chosen."""
    for operations, weights, accuracies in _EDGES:
        got = attempt(list(operations), list(weights), list(accuracies))
        expect(got is not None, "Your function returns nothing; is a return missing?")
        expect(_is_number(got), f"The regret is one number of points, not {got!r}.")
        allowed = [place for place, name in enumerate(operations) if name != "none"]
        chosen, best = (max(allowed, key=lambda place: values[place]) for values in (weights, accuracies))
        right = accuracies[best] - accuracies[chosen]
        largest = accuracies[max(range(len(weights)), key=lambda place: weights[place])]
        wrong = (
            ("The best to compare with must be allowed too: none is not.", max(accuracies) - accuracies[chosen]),
            (
                "The operation of the largest weight here is none, which no cell may hold: leave it out.",
                max(accuracies) - largest,
            ),
            ("Points lost are counted from 0 upwards: best less chosen.", -right),
            ("You compared weights: the regret is a difference of accuracies.", weights[chosen] - weights[best]),
        )
        for message, value in wrong:
            expect(math.isclose(value, right) or not math.isclose(float(got), value), message)
        expect_close(float(got), right, "The regret")


def check_best_weights(attempt: Callable[[Tensor], Any]) -> None:
    """Covariance of the errors (K, K) -> the weights of sum 1 whose mixture has the smallest error, equation (14.4)."""
    for rows in _COVARIANCES:
        covariance = torch.tensor(rows, dtype=torch.float64)
        got = attempt(covariance.clone())
        expect(isinstance(got, Tensor), "Return a tensor (K,); is a return missing?")
        expect(got.shape == (len(rows),), f"There is one weight for each of the {len(rows)} operations.")
        expect(
            got.dtype == torch.float64, "The covariance is float64: make new tensors from it, as with torch.ones_like."
        )
        right = _best(covariance)
        unscaled = torch.linalg.solve(covariance, torch.ones(len(rows), dtype=torch.float64))
        alone = 1 / covariance.diagonal()
        wrong = (
            ("The weights do not sum to 1 yet: divide by their sum.", unscaled),
            ("You used the variances alone: what two operations get wrong together counts too.", alone / alone.sum()),
        )
        for message, values in wrong:
            expect(torch.allclose(values, right) or not torch.allclose(got, values), message)
        expect_close(got, right, "The weights")


def check_force(attempt: Callable[[Sequence[tuple[float, float]], int], Any]) -> None:
    """(weights of skip and convolution of each edge, k) -> which edges hold the convolution after forcing k more."""
    for weights, more in _CHOICES:
        got = attempt(list(weights), more)
        expect(got is not None, "Your function returns nothing; is a return missing?")
        expect(
            isinstance(got, list | tuple) and len(got) == len(weights) and all(each in (True, False) for each in got),
            f"Return one True or False for each of the {len(weights)} edges.",
        )
        held = [bool(each) for each in got]
        own = [convolution > skip for skip, convolution in weights]
        expect(
            all(now for now, before in zip(held, own, strict=True) if before),
            "An edge that alpha gives the convolution has lost it: start from the larger weights.",
        )
        wanted = min(len(weights), sum(own) + more)
        expect(
            sum(held) == wanted,
            f"By weight the convolution is on {sum(own)}, and {more} more are forced: you return {sum(held)}.",
        )
        expect(held == _forced(weights, more), "Other edges come first: those where the convolution has most weight.")


def _forced(weights: Sequence[tuple[float, float]], more: int) -> list[bool]:
    held = [convolution > skip for skip, convolution in weights]
    rest = sorted((edge for edge, own in enumerate(held) if not own), key=lambda edge: -weights[edge][1])
    return [own or edge in rest[:more] for edge, own in enumerate(held)]


def _best(covariance: Tensor) -> Tensor:
    """The minimum on the plane of sum 1, by its equations with a multiplier."""
    count = len(covariance)
    system = torch.ones(count + 1, count + 1, dtype=torch.float64)
    system[:count, :count], system[count, count] = 2 * covariance, 0.0
    right = torch.zeros(count + 1, dtype=torch.float64)
    right[count] = 1.0
    return torch.linalg.solve(system, right)[:count]


def _pearson(x: Tensor, y: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([x, y]))[0, 1])


def _is_number(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.ndim == 0
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


EXERCISES = (
    Exercise("14.1", "A rank correlation", "easy", 10, check_rank_correlation, "equation (14.3)"),
    Exercise("14.2", "What a choice by weight loses", "easy", 10, check_regret, "What strength means"),
    Exercise("14.3", "The best weights of a mixture", "medium", 15, check_best_weights, "equation (14.4)"),
    Exercise("14.4", "Force convolutions", "medium", 15, check_force, "Force convolutions into S2"),
)
