"""The exercises of chapter 16, every method: published and measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nasbook.claims.verdicts import interval
from nasbook.course.exercises.checking import Exercise, expect, expect_close
from nasbook.search import Recipe, recipes

Pair = tuple[Sequence[float], Sequence[float]]

# Accuracies of two methods over the same seeds, in percent; the seeds differ more than the methods do.
_ACCURACIES: tuple[Pair, ...] = (
    ((70.0, 62.0, 75.0, 66.0, 59.0, 71.0), (68.0, 61.0, 71.5, 64.0, 60.0, 69.0)),
    ((24.0, 71.5, 30.0, 69.0, 52.0), (26.0, 70.0, 33.0, 66.0, 55.5)),
    ((81.0, 86.5, 79.0), (80.0, 86.0, 77.5)),
)
_SCORES: tuple[Pair, ...] = (
    ((94.4, 54.3, 93.2, 92.8, 93.1), (86.9, 80.4, 71.0, 85.2, 76.9)),
    ((1.0, 2.0, 2.0, 9.0, 4.0, 4.0, 4.0), (3.0, 1.0, 6.0, 2.0, 8.0, 1.0, 7.0)),
    ((5.0, 4.0, 3.0, 1.0), (10.0, 40.0, 90.0, 91.0)),
)
_BASES = ("darts", "gdas", "drnas-progressive", "pc-darts", "snas", "dsnas")


def check_paired_interval(attempt: Callable[[Sequence[float], Sequence[float], float], Any]) -> None:
    """(accuracies, accuracies of the same seeds, quantile of Student's t) -> (mean difference, half the interval)."""
    for ours, theirs in _ACCURACIES:
        differences = [one - other for one, other in zip(ours, theirs, strict=True)]
        right = interval(differences)
        spread = float(np.std(differences, ddof=1))
        quantile = (right.spread or 0.0) * math.sqrt(len(ours)) / spread
        got = attempt(list(ours), list(theirs), quantile)
        expect(got is not None, "Your function returns nothing; is a return missing?")
        expect(
            isinstance(got, tuple | list) and len(got) == 2, "Return two numbers: the mean and half of the interval."
        )
        expect(not _same(got[0], -right.mean), "The sign is turned: subtract theirs from ours.")
        expect_close(_number(got[0]), right.mean, "The mean difference")
        _name_the_half(_number(got[1]), ours, theirs, quantile)
        expect_close(_number(got[1]), right.spread or 0.0, "Half of the interval")


def _name_the_half(got: Any, ours: Sequence[float], theirs: Sequence[float], quantile: float) -> None:
    """Say which of the typical wrong halves this is."""
    differences = np.subtract(ours, theirs)
    count, spread = len(ours), float(np.std(differences, ddof=1))
    apart = math.sqrt(float(np.var(ours, ddof=1)) + float(np.var(theirs, ddof=1)))
    half = quantile * spread / math.sqrt(count)
    wrong = {
        "You took both methods' spreads as if they had other seeds: take the differences first, seed by seed.": (
            quantile * apart / math.sqrt(count)
        ),
        "Divide the squares by n - 1, not by n: the mean was estimated from the same numbers.": (
            quantile * float(np.std(differences)) / math.sqrt(count)
        ),
        "This is the spread of one difference. That of their mean is smaller: divide by the root of n.": (
            quantile * spread
        ),
        "This is the standard error; the interval is as many of them as the quantile says.": spread / math.sqrt(count),
        "This is the whole length of the interval: half of it is asked for.": 2 * half,
        "You took the variance for the standard deviation: its root is missing.": (
            quantile * spread**2 / math.sqrt(count)
        ),
    }
    for message, value in wrong.items():
        expect(not _same(got, value), message)


def check_rank_correlation(attempt: Callable[[Sequence[float], Sequence[float]], Any]) -> None:
    """(scores, scores of the same methods) -> Spearman's correlation, equal scores sharing their mean rank."""
    for x, y in _SCORES:
        got = attempt(list(x), list(y))
        expect(got is not None, "Your function returns nothing; is a return missing?")
        got = _number(got)
        right = float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])
        wrong = {
            "This is the correlation of the scores themselves: take that of their ranks.": np.corrcoef(x, y)[0, 1],
            "Equal scores should share a rank, the mean of those they take up together.": np.corrcoef(
                _in_order(x), _in_order(y)
            )[0, 1],
            "The sign is turned: one of the two is ranked from its other end.": -right,
            "The formula 1 - 6 d^2 / (n (n^2 - 1)) holds without equal scores only: correlate the ranks.": (
                _short_formula(x, y)
            ),
        }
        if not _same(got, right):
            for message, value in wrong.items():
                expect(not _same(got, float(value)), message)
        expect_close(got, right, "The rank correlation")


def _ranks(values: Sequence[float]) -> np.ndarray:
    """Ranks from 1, equal values sharing the mean."""
    return np.array([np.mean([place for place, v in enumerate(sorted(values), 1) if v == value]) for value in values])


def _in_order(values: Sequence[float]) -> np.ndarray:
    """Ranks from 1, of equal values the earlier first."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") + 1.0


def _short_formula(x: Sequence[float], y: Sequence[float]) -> float:
    count = len(x)
    return 1 - 6 * float(((_ranks(x) - _ranks(y)) ** 2).sum()) / (count * (count**2 - 1))


def check_composed(attempt: Callable[[Recipe], Any]) -> None:
    """(recipe) -> the same with an adversary and PT, and bilevel where it was single-level."""
    for base in (recipes.get(name) for name in _BASES):
        got = attempt(base)
        expect(got is not None, "Your function returns nothing; is a return missing?")
        expect(isinstance(got, Recipe), "Return a Recipe: dataclasses.replace makes a new one from the old.")
        expect(got.perturbation == "adversarial", f"The perturbation of {got.name} should be adversarial.")
        expect(got.selection == "perturbation", f"The selection of {got.name} should be perturbation.")
        if base.hypergradient == "single-level":
            expect(
                got.hypergradient != "single-level",
                f"{base.name} moves weights and alpha by one gradient, which cannot be perturbed for one alone: "
                "make it first-order.",
            )
            expect(got.hypergradient == "first-order", "Where it was single-level, the hypergradient is first-order.")
        kept = ("relaxation", "memory") + (("hypergradient",) if base.hypergradient != "single-level" else ())
        for axis in kept:
            expect(
                getattr(got, axis) == getattr(base, axis),
                f"The {axis} of {base.name} is {getattr(base, axis)}, and yours is {getattr(got, axis)}: leave it.",
            )
        expect(got.name == f"{base.name}-adv+pt", f"From {base.name} the name should be made by adding -adv+pt.")


def _number(value: Any) -> Any:
    """numpy's and torch's single numbers as Python's."""
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) in (1, ()) else value


def _same(got: Any, value: float) -> bool:
    number = _number(got)
    return isinstance(number, int | float) and math.isclose(number, value, rel_tol=1e-6, abs_tol=1e-9)


EXERCISES = (
    Exercise("16.1", "The interval of a paired difference", "easy", 10, check_paired_interval, "equation (16.1)"),
    Exercise("16.2", "A rank correlation by hand", "medium", 15, check_rank_correlation, "equation (16.2)"),
    Exercise("16.3", "Compose your own", "easy", 10, check_composed, "Compose your own"),
)
