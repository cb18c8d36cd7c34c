from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import nasbook
from nasbook import sizes
from nasbook.course import chapter as chapters
from nasbook.course.chapter import ChapterSession, seed_everything
from nasbook.course.exercises import Exercise
from nasbook.course.predictions import Question
from nasbook.runtime.errors import UsageError


@pytest.fixture
def nb(capsys: pytest.CaptureFixture[str]) -> ChapterSession:
    session = nasbook.start("04")
    capsys.readouterr()
    return session


def test_a_chapter_opens_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    session = nasbook.start("04")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Chapter 04: Continuous relaxation | class size on cpu | nasbook ")
    assert line.endswith(f"| about {session.chapter.minutes} minutes in class")
    assert torch.__version__.partition("+")[0] in line


def test_opening_a_chapter_seeds_the_global_generators() -> None:
    def draws() -> tuple[float, float, float]:
        return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002

    nasbook.start("04")
    first = draws()
    assert draws() != first
    seed_everything(0)
    assert draws() == first


def test_size_and_device_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASBOOK_SIZE", "paper")
    monkeypatch.setenv("NASBOOK_DEVICE", "cpu")
    session = nasbook.start("04")
    assert (session.size, session.device.type) == ("paper", "cpu")
    assert session.preset is sizes.get("paper")
    monkeypatch.setenv("NASBOOK_DEVICE", "abacus")
    with pytest.raises(UsageError, match="'abacus' is not available"):
        nasbook.start("04")
    monkeypatch.setenv("NASBOOK_SIZE", "huge")
    with pytest.raises(UsageError, match="must be one of class, paper"):
        nasbook.start("04")
    with pytest.raises(UsageError, match="no chapter '99'"):
        nasbook.start("99")


@pytest.mark.parametrize(("threads", "expected"), [(None, "1"), ("2", "2")])
def test_one_thread_unless_the_reader_says_otherwise(threads: str | None, expected: str) -> None:
    import os

    kept = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    code = "import torch, nasbook; nasbook.start('04'); print(torch.get_num_threads())"
    variables = kept if threads is None else {**kept, "OMP_NUM_THREADS": threads}
    answer = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True, timeout=120
    )
    assert answer.stdout.splitlines()[-1] == expected


def test_the_package_loads_nothing_until_it_is_used() -> None:
    heavy = ["torch", "numpy", "matplotlib", "ipywidgets", "IPython", "yaml"]
    code = f"import sys, nasbook; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout == "[]\n"
    with pytest.raises(AttributeError, match="no attribute 'stop'"):
        nasbook.stop  # noqa: B018


def test_the_books_tools_need_no_torch() -> None:
    code = "import sys; from nasbook.course import lab, pipeline; pipeline.stale(); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout == "False\n"


QUESTIONS = {
    "04.1": Question("Which?", ("a", "b"), answer="b"),
    "04.2": Question("How many?", explain="By counting."),
}


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chapters, "find_prediction", lambda name, chapter: QUESTIONS[name])


@pytest.mark.usefixtures("questions")
def test_predictions_are_kept_once_each(nb: ChapterSession) -> None:
    first = nb.predict("04.1")
    again = nb.predict("04.1")
    other = nb.predict("04.2")
    assert nb.predictions == {"04.1": again, "04.2": other}
    assert first is not again
    again.lock("a")
    assert again.sentence() == "You said “a”, it is “b”."


@pytest.mark.usefixtures("questions")
def test_a_computed_answer_reaches_the_question_asked_before_or_after(nb: ChapterSession) -> None:
    box = nb.predict("04.2")
    box.lock(3)
    assert repr(nb.reveal("04.2", 4)) == "You said 3, it is 4. By counting."
    again = nb.predict("04.2")  # its cell is run again, the result's is not
    again.lock(5)
    assert again.sentence() == "You said 5, it is 4. By counting."
    with pytest.raises(UsageError, match="is in its data"):
        nb.reveal("04.1", 0)
    fresh = nasbook.start("04")
    assert "4" not in repr(fresh.reveal("04.2", 4))  # nobody was asked


def test_a_chapter_asks_its_own_predictions(nb: ChapterSession) -> None:
    with pytest.raises(UsageError, match=r"'05\.1'; chapter 04 has 04\.1, 04\.2"):
        nb.predict("05.1")
    assert nb.predict("04.1").question


def test_exercises_are_checked(
    nb: ChapterSession, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(answer: Any) -> None:
        assert answer == 1

    exercise = Exercise("04.1", "one", "easy", 1, check, "(4.1)")
    monkeypatch.setattr(chapters, "find_exercise", lambda number: exercise)
    monkeypatch.setattr(chapters, "exercises_of", lambda number: (exercise,) if number == "04" else ())
    nb.check("04.1", 1)
    assert capsys.readouterr().out == "Exercise 04.1: right.\n"
    nb.check("04.1", ...)
    assert nb.verdicts == {"04.1": "not attempted"}
    nb.check_solution("04.1", 1)
    nb.check_solution("04.1", 2)
    said = capsys.readouterr().out.splitlines()
    assert said[-2] == "The book's solution of 04.1: right."
    assert "right" not in said[-1]
    assert nb.verdicts == {"04.1": "not attempted"}  # of the reader, who has done nothing
    with pytest.raises(UsageError, match="belongs to another chapter than 05"):
        nasbook.start("05").check("04.1", 1)


def test_the_session_shows_as_the_package_does(nb: ChapterSession, capsys: pytest.CaptureFixture[str]) -> None:
    nb.show(loss=0.123456, digits=3)
    nasbook.show(loss=0.123456, digits=3)
    first, second = capsys.readouterr().out.splitlines()
    assert first == second == "loss  0.123"
