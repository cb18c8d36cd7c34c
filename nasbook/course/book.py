"""The list of chapters: `book.yml` read into values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import book_folder

_KEYS = {"number", "name", "title", "minutes", "lecture", "assignment"}


@dataclass(frozen=True)
class Chapter:
    """One chapter of the book.

    Args:
        number: two digits, like "04".
        name: the stem of its files in `notebooks/`, like "04_relaxation".
        title: as its first heading says.
        part: the part of the book that it stands in.
        minutes: time in class, exercises not counted.
        lecture: the sections of the lecture that it covers.
        assignment: the assignment that goes with it, if any.
    """

    number: str
    name: str
    title: str
    part: str
    minutes: int
    lecture: tuple[str, ...]
    assignment: str | None


@dataclass(frozen=True)
class Book:
    """The chapters in reading order."""

    title: str
    chapters: tuple[Chapter, ...]

    def __iter__(self) -> Iterator[Chapter]:
        return iter(self.chapters)

    def chapter(self, which: str) -> Chapter:
        """The chapter with this number ("04") or name ("04_relaxation").

        Raises:
            UsageError: there is none; the message lists them.
        """
        for chapter in self.chapters:
            if which in (chapter.number, chapter.name):
                return chapter
        known = ", ".join(chapter.number for chapter in self.chapters)
        raise UsageError(f"There is no chapter {which!r}; the book has {known}.")


def load_book(path: Path | None = None) -> Book:
    """Read the list of chapters.

    Args:
        path: another list than the book's own.

    Raises:
        UsageError: the file is missing or malformed; the message names the entry and what is allowed.
    """
    path = path or book_folder() / "book.yml"
    text = files.read_text(path)
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:  # the parser's own
        raise UsageError(f"{path} is not readable YAML: {error}") from None
    top = _table(content, {"title", "parts"}, "book.yml")
    chapters = [
        chapter for place, part in enumerate(_list(top["parts"], "parts"), start=1) for chapter in _part(part, place)
    ]
    _in_order(chapters)
    return Book(title=_text(top["title"], "title of the book"), chapters=tuple(chapters))


def _part(value: Any, place: int) -> list[Chapter]:
    where = f"part {place}"
    part = _table(value, {"title", "chapters"}, where)
    title = _text(part["title"], f"title of {where}")
    return [_chapter(entry, title) for entry in _list(part["chapters"], f"chapters of {where}")]


def _chapter(value: Any, part: str) -> Chapter:
    named = value.get("name") if isinstance(value, dict) else None
    where = f"chapter {named}" if isinstance(named, str) else f"a chapter of {part!r}"
    entry = _table(value, _KEYS, where)
    number, name = _text(entry["number"], f"number of {where}"), _text(entry["name"], f"name of {where}")
    if not re.fullmatch(r"[0-9]{2}", number):
        raise UsageError(f'The number of {where} must be two digits in quotation marks like "04", not {number!r}.')
    if not re.fullmatch(rf"{number}_[a-z0-9]+(_[a-z0-9]+)*", name):
        raise UsageError(f"The name of {where} must be {number}_ and lower-case words joined by _, not {name!r}.")
    minutes = entry["minutes"]
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 240:
        raise UsageError(f"The minutes of {where} must be a whole number from 1 to 240, not {minutes!r}.")
    assignment = entry["assignment"]
    return Chapter(
        number=number,
        name=name,
        title=_text(entry["title"], f"title of {where}"),
        part=part,
        minutes=minutes,
        lecture=tuple(_text(item, f"lecture of {where}") for item in _list(entry["lecture"], f"lecture of {where}")),
        assignment=None if assignment is None else _text(assignment, f"assignment of {where}"),
    )


def _in_order(chapters: list[Chapter]) -> None:
    numbers = [chapter.number for chapter in chapters]
    if not numbers:
        raise UsageError("book.yml lists no chapter.")
    for before, after in pairwise(numbers):
        if before >= after:
            raise UsageError(f"Chapter {after} stands after chapter {before}: numbers must rise and be unique.")


def _table(value: Any, keys: set[str], where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != keys:
        got = f"has {', '.join(map(str, value)) or 'none'}" if isinstance(value, dict) else f"is {value!r}"
        raise UsageError(f"{where} must have exactly the keys {', '.join(sorted(keys))}; it {got}.")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise UsageError(f"The {where} must be a list, not {value!r}.")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"The {where} must be text, not {value!r}.")
    return value
