from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nasbook.course.book import Chapter, load_book
from nasbook.course.predictions import Question, find_prediction, predictions_of, read_predictions
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import notebooks_folder
from nasbook.widgets.predict import Predict

CHAPTERS = tuple(load_book())


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_every_question_of_a_chapter_can_be_asked(chapter: Chapter) -> None:
    found = predictions_of(chapter.number)
    assert len(found) >= 5
    for asked in found.values():
        Predict(asked.question, asked.options, answer=asked.answer, explain=asked.explain, unit=asked.unit)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_no_chapter_writes_an_answer_into_its_source(chapter: Chapter) -> None:
    text = (notebooks_folder() / f"{chapter.name}.py").read_text(encoding="utf-8")
    named = [call for call in ast.walk(ast.parse(text)) if isinstance(call, ast.Call)]
    assert not [call.lineno for call in named for keyword in call.keywords if keyword.arg in ("answer", "explain")]
    said = [asked.explain for asked in predictions_of(chapter.number).values() if asked.explain]
    plain = " ".join(text.replace("\n# ", " ").split())
    assert not [explain for explain in said if explain in plain]


def test_an_unknown_id_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"'04\.99'; chapter 04 has 04\.1, "):
        find_prediction("04.99", "04")
    with pytest.raises(UsageError, match="chapter 98 has none"):
        find_prediction("98.1", "98")


def test_a_file_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "any.toml"
    path.write_text('["04.1"]\nquestion = "a?"\nanswer = 3\n["04.2"]\nquestion = "b?"\noptions = ["x", "y"]\n')
    assert read_predictions(path, "04") == {"04.1": Question("a?", answer=3), "04.2": Question("b?", ("x", "y"))}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "not readable TOML"),
        ('["04.2"]\nquestion = "a?"', r"ids 04\.1 in this order"),
        ('["04.1"]\nanswer = 3', "must be a table with question"),
        ('["04.1"]\nquestion = "a?"\nhint = "b"', "are optional"),
        ('["04.1"]\nquestion = 3', "question of prediction 04.1"),
        ('["04.1"]\nquestion = "a?"\nanswer = true', "answer of prediction 04.1"),
        ('["04.1"]\nquestion = "a?"\noptions = [1, 2]', "options of prediction 04.1"),
        ('"04.1" = 3', "must be a table"),
    ],
)
def test_a_malformed_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "any.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_predictions(path, "04")
