"""The checks of chapter 09: right answers pass, typical wrong ones are told what is wrong."""

import math

import numpy as np
import pytest
import torch

from nasbook.analysis import skip_domination
from nasbook.course.exercises import find_exercise, judge


def verdict(number, attempt):
    return judge(find_exercise(f"09.{number}"), attempt)


def moments(target, skip, conv):
    first, second = skip - target, conv - target
    return (first**2).mean(), (second**2).mean(), (first * second).mean()


def from_moments(target, skip, conv):
    first, second, shared = moments(target, skip, conv)
    return (second - shared) / (first + second - 2 * shared)


def by_the_package(target, skip, conv):
    return skip_domination.least_squares(target.numpy(), skip.numpy(), conv.numpy())


def by_numpy(target, skip, conv):
    """Covariances that divide by n - 1."""
    (first, shared), (_, second) = np.cov(skip - target, conv - target)
    return float((second - shared) / (first + second - 2 * shared))


@pytest.mark.parametrize("attempt", [from_moments, by_the_package, by_numpy])
def test_right_weights_pass(attempt):
    assert verdict(1, attempt)[0] == "right"


def without_covariance(target, skip, conv):
    first, second, _ = moments(target, skip, conv)
    return second / (first + second)


def own_error(target, skip, conv):
    return 1 - without_covariance(target, skip, conv)


def of_the_estimates(target, skip, conv):
    """Of the estimates themselves instead of their errors."""
    return from_moments(torch.zeros_like(target), skip, conv)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda target, skip, conv: 1 - from_moments(target, skip, conv), "weight of the convolution"),
        (of_the_estimates, "is off by"),
        (lambda target, skip, conv: 0.5, "is off by"),
        (lambda target, skip, conv: skip - conv, "should have shape"),
        (lambda target, skip, conv: None, "is a return missing"),
    ],
)
def test_wrong_weights_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def test_a_missing_covariance_and_the_wrong_error_are_named():
    assert "leaves out the covariance" in verdict(1, without_covariance)[1]
    assert "whose error" in verdict(1, own_error)[1]


def free(signal, skip, conv, covariance):
    below = signal * (skip + conv - 2 * covariance) + skip * conv - covariance**2
    return signal * (conv - covariance) / below, signal * (skip - covariance) / below


def test_free_weights_pass_and_keep_the_ratio():
    assert verdict(2, free)[0] == "right"
    assert verdict(2, lambda *numbers: torch.tensor(free(*numbers)).double().tolist())[0] == "right"
    first, second = free(2.0, 0.25, 1.0, 0.1)
    theta = skip_domination.best_weight(0.25, 1.0, covariance=0.1)
    assert first / second == pytest.approx(theta / (1 - theta))


def summing_to_one(signal, skip, conv, covariance):
    theta = skip_domination.best_weight(skip, conv, covariance=covariance)
    return theta, 1 - theta


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (summing_to_one, "sum to one"),
        (lambda signal, skip, conv, covariance: free(signal, conv, skip, covariance)[:1], "Return two numbers"),
        (lambda *numbers: free(*numbers)[0], "Return two numbers"),
        (lambda *numbers: free(numbers[0], numbers[1], numbers[2], 0.0), "is off by"),
        (lambda *numbers: tuple(1.1 * each for each in free(*numbers)), "is off by"),
    ],
)
def test_wrong_free_weights_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def test_swapped_free_weights_are_named():
    """The first numbers treat both branches alike: only the second can tell."""
    assert "wrong order" in verdict(2, lambda *numbers: free(*numbers)[::-1])[1]


def sigmoids(alpha):
    return {name: torch.sigmoid(values - math.log(values.shape[1] - 1)) for name, values in alpha.items()}


def in_place(alpha):
    return {name: values.sub_(math.log(values.shape[1] - 1)).sigmoid_() for name, values in alpha.items()}


def arctangents(alpha):
    """Another curve with the same properties."""
    shift = {name: math.tan(math.pi * (1 / values.shape[1] - 0.5)) for name, values in alpha.items()}
    return {name: 0.5 + torch.atan(values + shift[name]) / math.pi for name, values in alpha.items()}


@pytest.mark.parametrize("attempt", [sigmoids, arctangents])
def test_mixtures_without_competition_pass(attempt):
    assert verdict(3, attempt)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda alpha: {name: values.softmax(-1) for name, values in alpha.items()}, "still share"),
        # right with two operations on an edge, and with two only
        (lambda alpha: {name: values.sigmoid() for name, values in alpha.items()}, "With all alphas 0"),
        (lambda alpha: {name: 1 - values for name, values in sigmoids(alpha).items()}, "grow with its own alpha"),
        (
            lambda alpha: sigmoids({name: -values for name, values in alpha.items()}),
            "grow with its own alpha",
        ),
        (lambda alpha: {name: 1 / values.shape[1] + values for name, values in alpha.items()}, "between 0 and 1"),
        (lambda alpha: {name: values.detach() for name, values in sigmoids(alpha).items()}, "No gradient"),
        (in_place, "changes the alphas"),
        (lambda alpha: sigmoids(alpha)["normal"], "Return a dictionary"),
        (lambda alpha: {"normal": sigmoids(alpha)["normal"]}, "groups should be"),
        (lambda alpha: {name: values[0] for name, values in sigmoids(alpha).items()}, "should have shape"),
    ],
)
def test_other_mixtures_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence
