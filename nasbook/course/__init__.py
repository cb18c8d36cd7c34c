"""The book around the package: its chapters, their sessions and exercises, and the notebooks made from them.

Names load from their modules when first used: `nasbook lab` needs no torch, and a chapter no JupyterLab.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasbook.course.book import Book, Chapter, load_book
    from nasbook.course.chapter import ChapterSession, seed_everything, start
    from nasbook.course.exercises import Exercise, NotAttempted
    from nasbook.course.printing import show
    from nasbook.course.reading import source

_HOMES = {
    "Book": "book",
    "Chapter": "book",
    "ChapterSession": "chapter",
    "Exercise": "exercises",
    "NotAttempted": "exercises",
    "load_book": "book",
    "seed_everything": "chapter",
    "show": "printing",
    "source": "reading",
    "start": "chapter",
}

__all__ = [
    "Book",
    "Chapter",
    "ChapterSession",
    "Exercise",
    "NotAttempted",
    "load_book",
    "seed_everything",
    "show",
    "source",
    "start",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"nasbook.course.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'nasbook.course' has no attribute {name!r}")
