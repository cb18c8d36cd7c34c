"""The checks of chapter 12: right answers pass, typical wrong ones are told what is wrong."""

import math

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


@pytest.mark.parametrize("attempt", [fits, by_counting])
def test_right_counts_pass(attempt):
    assert verdict(1, attempt)[0] == "right"


def rounded_up(first, second, budget):
    base, slope = line(first, second)
    return math.ceil((budget - base) / slope)


def without_floor(first, second, budget):
    base, slope = line(first, second)
    return math.floor((budget - base) / slope)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda first, second, budget: math.floor(budget * first[0] / first[1]), "in proportion"),
        (rounded_up, "Round down"),
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
    return edge(images.flip(1), operations, theta, parts)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (stacked, "shuffle is missing"),
        (other_stacks, "stacks of C / parts"),
        (bypass_first, "bypass first"),
        (lambda images, operations, theta, parts: mix(images, operations, theta), "All channels"),
        (last_channels, "is off by"),
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
        (among_all, "let the pair sum to 1"),
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
