"""The closed form against numerical minimisation and drawn numbers, its limits, and what it refuses."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from nasbook.analysis import skip_domination as skips
from nasbook.runtime.errors import UsageError

CASES = [(0.5, 0.67, 0.1), (0.02, 1.0, 0.0), (1.0, 0.1, -0.2), (2.0, 1.0, 1.2), (0.3, 0.9, 0.4)]
variances = st.floats(1e-3, 1e3)


@pytest.mark.parametrize(("skip", "conv", "covariance"), CASES)
def test_the_closed_form_is_where_the_error_is_smallest(skip, conv, covariance):
    found = minimize_scalar(
        lambda theta: skips.error_variance(theta, skip=skip, conv=conv, covariance=covariance), bracket=(-1.0, 2.0)
    )
    assert skips.best_weight(skip, conv, covariance=covariance) == pytest.approx(found.x, abs=1e-6)


@pytest.mark.parametrize(("skip", "conv", "covariance"), CASES)
def test_the_error_is_that_of_drawn_numbers(skip, conv, covariance):
    generator = np.random.default_rng(3)
    errors = generator.multivariate_normal([0, 0], [[skip, covariance], [covariance, conv]], size=200_000)
    target = generator.standard_normal(len(errors))
    x, o = (target + errors[:, column] for column in (0, 1))
    for theta in (0.0, 0.3, 1.0):
        measured = (theta * x + (1 - theta) * o - target).var()
        expected = skips.error_variance(theta, skip=skip, conv=conv, covariance=covariance)
        assert measured == pytest.approx(expected, rel=0.02)
    assert skips.least_squares(target, x, o) == pytest.approx(
        skips.best_weight(skip, conv, covariance=covariance), abs=0.01
    )


@given(skip=variances, conv=variances, correlation=st.floats(-1.0, 1.0))
def test_a_covariance_below_both_variances_gives_a_mixture(skip, conv, correlation):
    covariance = correlation * math.sqrt(skip * conv)
    if covariance >= (1 - 1e-6) * min(skip, conv):
        return
    theta = skips.best_weight(skip, conv, covariance=covariance)
    assert 0 < theta < 1
    assert theta + skips.best_weight(conv, skip, covariance=covariance) == pytest.approx(1)
    gap = skips.alpha_difference(skip, conv, covariance=covariance)
    assert 1 / (1 + math.exp(-gap)) == pytest.approx(theta)
    least = skips.error_variance(theta, skip=skip, conv=conv, covariance=covariance)
    assert least <= min(skip, conv) * (1 + 1e-9)


def test_the_weight_of_an_operation_grows_with_the_error_of_the_other():
    weights = [skips.best_weight(0.5, conv, covariance=0.1) for conv in (0.2, 0.5, 1.0, 10.0)]
    assert weights == sorted(weights)
    assert weights[1] == 0.5
    assert skips.best_weight(0.0, 0.3) == 1.0
    assert skips.best_weight(1e-9, 0.3) == pytest.approx(1.0)
    assert skips.best_weight(0.3, 0.0) == 0.0


def test_beyond_the_smaller_variance_the_better_operation_alone_is_best():
    assert skips.best_weight(0.2, 1.0, covariance=0.3) > 1
    assert skips.best_weight(0.2, 1.0, covariance=0.3, clip=True) == 1.0
    assert skips.best_weight(1.0, 0.2, covariance=0.3) < 0
    assert skips.best_weight(1.0, 0.2, covariance=0.3, clip=True) == 0.0
    for covariance in (0.2, 0.3):
        with pytest.raises(UsageError, match="not finite"):
            skips.alpha_difference(0.2, 1.0, covariance=covariance)


@pytest.mark.parametrize(
    ("skip", "conv", "covariance", "message"),
    [
        (-0.1, 1.0, 0.0, "not negative"),
        (1.0, math.inf, 0.0, "finite"),
        (math.nan, 1.0, 0.0, "finite"),
        (0.5, 0.5, 0.51, "Cauchy-Schwarz"),
        (0.5, 0.5, -0.51, "Cauchy-Schwarz"),
        (0.5, 0.5, math.nan, "Cauchy-Schwarz"),
        (0.5, 0.5, 0.5, "the same error"),
        (0.0, 0.0, 0.0, "the same error"),
    ],
)
def test_impossible_errors_are_refused(skip, conv, covariance, message):
    with pytest.raises(UsageError, match=message):
        skips.best_weight(skip, conv, covariance=covariance)


def test_the_sequence_over_depth():
    found = skips.demonstrate(samples=50_000)
    assert [round(each.theory, 2) for each in found] == [0.58, 0.69, 0.79, 0.87, 0.93, 0.96, 0.98]
    assert [each.depth for each in found] == [1, 2, 4, 8, 16, 32, 64]
    for each in found:
        assert each.skip == 1 / (each.depth + 1)
        assert each.conv == skips.CONV_VARIANCE
        assert each.fitted == pytest.approx(each.theory, abs=0.01)
        assert each.fitted != each.theory
    assert skips.demonstrate((10**9,))[0].theory == pytest.approx(1)


def test_other_settings_are_followed_and_seeds_matter():
    (one,), (other,) = (skips.demonstrate((3,), conv=0.1, shared=-0.5, samples=50_000, seed=seed) for seed in (0, 1))
    assert (one.skip, one.conv, one.covariance) == (0.25, 0.1, -0.125)
    assert one.fitted == pytest.approx(0.225 / 0.6, abs=0.01)
    assert one.fitted != other.fitted


def test_a_demonstration_that_cannot_be_drawn_is_refused():
    with pytest.raises(UsageError, match="0 or more"):
        skips.demonstrate((-1,))
    with pytest.raises(UsageError, match="Cauchy-Schwarz"):
        skips.demonstrate((0,), conv=0.1, shared=0.9)
    with pytest.raises(UsageError, match="2 samples"):
        skips.demonstrate(samples=1)
    with pytest.raises(UsageError, match="same numbers"):
        skips.least_squares(np.zeros(3), np.ones(3), np.ones(3))
