"""`nasbook lab` and `nasbook notebooks`: they hand over to the course and say what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nasbook.cli import app
from nasbook.course import load_book
from nasbook.course.pipeline import ChapterRun

FIRST, SECOND = (chapter.name for chapter in load_book().chapters[:2])


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def stale(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the course finds stale."""
    found: dict[str, list[str]] = {}
    monkeypatch.setattr("nasbook.course.pipeline.stale", lambda: found)
    return found


def test_check_passes_when_nothing_is_stale(stale: dict[str, list[str]]) -> None:
    result = invoke("notebooks", "--check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(invoke("notebooks", "--check", "--json").stdout) == {}


def test_check_names_what_is_stale_and_fails(stale: dict[str, list[str]]) -> None:
    stale[FIRST] = ["Cell 3 differs in its text."]
    result = invoke("notebooks", "--check")
    assert (result.exit_code, result.stdout) == (1, f"{FIRST}: Cell 3 differs in its text.\n")
    result = invoke("notebooks", "--check", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, stale)
    assert invoke("notebooks", FIRST[:2], "--check").exit_code == 1
    assert invoke("notebooks", SECOND, "--check").exit_code == 0


def test_chapters_are_made_and_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def regenerate(names: list[str] | None) -> list[ChapterRun]:
        asked.append(names)
        return [ChapterRun(FIRST, 1.0, 100.0), ChapterRun(SECOND, 1.0, 100.0, "Cell 2 raised ValueError: no.")]

    monkeypatch.setattr("nasbook.course.pipeline.regenerate", regenerate)
    result = invoke("notebooks", FIRST, SECOND)
    assert (result.exit_code, result.stdout) == (1, f"{SECOND}: Cell 2 raised ValueError: no.\n")
    invoke("notebooks")
    assert asked == [[FIRST, SECOND], None]


def test_lab_hands_over_its_options_and_returns_the_servers_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def open_lab(folder: Path | None, *, browser: bool, port: int | None) -> int:
        asked.append((folder, browser, port))
        return len(asked) - 1

    monkeypatch.setattr("nasbook.course.lab.open_lab", open_lab)
    assert invoke("lab").exit_code == 0
    assert invoke("lab", "--no-browser", "--port", "8899", "--folder", "mine").exit_code == 1
    assert asked == [(None, True, None), (Path("mine"), False, 8899)]
