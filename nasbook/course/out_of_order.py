"""Tell a reader who ran cells out of order which one to run first."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from nasbook.course.book import Chapter
from nasbook.course.reading import defining_section
from nasbook.runtime.resources import notebooks_folder


def explain_name_errors(chapter: Chapter) -> None:
    """In a notebook, add to each NameError the section whose cell defines the missing name."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        return

    def handler(
        self: Any, kind: type[NameError], error: NameError, trace: TracebackType, tb_offset: int | None = None
    ) -> None:
        sentence = advice(chapter, error.name or "")
        if sentence is not None:
            error.add_note(sentence)
        self.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((NameError,), handler)


def advice(chapter: Chapter, name: str) -> str | None:
    """The sentence for a missing name, or None where the chapter does not define it."""
    section = defining_section(notebooks_folder() / f"{chapter.name}.py", name)
    if section is None:
        return None
    return f'{name} is made in the section "{section}" of this chapter: run the cell that defines it there first.'
