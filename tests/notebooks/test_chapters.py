"""Every chapter: its files, its agreement with its source, and the rules of the book."""

from __future__ import annotations

import nbformat
import pytest

from nasbook.course.book import Chapter, load_book
from nasbook.course.exercises import exercises_of
from nasbook.course.pipeline import notebook_path, why_stale
from nasbook.course.predictions import predictions_of
from nasbook.course.rules import RULES, Draft, Rule
from nasbook.runtime.resources import notebooks_folder

CHAPTERS = tuple(load_book())


@pytest.fixture(scope="module")
def drafts() -> dict[str, Draft]:
    folder = notebooks_folder()
    return {
        chapter.name: Draft(
            chapter,
            nbformat.read(notebook_path(chapter, folder), as_version=4),
            exercises_of(chapter.number),
            predictions_of(chapter.number),
        )
        for chapter in CHAPTERS
    }


@pytest.mark.parametrize("suffix", [".py", ".ipynb"])
def test_the_book_lists_exactly_the_files(suffix: str) -> None:
    there = {path.stem for path in notebooks_folder().glob(f"*{suffix}")}
    assert there == {chapter.name for chapter in CHAPTERS}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_the_notebook_is_what_its_source_says(chapter: Chapter) -> None:
    reasons = why_stale(chapter, notebooks_folder())
    assert not reasons, f"run `nasbook notebooks {chapter.number}`: {' '.join(reasons)}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_the_chapter_holds_the_rule(chapter: Chapter, rule: Rule, drafts: dict[str, Draft]) -> None:
    assert not rule(drafts[chapter.name])
