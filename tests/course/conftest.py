"""Small notebooks made up for the tests of the course."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from nasbook.course.book import Chapter
from nasbook.course.exercises import Exercise
from nasbook.course.rules import Draft

CHAPTER = Chapter(
    number="04",
    name="04_relaxation",
    title="Continuous relaxation",
    part="P",
    minutes=60,
    lecture=("L",),
    assignment=None,
)


@pytest.fixture
def chapter() -> Chapter:
    return CHAPTER


@pytest.fixture
def exercise() -> Exercise:
    def check(answer: object) -> None: ...

    return Exercise("04.1", "weights", "easy", 5, check, "(4.1)")


@pytest.fixture
def draft(exercise: Exercise) -> Callable[..., Draft]:
    """A draft of cells: text is Markdown, (code, *tags) is code; ids and counts as the pipeline makes them."""

    def make(*cells: str | tuple[str, ...]) -> Draft:
        made: list[Any] = []
        count = 0
        for place, cell in enumerate(cells):
            fixed = {"id": f"04-{place:03d}"}
            if isinstance(cell, str):
                made.append(new_markdown_cell(cell, **fixed))
            else:
                count += 1
                metadata = {"tags": list(cell[1:])} if cell[1:] else {}
                made.append(new_code_cell(cell[0], execution_count=count, metadata=metadata, **fixed))
        notebook = new_notebook(cells=made, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
        return Draft(CHAPTER, notebook, (exercise,))

    return make
