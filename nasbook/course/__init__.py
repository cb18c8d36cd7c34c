"""The book around the package: its chapters, their sessions and exercises, and the notebooks made from them."""

from nasbook.course.book import Book, Chapter, load_book
from nasbook.course.chapter import ChapterSession, seed_everything, start
from nasbook.course.exercises import Exercise, NotAttempted
from nasbook.course.printing import show
from nasbook.course.reading import source

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
