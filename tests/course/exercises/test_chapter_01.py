"""The checks of chapter 01: right solutions pass, typical wrong ones are told what is wrong."""

from __future__ import annotations

import pytest
import torch

from nasbook import strategies
from nasbook.course.exercises import NotAttempted, find_exercise, judge


def right_best_within(methods, gpu_days):
    fitting = [row for row in methods if row.gpu_days is not None and row.gpu_days <= gpu_days]
    return min(fitting, key=lambda row: row.error_percent).name if fitting else None


def lowest_of_all(methods, gpu_days):
    return min(methods, key=lambda row: row.error_percent).name


def free_if_unknown(methods, gpu_days):
    return min((row for row in methods if (row.gpu_days or 0) <= gpu_days), key=lambda row: row.error_percent).name


def the_dearest(methods, gpu_days):
    fitting = [row for row in methods if row.gpu_days is not None and row.gpu_days <= gpu_days]
    return max(fitting, key=lambda row: row.gpu_days).name if fitting else None


def the_row_itself(methods, gpu_days):
    name = right_best_within(methods, gpu_days)
    return next((row for row in methods if row.name == name), None)


def right_gradient(logits, action, advantage):
    onehot = torch.zeros_like(logits)
    onehot[action] = 1.0
    return advantage * (onehot - logits.softmax(0))


def turned(logits, action, advantage):
    return -right_gradient(logits, action, advantage)


def without_advantage(logits, action, advantage):
    return right_gradient(logits, action, 1.0)


def without_probabilities(logits, action, advantage):
    return advantage * torch.nn.functional.one_hot(torch.tensor(action), len(logits)).double()


def right_climbing(space, *, generator):
    current = space.sample(generator)
    best = yield current
    while True:
        child = strategies.mutate(space, current, generator=generator)
        score = yield child
        if score > best:
            current, best = child, score


def drifting(space, *, generator):
    current = space.sample(generator)
    while True:
        yield current
        current = strategies.mutate(space, current, generator=generator)


def downhill(space, *, generator):
    current = space.sample(generator)
    best = yield current
    while True:
        child = strategies.mutate(space, current, generator=generator)
        score = yield child
        if score < best:
            current, best = child, score


def short(space, *, generator):
    yield space.sample(generator)


def not_a_generator(space, *, generator):
    return space.sample(generator)


def stub(*_args, **_settings):
    raise NotAttempted


SOLUTIONS = {"01.1": right_best_within, "01.2": right_gradient, "01.3": right_climbing}
WRONG = [
    ("01.1", lowest_of_all, "gives no cost|does not fit|No search fits"),
    ("01.1", free_if_unknown, "gives no cost|No search fits"),
    ("01.1", the_dearest, "lower error"),
    ("01.1", the_row_itself, "must be the name of a method"),
    ("01.2", turned, "sign is turned"),
    ("01.2", without_advantage, "advantage is missing"),
    ("01.2", without_probabilities, "is off by up to"),
    ("01.3", drifting, "one mutation away from the best"),
    ("01.3", downhill, "one mutation away from the best"),
    ("01.3", strategies.random_search, "one mutation away from the best"),
    ("01.3", short, "ended after 1 proposals"),
    ("01.3", not_a_generator, "must be a generator"),
]


@pytest.mark.parametrize("exercise", SOLUTIONS)
def test_the_solution_is_right_and_the_stub_is_not_attempted(exercise: str) -> None:
    assert judge(find_exercise(exercise), SOLUTIONS[exercise])[0] == "right"
    assert judge(find_exercise(exercise), stub)[0] == "not attempted"


@pytest.mark.parametrize(("exercise", "attempt", "words"), WRONG, ids=lambda value: getattr(value, "__name__", None))
def test_typical_mistakes_are_named(exercise: str, attempt, words: str) -> None:
    verdict, sentence = judge(find_exercise(exercise), attempt)
    assert verdict == "wrong"
    assert any(part in sentence for part in words.split("|")), sentence
