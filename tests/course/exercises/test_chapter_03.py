"""The checks of chapter 03: right solutions pass, typical wrong ones are told what is wrong."""

from __future__ import annotations

import math
from itertools import combinations, product

import pytest

from nasbook.course.exercises import NotAttempted, exercises_of, find_exercise, judge
from nasbook.widgets.weight_sharing import PathsState, compute, stored_scores


def right_shared(a, b):
    return sum(count for name, count in a.items() if name in b)


def right_tau(x, y):
    pairs = list(combinations(range(len(x)), 2))
    agree = sum((x[i] - x[j]) * (y[i] - y[j]) > 0 for i, j in pairs)
    return (2 * agree - len(pairs)) / len(pairs)


def right_break_even(training, supernet, scoring):
    if scoring >= training:
        return None
    return math.floor(supernet / (training - scoring)) + 1


def states(fits):
    scores = stored_scores()
    for a, b in product(range(len(scores.genotypes)), repeat=2):
        result = compute(scores, PathsState(a, b))
        apart, shared = result.apart[0] - result.apart[1], result.shared[0] - result.shared[1]
        if fits(apart, shared):
            yield str(PathsState(a, b))


def stub(*_args):
    raise NotAttempted


def names_only(a, b):
    return len(a.keys() & b.keys())


def by_size(a, b):
    return sum(count for count in a.values() if count in b.values())


def either(a, b):
    return sum({**a, **b}.values())


def of_one(a, b):
    return sum(a.values())


def silent(*_args):
    return None


def share_of_pairs(x, y):
    return (right_tau(x, y) + 1) / 2


def not_divided(x, y):
    return right_tau(x, y) * len(x) * (len(x) - 1) / 2


def with_itself(x, y):
    return right_tau(x, y) * (len(x) - 1) / len(x)


def always_one(x, y):
    return 1.0


def without_scoring(training, supernet, scoring):
    return math.floor(supernet / training) + 1


def both_cost_the_same(training, supernet, scoring):
    return None if scoring >= training else math.ceil(supernet / (training - scoring))


def one_too_many(training, supernet, scoring):
    right = right_break_even(training, supernet, scoring)
    return None if right is None else right + 1


def a_fraction(training, supernet, scoring):
    return supernet / (training - scoring)


def always_pays(training, supernet, scoring):
    return right_break_even(training, supernet, scoring) or 1


SOLUTIONS = {"03.1": right_shared, "03.2": right_tau, "03.3": right_break_even}
WRONG = [
    ("03.1", names_only, "You count names"),
    ("03.1", by_size, "compare names, not counts"),
    ("03.1", either, "what either path uses"),
    ("03.1", of_one, "not right"),
    ("03.1", silent, "return missing"),
    ("03.2", share_of_pairs, "the share of pairs that agree"),
    ("03.2", not_divided, "divide by the number of pairs"),
    ("03.2", with_itself, "compared with itself"),
    ("03.2", always_one, "off by up to"),
    ("03.2", silent, "return missing"),
    ("03.3", without_scoring, "still cheaper"),
    ("03.3", both_cost_the_same, "both cost the same"),
    ("03.3", one_too_many, "with fewer architectures already"),
    ("03.3", a_fraction, "must be a whole number"),
    ("03.3", always_pays, "never pays"),
    ("03.3", silent, "you return None"),
    ("03.4", 7, "Give the text"),
    ("03.4", "A=0", "A state reads like"),
    ("03.4", "A=3 B=3", "at least 5"),
    ("03.4", "A=0 B=900", "numbers 0 to 47"),
]


@pytest.mark.parametrize("exercise", SOLUTIONS)
def test_the_solution_is_right_and_the_stub_is_not_attempted(exercise: str) -> None:
    assert judge(find_exercise(exercise), SOLUTIONS[exercise])[0] == "right"
    assert judge(find_exercise(exercise), stub)[0] == "not attempted"


@pytest.mark.parametrize(("exercise", "attempt", "words"), WRONG, ids=lambda value: getattr(value, "__name__", None))
def test_typical_mistakes_are_named(exercise: str, attempt, words: str) -> None:
    verdict, sentence = judge(find_exercise(exercise), attempt)
    assert verdict == "wrong"
    assert words in sentence


def test_there_are_pairs_in_the_wrong_order_and_pairs_in_the_right_one() -> None:
    exercise = find_exercise("03.4")
    wrong = list(states(lambda apart, shared: abs(apart) >= 5 and apart * shared < 0))
    assert len(wrong) >= 4
    assert {judge(exercise, state)[0] for state in wrong} == {"right"}
    right = next(states(lambda apart, shared: abs(apart) >= 5 and apart * shared > 0))
    assert "in the right order" in judge(exercise, right)[1]
    assert judge(exercise, ...)[0] == "not attempted"


def test_every_exercise_is_listed_once() -> None:
    assert [exercise.id for exercise in exercises_of("03")] == ["03.1", "03.2", "03.3", "03.4"]
