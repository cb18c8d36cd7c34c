from __future__ import annotations

import sys
import types

import pytest
import torch

from nasbook.course.book import load_book
from nasbook.course.exercises import (
    Exercise,
    NotAttempted,
    WrongAnswer,
    exercises_of,
    expect,
    expect_close,
    find_exercise,
    judge,
)
from nasbook.runtime.errors import UsageError


def check_double(double: object) -> None:
    assert callable(double)
    expect_close(double(3.0), 6.0, "double(3)")


DOUBLE = Exercise("42.1", "double a number", "easy", 3, check_double, "equation (42.1)")


def stub(x: float) -> float:
    raise NotAttempted


@pytest.mark.parametrize(
    ("attempt", "verdict", "said"),
    [
        (lambda x: 2 * x, "right", "Exercise 42.1: right."),
        (stub, "not attempted", "not attempted yet (easy, about 3 minutes)"),
        (..., "not attempted", "not attempted yet"),
        (None, "not attempted", "not attempted yet"),
        (lambda x: x, "wrong", "double(3) is off by up to 3 on the inputs of the check. Read equation (42.1) again."),
        (lambda x: None, "wrong", "not None (is a return missing?)"),
        (lambda x: torch.zeros(2), "wrong", "should have shape (), yours has (2,)"),
        (lambda x: 1 // 0, "wrong", "your code raised ZeroDivisionError"),
        (lambda: 1, "wrong", "your code raised TypeError"),
    ],
)
def test_an_attempt_is_judged(attempt: object, verdict: str, said: str) -> None:
    got, sentence = judge(DOUBLE, attempt)
    assert got == verdict
    assert said in sentence


def test_a_wrong_number_does_not_give_the_right_one_away() -> None:
    _, sentence = judge(DOUBLE, lambda x: 1000.0)
    assert "6" not in sentence


def test_expectations() -> None:
    expect(torch.tensor(True), "never")
    with pytest.raises(WrongAnswer, match="said so"):
        expect(False, "said so")
    expect_close(torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([1.0, 2.0 + 1e-8]), "x")
    with pytest.raises(WrongAnswer, match="not bool"):
        expect_close(True, 1.0, "x")
    with pytest.raises(WrongAnswer, match="off by"):
        expect_close(float("nan"), 1.0, "x")


def test_levels_and_minutes_are_checked() -> None:
    with pytest.raises(UsageError, match="must be one of easy, medium, hard"):
        Exercise("42.1", "t", "trivial", 3, check_double, "r")
    with pytest.raises(UsageError, match="at least 1"):
        Exercise("42.1", "t", "easy", 0, check_double, "r")


def test_exercises_are_found_by_the_number_of_their_chapter(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("nasbook.course.exercises.chapter_42")
    module.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    module.EXERCISES = (DOUBLE,)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert find_exercise("42.1") is DOUBLE
    assert exercises_of("98") == ()
    with pytest.raises(UsageError, match=r"no exercise '42.2'; chapter 42 has 42\.1"):
        find_exercise("42.2")
    module.EXERCISES = (DOUBLE, DOUBLE)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"42\.1, 42\.2 in this order"):
        exercises_of("42")


@pytest.mark.parametrize("number", ["4", "../..", "os.path", "٠٤"])
def test_a_chapter_number_is_two_digits(number: str) -> None:
    with pytest.raises(UsageError, match="two digits"):
        exercises_of(number)


@pytest.mark.parametrize("chapter", tuple(load_book()), ids=lambda chapter: chapter.name)
def test_no_exercise_of_the_book_accepts_nonsense(chapter: object) -> None:
    for exercise in exercises_of(chapter.number):  # type: ignore[attr-defined]
        for nonsense in (lambda *inputs: None, lambda *inputs: -12345.678, -12345.678, "nonsense"):
            assert judge(exercise, nonsense)[0] != "right", exercise.id
