"""A chapter as the rules see it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasbook.course.book import Chapter
    from nasbook.course.exercises import Exercise
    from nasbook.course.predictions import Question


@dataclass(frozen=True)
class Draft:
    """A notebook with the entry of `book.yml` and the exercises that it must agree with.

    Args:
        chapter: its entry in the list of chapters.
        notebook: cells as nbformat reads them.
        exercises: those of the chapter's module, in order.
        predictions: those of the chapter's data file by id, in order.
    """

    chapter: Chapter
    notebook: Any
    exercises: tuple[Exercise, ...] = ()
    predictions: Mapping[str, Question] = field(default_factory=dict)

    def code(self) -> Iterator[tuple[int, Any]]:
        """(position, cell) of every code cell."""
        return ((place, cell) for place, cell in enumerate(self.notebook.cells) if cell.cell_type == "code")

    def markdown(self) -> Iterator[tuple[int, Any]]:
        """(position, cell) of every Markdown cell."""
        return ((place, cell) for place, cell in enumerate(self.notebook.cells) if cell.cell_type == "markdown")

    def tagged(self, tag: str) -> list[int]:
        """The positions of the code cells with this tag."""
        return [place for place, cell in self.code() if tag in tags(cell)]

    def section(self, heading: str) -> list[Any] | None:
        """The cells from the one with `## heading` up to the next `##`, or None without such a heading."""
        found: list[Any] | None = None
        for cell in self.notebook.cells:
            titles = re.findall(r"^## (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
            if found is not None and titles:
                return found
            if heading in [title.strip() for title in titles]:
                found = []
            if found is not None:
                found.append(cell)
        return found


Rule = Callable[[Draft], list[str]]


def tags(cell: Any) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))
