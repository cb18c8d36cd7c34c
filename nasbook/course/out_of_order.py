"""Tell a reader who ran cells out of order which one to run first."""

from __future__ import annotations

import os
from pathlib import PurePath
from types import TracebackType
from typing import Any

from nasbook.course.book import Chapter, load_book
from nasbook.course.reading import defining_section
from nasbook.runtime.resources import notebooks_folder


def at_start() -> None:
    """Explain name errors of the chapter whose kernel this is, before its setup cell has run.

    Jupyter's server names the notebook of a kernel in `JPY_SESSION_NAME`. Other notebooks are left alone.
    """
    name = PurePath(os.environ.get("JPY_SESSION_NAME", "")).stem
    for chapter in load_book():
        if chapter.name == name:
            explain_name_errors(chapter)


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
    return (
        f'{name} is made in the section "{section}" of this chapter. Run the cell that defines it there first. In '
        "JupyterLab, Run > Run All Above Selected Cell runs everything that comes before this cell."
    )
