"""The checks of chapter 13: right answers pass, typical wrong ones are told what is wrong."""

from itertools import product

import pytest
import torch

from nasbook.course.exercises import find_exercise, judge
from nasbook.course.exercises.chapter_13 import ascend


def verdict(number, attempt):
    return judge(find_exercise(f"13.{number}"), attempt)


def top(matrix):
    return torch.linalg.eigvalsh(matrix)[-1]


def test_the_trace_passes():
    assert verdict(1, lambda matrix, r: r**2 / 6 * matrix.trace())[0] == "right"
    assert verdict(1, lambda matrix, r: float(r * r * torch.linalg.eigvalsh(matrix).sum() / 6))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda matrix, r: r**2 / 2 * matrix.trace(), "as the variance of a coordinate"),
        (lambda matrix, r: r**2 / 3 * matrix.trace(), "half of Taylor's formula"),
        (lambda matrix, r: r / 6 * matrix.trace(), "square of the radius"),
        (lambda matrix, r: r**2 / 6 * matrix.sum(), "independent"),
        (lambda matrix, r: r**2 / 2 * top(matrix), "worst case in a ball"),
        (lambda matrix, r: r**2 / 6 * top(matrix), "The expected rise is off"),
        (lambda matrix, r: "r", "should be a number"),
    ],
)
def test_wrong_traces_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def back(weights, moved):
    cut = moved.clamp(0, 1)
    largest = torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(cut)
    cut = torch.where(cut.sum(-1, keepdim=True) > 0, cut, largest)
    return cut * weights.sum(-1, keepdim=True) / cut.sum(-1, keepdim=True)


def cut_and_scale(weights, moved):
    cut = moved.clamp(0, 1)
    return cut / cut.sum(-1, keepdim=True)


def without_largest(weights, moved):
    return cut_and_scale(weights, moved) * weights.sum(-1, keepdim=True)


def test_bringing_back_passes():
    assert verdict(2, back)[0] == "right"
    assert verdict(2, lambda weights, moved: back(weights, moved.clamp(min=0).clamp(max=1)))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (without_largest, "cannot be scaled"),
        (cut_and_scale, "need not be one"),
        (lambda weights, moved: moved.softmax(-1), "No second softmax"),
        (lambda weights, moved: moved.clamp(0, 1), "no longer have the sum"),
        (lambda weights, moved: moved.clamp(0, 1) / moved.clamp(0, 1).sum(), "row by row"),
        (lambda weights, moved: moved / moved.sum(-1, keepdim=True), "cut first, then scale"),
        (lambda weights, moved: (moved / moved.sum(-1, keepdim=True)).clamp(0, 1), "scale and then cut"),
        (lambda weights, moved: weights, "brought back is off"),
        (lambda weights, moved: torch.nan_to_num(without_largest(weights, moved)), "cut to zero everywhere is off"),
        (lambda weights, moved: moved[0], "Return a tensor of shape"),
        (lambda weights, moved: moved.tolist(), "Return a tensor of shape"),
    ],
)
def test_wrong_projections_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def climb(loss, weights, start, radius, steps, bring_back):
    moved = start
    for _ in range(steps):
        moved = moved.detach().requires_grad_()
        loss(moved).backward()
        moved = moved.detach() + 2 * radius / steps * moved.grad.sign()
        moved = bring_back(weights, torch.clamp(moved, weights - radius, weights + radius))
    return moved


def wrong(**mistake):
    return lambda loss, weights, start, radius, steps, bring_back: ascend(
        loss, weights, start, radius, steps, **{key: value(radius, steps) for key, value in mistake.items()}
    )


def test_the_ascent_passes():
    assert verdict(3, climb)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (wrong(sign=lambda radius, steps: -1.0), "downhill"),
        (wrong(length=lambda radius, steps: radius / steps), "twice the radius"),
        (wrong(length=lambda radius, steps: radius), "twice the radius"),
        (wrong(raw=lambda radius, steps: True), "only the sign counts"),
        (wrong(boxed=lambda radius, steps: "nothing"), "leaves the box"),
        (wrong(boxed=lambda radius, steps: "start"), "not around where the walk begins"),
        (wrong(back=lambda radius, steps: False), "call bring_back"),
        (lambda loss, weights, start, *rest: start, "The end of the ascent is off"),
        (lambda loss, weights, start, *rest: loss(start), "Return a tensor of shape"),
    ],
)
def test_wrong_ascents_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence


def worst(matrix, radius):
    corners = [torch.tensor(each, dtype=matrix.dtype) for each in product((-radius, radius), repeat=len(matrix))]
    return max(corner @ matrix @ corner for corner in corners) / 2


def test_the_worst_corner_passes():
    assert verdict(4, worst)[0] == "right"
    assert verdict(4, lambda matrix, radius: float(worst(matrix, radius)))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda matrix, r: r**2 / 2 * top(matrix), "worst case in a ball"),
        (lambda matrix, r: r**2 / 2 * len(matrix) * top(matrix), "a bound"),
        (lambda matrix, r: 2 * worst(matrix, r), "half of Taylor's formula"),
        (lambda matrix, r: r**2 / 2 * matrix.sum(), "one corner"),
        (lambda matrix, r: r**2 / 6 * matrix.trace(), "The worst rise in the box is off"),
    ],
)
def test_wrong_corners_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(4, attempt)
    assert kind == "wrong"
    assert says in sentence


def test_the_sum_of_all_entries_is_no_corner():
    """Where signs cannot suit every pair at once."""
    kind, sentence = verdict(4, lambda matrix, r: r**2 / 2 * matrix.abs().sum())
    assert kind == "wrong"
    assert "one sign for each coordinate" in sentence
