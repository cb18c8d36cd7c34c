"""One exercise, and the verdict on an attempt at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from nasbook.runtime.errors import UsageError

LEVELS = ("easy", "medium", "hard")


class NotAttempted(Exception):
    """Raised by the stub of an exercise until the reader replaces it."""


class WrongAnswer(Exception):
    """Raised by a check: says what was expected and what to read again, and does not give the answer away."""


@dataclass(frozen=True)
class Exercise:
    """A task of a chapter.

    Args:
        id: chapter and place in it, like "04.1".
        title: what it asks for, in a few words.
        level: "easy", "medium" or "hard".
        minutes: how long a prepared reader takes.
        check: is handed the reader's function or value; returns when it is right, raises `WrongAnswer` when not.
        reread: where the chapter explains what the exercise needs, like "equation (4.2)".
    """

    id: str
    title: str
    level: str
    minutes: int
    check: Callable[[Any], None]
    reread: str

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise UsageError(f"Exercise {self.id} has level {self.level!r}; it must be one of {', '.join(LEVELS)}.")
        if self.minutes < 1:
            raise UsageError(f"Exercise {self.id} has {self.minutes} minutes; it must be at least 1.")


def expect(condition: bool | torch.Tensor, message: str) -> None:
    """Fail the attempt with `message` unless the condition holds.

    Raises:
        WrongAnswer: the condition does not hold.
    """
    if not bool(condition):
        raise WrongAnswer(message)


def expect_close(got: Any, expected: torch.Tensor | float, what: str, *, tolerance: float = 1e-6) -> None:
    """Fail the attempt unless `got` has the shape and, within `tolerance` (relative and absolute), the values expected.

    Args:
        got: the reader's number or tensor.
        expected: the right one; never shown.
        what: names the quantity in the message, like "the mixed output".
        tolerance: allowed difference.

    Raises:
        WrongAnswer: no number, another shape, or other values; says by how much, not which.
    """
    if isinstance(got, bool) or not isinstance(got, int | float | torch.Tensor):
        raise WrongAnswer(f"{what} should be a number or a tensor, not {_kind(got)}.")
    right = torch.as_tensor(expected, dtype=torch.float64)
    given = torch.as_tensor(got).detach().to("cpu", torch.float64)
    if given.shape != right.shape:
        raise WrongAnswer(f"{what} should have shape {tuple(right.shape)}, yours has {tuple(given.shape)}.")
    if not torch.allclose(given, right, rtol=tolerance, atol=tolerance):
        distance = (given - right).abs().max().item()
        raise WrongAnswer(f"{what} is off by up to {distance:.2g} on the inputs of the check.")


def judge(exercise: Exercise, attempt: Any) -> tuple[str, str]:
    """Check one attempt; errors in the reader's code are part of the verdict, never of the notebook's run.

    Returns:
        The verdict ("right", "wrong" or "not attempted") and the sentence that tells it.
    """
    name = f"Exercise {exercise.id}"
    try:
        if attempt is None or attempt is ...:
            raise NotAttempted
        exercise.check(attempt)
    except NotAttempted:
        return "not attempted", f"{name}: not attempted yet ({exercise.level}, about {exercise.minutes} minutes)."
    except WrongAnswer as fault:
        return "wrong", f"{name}: not yet. {fault} Read {exercise.reread} again."
    except Exception as error:  # whatever the reader's function raised
        said = str(error).rstrip(".")
        return "wrong", f"{name}: your code raised {type(error).__name__}: {said}. Read {exercise.reread} again."
    return "right", f"{name}: right."


def _kind(value: Any) -> str:
    return "None (is a return missing?)" if value is None else type(value).__name__
