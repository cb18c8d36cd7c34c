"""The template that authors copy holds every rule that a chapter must hold, and it runs."""

from __future__ import annotations

from typing import Any

import jupytext
import pytest

from nasbook.course import chapter as chapters
from nasbook.course.book import load_book
from nasbook.course.exercises import Exercise, expect_close
from nasbook.course.predictions import read_predictions
from nasbook.course.rules import Draft, anatomy, cells, problems
from nasbook.runtime.resources import book_folder

TEMPLATE = book_folder() / ".github" / "chapter_template.py"

PREDICTIONS = read_predictions(TEMPLATE.with_suffix(".toml"), "04")


def check(operation_weights: Any) -> None:
    import torch

    alpha = torch.tensor([[0.0, 1.0], [2.0, 2.0]])
    expect_close(operation_weights(alpha), torch.softmax(alpha, dim=1), "the operation weights")


EXERCISE = Exercise("04.1", "weights of the operations", "easy", 5, check, "equation (4.1)")


@pytest.fixture(scope="module")
def notebook() -> Any:
    return jupytext.read(TEMPLATE, fmt="py:percent")


def test_the_template_holds_the_rules(notebook: Any) -> None:
    draft = Draft(load_book().chapter("04"), notebook, (EXERCISE,), PREDICTIONS)
    assert problems(draft, (*cells.RULES, *anatomy.RULES)) == []


def test_the_template_runs_twice_the_same(
    notebook: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chapters, "find_exercise", lambda number: EXERCISE)
    monkeypatch.setattr(chapters, "exercises_of", lambda number: (EXERCISE,))
    monkeypatch.setattr(chapters, "find_prediction", lambda name, chapter: PREDICTIONS[name])
    names: dict[str, Any] = {}

    def run() -> str:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, str(TEMPLATE), "exec"), names)
        return capsys.readouterr().out

    first = run()
    assert "Exercise 04.1: not attempted yet (easy, about 5 minutes)." in first
    assert first.endswith("The book's solution of 04.1: right.\n")
    assert names["nb"].verdicts == {"04.1": "not attempted"}
    assert run() == first
