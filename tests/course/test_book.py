from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nasbook.course.book import load_book
from nasbook.runtime.errors import UsageError

CHAPTER = {"number": "04", "name": "04_relaxation", "title": "T", "minutes": 60, "lecture": ["L"], "assignment": None}


def write(folder: Path, *chapters: object, **top: object) -> Path:
    path = folder / "book.yml"
    path.write_text(yaml.safe_dump({"title": "Book", "parts": [{"title": "P", "chapters": list(chapters)}], **top}))
    return path


def test_the_book_lists_its_chapters_in_order() -> None:
    book = load_book()
    assert [chapter.number for chapter in book] == [f"{number:02d}" for number in range(len(book.chapters))]
    assert book.chapter("04") is book.chapter("04_relaxation")


def test_an_entry_becomes_a_value(tmp_path: Path) -> None:
    (chapter,) = load_book(write(tmp_path, CHAPTER))
    assert (chapter.part, chapter.minutes, chapter.lecture, chapter.assignment) == ("P", 60, ("L",), None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": 4}, "number of chapter 04_relaxation must be text"),
        ({"number": "4"}, "two digits"),
        ({"name": "05_relaxation"}, "must be 04_ and lower-case words"),
        ({"name": "04_../../etc"}, "must be 04_ and lower-case words"),
        ({"title": " "}, "title of chapter"),
        ({"minutes": True}, "whole number from 1 to 240"),
        ({"minutes": 0}, "whole number from 1 to 240"),
        ({"lecture": "L"}, "must be a list"),
        ({"lecture": [1]}, "must be text"),
        ({"assignment": ["a"]}, "must be text"),
        ({"extra": 1}, "exactly the keys"),
    ],
)
def test_a_malformed_field_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_book(write(tmp_path, {**CHAPTER, **change}))


def test_a_malformed_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="numbers must rise"):
        load_book(write(tmp_path, CHAPTER, CHAPTER))
    with pytest.raises(UsageError, match="lists no chapter"):
        load_book(write(tmp_path, parts=[]))
    with pytest.raises(UsageError, match="exactly the keys"):
        load_book(write(tmp_path, "04"))
    with pytest.raises(UsageError, match="does not exist"):
        load_book(tmp_path / "none.yml")
    for text in ("a: [", "!!python/object/apply:os.getcwd []", "- 1"):
        (tmp_path / "bad.yml").write_text(text)
        with pytest.raises(UsageError, match=r"YAML|exactly the keys"):
            load_book(tmp_path / "bad.yml")


def test_an_unknown_chapter_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no chapter '99'; the book has 00, 01"):
        load_book().chapter("99")
