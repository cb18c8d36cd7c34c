"""The checks of chapter 16: right answers pass, typical wrong ones are told what is wrong."""

import math
from dataclasses import replace
from statistics import mean, stdev, variance

import numpy as np
import pytest
import torch
from scipy import stats

from nasbook.course.exercises import find_exercise, judge
from nasbook.search import Recipe
from nasbook.search.axes import check_recipe
from nasbook.search.recipes import get


def verdict(number, attempt):
    return judge(find_exercise(f"16.{number}"), attempt)


def paired(ours, theirs, quantile):
    differences = [one - other for one, other in zip(ours, theirs)]
    return mean(differences), quantile * stdev(differences) / len(differences) ** 0.5


def by_numpy(ours, theirs, quantile):
    differences = np.array(ours) - np.array(theirs)
    return differences.mean(), quantile * differences.std(ddof=1) / np.sqrt(len(differences))


def by_torch(ours, theirs, quantile):
    differences = torch.tensor(ours, dtype=torch.float64) - torch.tensor(theirs, dtype=torch.float64)
    return [differences.mean(), quantile * differences.std() / math.sqrt(len(ours))]


@pytest.mark.parametrize("attempt", [paired, by_numpy, by_torch])
def test_right_intervals_pass(attempt):
    assert verdict(1, attempt) == ("right", "Exercise 16.1: right.")


def test_the_quantile_that_is_handed_over_is_students():
    handed = []

    def attempt(ours, theirs, quantile):
        handed.append((len(ours), quantile))
        return paired(ours, theirs, quantile)

    assert verdict(1, attempt)[0] == "right"
    for count, quantile in handed:
        assert quantile == pytest.approx(stats.t.ppf(0.975, count - 1))


def unpaired(ours, theirs, quantile):
    return paired(ours, theirs, quantile)[0], quantile * ((variance(ours) + variance(theirs)) / len(ours)) ** 0.5


def divided_by_n(ours, theirs, quantile):
    return paired(ours, theirs, quantile)[0], quantile * np.subtract(ours, theirs).std() / len(ours) ** 0.5


def times(factor):
    def attempt(ours, theirs, quantile):
        found, half = paired(ours, theirs, quantile)
        return found, half * factor(ours, theirs, quantile)

    return attempt


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (unpaired, "take the differences first"),
        (divided_by_n, "n - 1"),
        (times(lambda ours, theirs, quantile: len(ours) ** 0.5), "divide by the root of n"),
        (times(lambda ours, theirs, quantile: 1 / quantile), "standard error"),
        (times(lambda ours, theirs, quantile: 2), "whole length"),
        (times(lambda ours, theirs, quantile: stdev(np.subtract(ours, theirs))), "its root is missing"),
        (times(lambda ours, theirs, quantile: 1.1), "Half of the interval is off by"),
        (lambda ours, theirs, quantile: paired(theirs, ours, quantile), "sign is turned"),
        (lambda ours, theirs, quantile: paired(ours, theirs, quantile)[0], "Return two numbers"),
        (lambda ours, theirs, quantile: (0.0, 1.0), "mean difference is off by"),
        (lambda ours, theirs, quantile: ("much", "little"), "should be a number"),
        (lambda ours, theirs, quantile: None, "is a return missing"),
    ],
)
def test_wrong_intervals_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def ranks(values):
    return [mean(place for place, each in enumerate(sorted(values), 1) if each == value) for value in values]


def correlation(x, y):
    return float(np.corrcoef(x, y)[0, 1])


def spearman(x, y):
    return correlation(ranks(x), ranks(y))


def by_scipy(x, y):
    return stats.spearmanr(x, y).statistic


def from_the_best(x, y):
    return spearman([-each for each in x], [-each for each in y])


@pytest.mark.parametrize("attempt", [spearman, by_scipy, from_the_best])
def test_right_correlations_pass(attempt):
    assert verdict(2, attempt)[0] == "right"


def ordinal(x, y):
    return correlation(np.argsort(np.argsort(x, kind="stable")), np.argsort(np.argsort(y, kind="stable")))


def short_formula(x, y):
    count = len(x)
    return 1 - 6 * sum((one - other) ** 2 for one, other in zip(ranks(x), ranks(y))) / (count * (count**2 - 1))


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (correlation, "scores themselves"),
        (ordinal, "share a rank"),
        (short_formula, "without equal scores only"),
        (lambda x, y: -spearman(x, y), "sign is turned"),
        (lambda x, y: stats.kendalltau(x, y).statistic, "is off by"),
        (lambda x, y: 1.0, "is off by"),
        (lambda x, y: None, "is a return missing"),
    ],
)
def test_wrong_correlations_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def composed(recipe):
    outer = "first-order" if recipe.hypergradient == "single-level" else recipe.hypergradient
    words = {"hypergradient": outer, "perturbation": "adversarial", "selection": "perturbation"}
    return replace(recipe, name=f"{recipe.name}-adv+pt", **words)


def by_hand(recipe):
    found = composed(recipe)
    return Recipe(found.name, found.relaxation, found.hypergradient, "adversarial", found.memory, "perturbation")


@pytest.mark.parametrize("attempt", [composed, by_hand])
def test_right_compositions_pass_and_search(attempt):
    assert verdict(3, attempt)[0] == "right"
    for base in ("darts", "gdas", "snas", "drnas-progressive"):
        check_recipe(attempt(get(base)))


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda recipe: replace(composed(recipe), perturbation="random"), "should be adversarial"),
        (lambda recipe: replace(composed(recipe), selection="magnitude"), "should be perturbation"),
        (lambda recipe: replace(composed(recipe), hypergradient=recipe.hypergradient), "make it first-order"),
        (lambda recipe: replace(composed(recipe), hypergradient="second-order"), "is second-order: leave it"),
        (lambda recipe: replace(composed(recipe), relaxation="softmax"), "is softmax: leave it"),
        (lambda recipe: replace(composed(recipe), memory="all"), "is all: leave it"),
        (lambda recipe: replace(composed(recipe), name=recipe.name), "adding -adv+pt"),
        (lambda recipe: f"{recipe.name}-adv+pt", "Return a Recipe"),
        (lambda recipe: None, "is a return missing"),
    ],
)
def test_wrong_compositions_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence
