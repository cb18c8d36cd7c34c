"""The exercises of chapter 00, start here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nasbook.course.exercises.checking import Exercise, expect
from nasbook.experiment import Outcome

LONGEST = 3  # epochs of the second search: it is to take seconds


def check_best_epoch(attempt: Callable[[list[dict[str, Any]]], int]) -> None:
    """A history -> the number of the epoch with the highest validation accuracy, the earlier of equal ones."""
    cases: list[tuple[list[float], int]] = [([20.0, 35.5, 31.0], 2), ([12.0], 1), ([40.0, 55.0, 55.0, 50.0], 2)]
    for accuracies, right in cases:
        # the training accuracy always rises: a reader who looks there finds the last epoch
        history = [
            {"epoch": epoch, "valid_accuracy": valid, "train_accuracy": 50.0 + epoch}
            for epoch, valid in enumerate(accuracies, start=1)
        ]
        got = attempt(history)
        where = f"for validation accuracies {accuracies}"
        expect(got is not None, f"Your function returns nothing {where} (is a return missing?).")
        expect(isinstance(got, int) and not isinstance(got, bool), f"The epoch {where} must be a whole number.")
        expect(got != right - 1, f"Your answer {where} is one too small: epochs are counted from 1.")
        latest = len(accuracies) - accuracies[::-1].index(max(accuracies))
        expect(got != latest or got == right, f"Of two equally good epochs take the earlier ({where}).")
        expect(got != len(accuracies) or got == right, f"Your answer {where} is the last epoch, which is not the best.")
        expect(got == right, f"Your answer {where} is not right.")


def check_second_search(attempt: Any) -> None:
    """The outcome of a short search on scikit-learn's digits that was not trained from scratch."""
    expect(isinstance(attempt, Outcome), "Hand over what experiment.search returns.")
    result = attempt.result
    expect(result.get("method") == "darts", "The method should be darts.")
    expect(result.get("data") == "digits", f"Search on the data set digits, not on {result.get('data')!r}: give data=.")
    expect("test_accuracy" not in result, "The architecture was trained from scratch: give retrain=False.")
    epochs = len(attempt.history)
    expect(epochs <= LONGEST, f"The search took {epochs} epochs; at most {LONGEST} are asked for: give numbers=.")


EXERCISES = (
    Exercise("00.1", "Find the best epoch", "easy", 5, check_best_epoch, 'the section "Under the microscope"'),
    Exercise("00.2", "Search on other images", "easy", 10, check_second_search, 'the section "A search, live"'),
)
