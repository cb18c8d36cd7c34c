"""Find the exercises of a chapter by its number."""

from __future__ import annotations

import importlib
import importlib.util

from nasbook.course.exercises.checking import Exercise
from nasbook.runtime.errors import UsageError


def exercises_of(number: str) -> tuple[Exercise, ...]:
    """The exercises of the chapter with this number ("04"), in order; empty when it has none.

    Raises:
        UsageError: the number is not two digits, or an exercise's id does not belong to the chapter.
    """
    if len(number) != 2 or not (number.isascii() and number.isdigit()):
        raise UsageError(f'A chapter number is two digits like "04", not {number!r}.')
    name = f"nasbook.course.exercises.chapter_{number}"
    if importlib.util.find_spec(name) is None:
        return ()
    found: tuple[Exercise, ...] = importlib.import_module(name).EXERCISES
    expected = [f"{number}.{place}" for place in range(1, len(found) + 1)]
    if [exercise.id for exercise in found] != expected:
        raise UsageError(f"The exercises of chapter {number} must have the ids {', '.join(expected)} in this order.")
    return found


def find_exercise(exercise_id: str) -> Exercise:
    """The exercise with this id ("04.1").

    Raises:
        UsageError: there is none; the message lists the chapter's exercises.
    """
    number = exercise_id.partition(".")[0]
    found = exercises_of(number)
    for exercise in found:
        if exercise.id == exercise_id:
            return exercise
    known = ", ".join(exercise.id for exercise in found) or "none"
    raise UsageError(f"There is no exercise {exercise_id!r}; chapter {number} has {known}.")
