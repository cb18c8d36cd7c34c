"""The predictions of the chapters: questions and answers, kept out of the notebooks that readers open.

The predictions of a chapter stand in `data/predictions/NN.toml`, one table per prediction. If a question has
no `answer`, the chapter computes the answer and hands it to `nb.reveal`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder

_TYPES: dict[str, type | tuple[type, ...]] = {
    "question": str,
    "options": list,
    "answer": (str, int, float),
    "explain": str,
    "unit": str,
}


@dataclass(frozen=True)
class Question:
    """One prediction, as its file has it.

    Args:
        question: one question.
        options: the choices, at least two; without them the guess is a number.
        answer: one of the options, or the number; None where the chapter computes it.
        explain: one or two sentences on why, shown with the answer.
        unit: of the number, like "%".
    """

    question: str
    options: tuple[str, ...] = ()
    answer: str | float | None = None
    explain: str = ""
    unit: str = ""


@cache
def predictions_of(number: str) -> dict[str, Question]:
    """The predictions of the chapter with this number ("04") by id, in order; empty when it has none.

    Raises:
        UsageError: the file is malformed; the message names the entry and what is allowed.
    """
    path = data_folder() / "predictions" / f"{number}.toml"
    return read_predictions(path, number) if path.is_file() else {}


def read_predictions(path: Path, number: str) -> dict[str, Question]:
    """The predictions of a file by id, in order.

    Args:
        path: a file of the form that the heading of this module describes.
        number: of its chapter, two digits.

    Raises:
        UsageError: the file is malformed; the message names the entry and what is allowed.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not readable TOML: {error}") from None
    expected = [f"{number}.{place}" for place in range(1, len(content) + 1)]
    if list(content) != expected:
        raise UsageError(f"The predictions of chapter {number} must have the ids {', '.join(expected)} in this order.")
    return {name: _question(name, entry) for name, entry in content.items()}


def find_prediction(prediction_id: str, chapter: str) -> Question:
    """The prediction of a chapter with this id ("04.1").

    Raises:
        UsageError: the chapter has none of this id; the message lists its predictions.
    """
    found = predictions_of(chapter)
    if prediction_id not in found:
        known = ", ".join(found) or "none"
        raise UsageError(f"There is no prediction {prediction_id!r}; chapter {chapter} has {known}.")
    return found[prediction_id]


def _question(name: str, entry: Any) -> Question:
    if not isinstance(entry, dict) or "question" not in entry or not set(entry) <= set(_TYPES):
        raise UsageError(
            f"Prediction {name} must be a table with question; {', '.join(list(_TYPES)[1:])} are optional."
        )
    for key, value in entry.items():
        if not isinstance(value, _TYPES[key]) or isinstance(value, bool):
            raise UsageError(f"The {key} of prediction {name} has a wrong type: {value!r}.")
    options = tuple(entry.get("options", ()))
    if not all(isinstance(option, str) for option in options):
        raise UsageError(f"The options of prediction {name} must be text.")
    return Question(**{**entry, "options": options})
