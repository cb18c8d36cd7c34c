"""Rank correlations against pairs counted by hand and formulas, and what the bootstrap must obey."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as given_by

from nasbook.analysis import ranks
from nasbook.runtime.errors import UsageError

scores = given_by.lists(given_by.integers(0, 50), min_size=3, max_size=12, unique=True)


def counted(x, y):
    """Kendall's tau without ties, by its definition."""
    signs = [(x[i] - x[j]) * (y[i] - y[j]) for i, j in combinations(range(len(x)), 2)]
    return sum(math.copysign(1, sign) for sign in signs) / len(signs)


@settings(max_examples=50, deadline=None)
@given(scores, given_by.randoms())
def test_kendall_and_spearman_follow_their_definitions_where_there_are_no_ties(x, random):
    y = random.sample(range(100), len(x))
    assert ranks.kendall(x, y, resamples=0).value == pytest.approx(counted(x, y))
    places = [np.argsort(np.argsort(values)) for values in (x, y)]
    squares = int(((places[0] - places[1]) ** 2).sum())
    n = len(x)
    assert ranks.spearman(x, y, resamples=0).value == pytest.approx(1 - 6 * squares / (n * (n * n - 1)))


def test_ties_count_for_neither_order():
    # Pairs: (1, 2) tied in x; the five others agree. tau-b divides by sqrt((6 - 1) * 6).
    assert ranks.kendall([1, 1, 2, 3], [1, 2, 3, 4], resamples=0).value == pytest.approx(5 / math.sqrt(30))


@pytest.mark.parametrize("measure", [ranks.kendall, ranks.spearman])
def test_only_the_order_matters_and_turning_one_turns_the_sign(measure):
    x, y = np.random.default_rng(0).normal(size=(2, 20))
    value = measure(x, y, resamples=0).value
    assert measure(np.exp(x), 3 * y + 1, resamples=0).value == pytest.approx(value)
    assert measure(x, -y, resamples=0).value == pytest.approx(-value)
    assert measure(x, x, resamples=0).value == pytest.approx(1)


@pytest.mark.parametrize("measure", [ranks.kendall, ranks.spearman])
def test_the_interval_holds_the_value_narrows_with_architectures_and_is_reproducible(measure):
    generator = np.random.default_rng(1)
    widths = []
    for count in (15, 150):
        x = generator.normal(size=count)
        found = measure(x, x + generator.normal(size=count), resamples=200)
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2
    assert measure(x, x**3 + 1, seed=3) == measure(x, x**3 + 1, seed=3)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Of scores with correlation r, tau is 2/pi arcsin r for normal numbers."""
    generator, covered = np.random.default_rng(2), 0
    truth = 2 / math.pi * math.asin(0.6)
    for trial in range(60):
        x, noise = generator.normal(size=(2, 40))
        found = ranks.kendall(x, 0.6 * x + 0.8 * noise, resamples=100, seed=trial)
        covered += found.low <= truth <= found.high
    assert covered >= 50


def test_a_constant_score_has_no_order():
    found = ranks.spearman([1, 1, 1], [1, 2, 3])
    assert math.isnan(found.value)
    assert math.isnan(ranks.kendall([1, 1, 1], [1, 2, 3]).value)


def test_overlap_of_tops():
    x, y = [5, 4, 3, 2, 1], [1, 5, 4, 3, 2]
    assert [ranks.top_overlap(x, y, k) for k in (1, 2, 3, 5)] == pytest.approx([0, 1 / 2, 2 / 3, 1])
    assert ranks.top_overlap([1, 1, 1], [3, 2, 1], 1) == 1  # of equal scores the earlier


def test_reliability_and_ceiling_find_what_noise_leaves():
    generator = np.random.default_rng(3)
    truth, one, two, three, four = generator.normal(size=(5, 4000))
    first, second = truth + one, truth + two
    mean, other = (first + second) / 2, truth + (three + four) / 2
    assert ranks.reliability(first, second) == pytest.approx(ranks.spearman(mean, other, resamples=0).value, abs=0.03)
    assert ranks.ceiling(first, second) == pytest.approx(ranks.spearman(truth, mean, resamples=0).value, abs=0.03)
    assert ranks.reliability([1, 2, 3], [3, 2, 1]) == 0


@pytest.mark.parametrize(("x", "y"), [([1], [1]), ([1, 2], [1, 2, 3]), ([[1, 2]], [[1, 2]]), ([1, math.nan], [1, 2])])
def test_what_has_no_ranks_is_refused(x, y):
    for measure in (ranks.kendall, ranks.spearman, ranks.ceiling, lambda x, y: ranks.top_overlap(x, y, 1)):
        with pytest.raises(UsageError):
            measure(x, y)


@pytest.mark.parametrize("k", [0, 4])
def test_a_top_is_of_at_least_one_and_at_most_all(k):
    with pytest.raises(UsageError, match="from 1 to 3"):
        ranks.top_overlap([1, 2, 3], [1, 2, 3], k)


def test_an_agreement_prints_with_its_interval():
    assert str(ranks.Agreement(0.456, 0.3, 0.6)) == "0.46 (0.30 to 0.60)"
