"""The exercises of chapter 03, weight sharing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect, expect_close

POINTS = 5.0  # by how much training apart must tell the two paths of exercise 03.4

Parameters = Mapping[str, int]


def check_shared_parameters(attempt: Callable[[Parameters, Parameters], int]) -> None:
    """(name to count of path A, of path B) -> how many numbers both use."""
    stem = {"stem.weight": 216, "classifier.weight": 640}
    pairs: tuple[tuple[Parameters, Parameters], ...] = (
        ({**stem, "edge.0.conv": 72, "edge.1.conv": 64}, {**stem, "edge.1.conv": 64, "edge.2.conv": 9}),
        ({**stem, "edge.0.conv": 72}, {**stem, "edge.1.conv": 72}),
        ({"edge.0.conv": 5}, {"edge.1.conv": 5}),
        (stem, stem),
    )
    for a, b in pairs:
        got = attempt(a, b)
        right = sum(a[name] for name in a.keys() & b.keys())
        expect(got is not None, "You return nothing (is a return missing?).")
        if got == right:
            continue
        expect(got != len(a.keys() & b.keys()), "You count names; each name stands for as many numbers as its value.")
        equal = sum(count for count in a.values() if count in b.values())
        expect(got != equal, "Two tensors of the same size are not the same tensor: compare names, not counts.")
        expect(got != sum({**a, **b}.values()), "You count what either path uses; asked is what both use.")
        raise WrongAnswer("The number of shared parameters is not right.")


def check_kendall(attempt: Callable[[Sequence[float], Sequence[float]], float]) -> None:
    """(x, y), equally long and without ties -> Kendall's tau."""
    lists = (
        ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]),
        ([1.0, 2.0, 3.0, 4.0], [9.0, 7.0, 5.0, 1.0]),
        ([3.0, 1.0, 4.0, 1.5, 9.0], [2.0, 7.0, 1.0, 8.0, 2.5]),
        ([0.2, 0.1], [5.0, 4.0]),
    )
    for x, y in lists:
        signs = [math.copysign(1, (x[i] - x[j]) * (y[i] - y[j])) for i, j in combinations(range(len(x)), 2)]
        right, agreeing = sum(signs) / len(signs), signs.count(1.0)
        got = attempt(list(x), list(y))
        if isinstance(got, int | float) and not math.isclose(got, right, abs_tol=1e-9):
            expect(
                not math.isclose(got, agreeing / len(signs), abs_tol=1e-9) or agreeing == len(signs),
                "You give the share of pairs that agree; pairs that disagree count as minus one.",
            )
            expect(not math.isclose(got, sum(signs)), "You do not divide by the number of pairs.")
            expect(
                not math.isclose(got, 2 * sum(signs) / len(x) ** 2),
                "There are n(n-1)/2 pairs: no architecture is compared with itself.",
            )
        expect_close(got, right, "Kendall's tau")


def check_break_even(attempt: Callable[[float, float, float], int | None]) -> None:
    """(seconds of a training, of a supernet, of a score) -> architectures from which the supernet is cheaper."""
    for training, supernet, scoring in ((6.0, 60.0, 0.1), (6.0, 60.0, 1.0), (10.0, 5.0, 0.0), (4.0, 32.0, 0.0)):
        got = attempt(training, supernet, scoring)
        right = math.floor(supernet / (training - scoring)) + 1
        where = f"for trainings of {training:g} s, a supernet of {supernet:g} s and scores of {scoring:g} s"
        expect(got is not None, f"{where.capitalize()} you return None, although the supernet pays at some number.")
        expect(isinstance(got, int), f"The result {where} must be a whole number of architectures.")
        if got == right:
            continue
        assert isinstance(got, int)
        same = math.isclose(got * training, supernet + got * scoring)
        expect(not same, f"With {got} architectures {where} both cost the same; asked is when the supernet is cheaper.")
        expect(
            got * training > supernet + got * scoring,
            f"With {got} architectures {where} the trainings are still cheaper. Is the scoring counted?",
        )
        raise WrongAnswer(f"The supernet is cheaper with fewer architectures already {where}.")
    for training, scoring in ((1.0, 1.0), (1.0, 2.0)):
        got = attempt(training, 30.0, scoring)
        expect(got is None, "Where a score costs as much as a training, the supernet never pays: return None.")


def check_wrong_order(attempt: Any) -> None:
    """A state of the widget whose two paths the shared weights put in the wrong order, clearly."""
    from nasbook.widgets.weight_sharing import PathsState, compute, stored_scores

    expect(isinstance(attempt, str), "Give the text that paths.state() returns.")
    result = compute(stored_scores(), PathsState.parse(attempt))
    apart, shared = result.apart[0] - result.apart[1], result.shared[0] - result.shared[1]
    expect(
        abs(apart) >= POINTS,
        f"Trained apart, the two differ by {abs(apart):.1f} points; look for a pair that differs by at least "
        f"{POINTS:g}, so that noise is an unlikely excuse.",
    )
    expect(apart * shared < 0, "The shared weights put these two in the right order.")


EXERCISES = (
    Exercise("03.1", "count shared parameters", "easy", 5, check_shared_parameters, "the section Two paths"),
    Exercise("03.2", "Kendall's tau by hand", "medium", 10, check_kendall, "equation (3.2)"),
    Exercise("03.3", "when a supernet pays", "medium", 10, check_break_even, "the section What it saves"),
    Exercise("03.4", "a pair in the wrong order", "easy", 10, check_wrong_order, "the section Two paths to play with"),
)
