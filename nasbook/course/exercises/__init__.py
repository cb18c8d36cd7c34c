"""Exercises: what a chapter asks for, and how an attempt is checked.

A chapter's exercises stand in `nasbook/course/exercises/chapter_NN.py` as `EXERCISES = (Exercise(...), ...)`. A check
is a plain function that is handed what the reader made and returns nothing when it is right; `expect` and
`expect_close` say what is wrong with it. The notebook holds the task, a stub that raises `NotAttempted`, and a
folded solution that goes through the same check.
"""

from nasbook.course.exercises.checking import Exercise, NotAttempted, WrongAnswer, expect, expect_close, judge
from nasbook.course.exercises.finding import exercises_of, find_exercise

__all__ = [
    "Exercise",
    "NotAttempted",
    "WrongAnswer",
    "exercises_of",
    "expect",
    "expect_close",
    "find_exercise",
    "judge",
]
