"""The checks of chapter 12: right answers pass, typical wrong ones are told what is wrong."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from nasbook.course.exercises import find_exercise, judge


def verdict(number, attempt):
    return judge(find_exercise(f"12.{number}"), attempt)


def line(first, second):
    slope = (second[1] - first[1]) / (second[0] - first[0])
    return first[1] - slope * first[0], slope


def fits(first, second, budget):
    base, slope = line(first, second)
    return max(0, math.floor((budget - base) / slope))


def by_counting(first, second, budget):
    base, slope = line(first, second)
    count = 0
    while base + slope * (count + 1) <= budget:
        count += 1
    return float(count)


def by_numpy(first, second, budget):
    return np.int64(fits(first, second, budget))


@pytest.mark.parametrize("attempt", [fits, by_counting, by_numpy])
def test_right_counts_pass(attempt):
    assert verdict(1, attempt)[0] == "right"


def rounded_up(first, second, budget):
    base, slope = line(first, second)
    return math.ceil((budget - base) / slope)


def to_the_nearest(first, second, budget):
    base, slope = line(first, second)
    return max(0, round((budget - base) / slope))


def without_floor(first, second, budget):
    base, slope = line(first, second)
    return math.floor((budget - base) / slope)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda first, second, budget: math.floor(budget * first[0] / first[1]), "in proportion"),
        (rounded_up, "Round down"),
        (to_the_nearest, "Round down"),
        (without_floor, "return 0"),
        (lambda first, second, budget: (budget - line(first, second)[0]) / line(first, second)[1], "whole number"),
        (lambda first, second, budget: 5, "is not 5"),
        (lambda first, second, budget: None, "is a return missing"),
    ],
)
def test_wrong_counts_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def mix(images, operations, theta):
    return sum(weight * run(images) for weight, run in zip(theta, operations, strict=True))


def stacked(images, operations, theta, parts):
    width = images.shape[1] // parts
    return torch.cat([mix(images[:, :width], operations, theta), images[:, width:]], dim=1)


def edge(images, operations, theta, parts):
    return F.channel_shuffle(stacked(images, operations, theta, parts), parts)


def by_indices(images, operations, theta, parts):
    width = images.shape[1] // parts
    order = [stack * width + place for place in range(width) for stack in range(parts)]
    return stacked(images, operations, theta, parts)[:, order]


@pytest.mark.parametrize("attempt", [edge, by_indices])
def test_right_edges_pass(attempt):
    assert verdict(2, attempt)[0] == "right"


def other_stacks(images, operations, theta, parts):
    return F.channel_shuffle(stacked(images, operations, theta, parts), images.shape[1] // parts)


def bypass_first(images, operations, theta, parts):
    width = images.shape[1] // parts
    both = torch.cat([images[:, width:], mix(images[:, :width], operations, theta)], dim=1)
    return F.channel_shuffle(both, parts)


def last_channels(images, operations, theta, parts):
    width = images.shape[1] // parts
    both = torch.cat([mix(images[:, -width:], operations, theta), images[:, :-width]], dim=1)
    return F.channel_shuffle(both, parts)


def last_channels_in_place(images, operations, theta, parts):
    width = images.shape[1] // parts
    both = torch.cat([images[:, :-width], mix(images[:, -width:], operations, theta)], dim=1)
    return F.channel_shuffle(both, parts)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (stacked, "shuffle is missing"),
        (other_stacks, "stacks of C / parts"),
        (bypass_first, "bypass first"),
        (lambda images, operations, theta, parts: mix(images, operations, theta), "All channels"),
        (last_channels, "the last C / parts channels"),
        (last_channels_in_place, "the last C / parts channels"),
        (lambda *arguments: 2 * edge(*arguments), "is off by"),
        (lambda *arguments: edge(*arguments).float(), "Your result is float32, the inputs are float64"),
        (lambda images, operations, theta, parts: images[:, : images.shape[1] // parts], "should have shape"),
        (lambda *arguments: None, "is a return missing"),
    ],
)
def test_wrong_edges_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def pair_gradient(alpha, pair, gates):
    p = torch.softmax(alpha[list(pair)], 0)
    gradient = torch.zeros_like(alpha)
    gradient[pair[0]] = p[0] * p[1] * (gates[0] - gates[1])
    gradient[pair[1]] = -gradient[pair[0]]
    return gradient


def by_the_sum(alpha, pair, gates):
    """Equation (12.4) term by term."""
    p = torch.softmax(alpha[list(pair)], 0)
    gradient = torch.zeros_like(alpha)
    for i in range(2):
        gradient[pair[i]] = sum(gates[j] * p[j] * (int(i == j) - p[i]) for j in range(2))
    return gradient


@pytest.mark.parametrize("attempt", [pair_gradient, by_the_sum])
def test_right_gradients_pass(attempt):
    assert verdict(3, attempt)[0] == "right"


def among_all(alpha, pair, gates):
    p = torch.softmax(alpha, 0)[list(pair)]
    gradient = torch.zeros_like(alpha)
    gradient[list(pair)] = p * (gates - (p * gates).sum())
    return gradient


def product_among_all(alpha, pair, gates):
    p = torch.softmax(alpha, 0)
    gradient = torch.zeros_like(alpha)
    gradient[pair[0]] = p[pair[0]] * p[pair[1]] * (gates[0] - gates[1])
    gradient[pair[1]] = -gradient[pair[0]]
    return gradient


def in_order(alpha, pair, gates):
    return pair_gradient(alpha, sorted(pair), gates)


def one_gate(alpha, pair, gates):
    p = torch.softmax(alpha[list(pair)], 0)
    gradient = torch.zeros_like(alpha)
    gradient[list(pair)] = p * (1 - p) * gates
    return gradient


def others_pay(alpha, pair, gates):
    gradient = pair_gradient(alpha, pair, gates)
    return gradient - gradient.abs().mean()


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (among_all, "from the softmax of all operations"),
        (product_among_all, "from the softmax of all operations"),
        (in_order, "the pair's order was changed"),
        (lambda alpha, pair, gates: pair_gradient(alpha, pair, gates).float(), "Your result is float32"),
        (one_gate, "other gate's gradient"),
        (others_pay, "not drawn has gradient 0"),
        (lambda alpha, pair, gates: -pair_gradient(alpha, pair, gates), "sign is turned"),
        (lambda alpha, pair, gates: 2 * pair_gradient(alpha, pair, gates), "is off by"),
        (lambda alpha, pair, gates: gates, "one number for each"),
        (lambda alpha, pair, gates: None, "is a return missing"),
    ],
)
def test_wrong_gradients_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence
