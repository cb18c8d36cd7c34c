"""Where the book and its data lie: in the checkout, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

from nasbook.runtime.errors import UsageError

_PACKAGE = Path(__file__).resolve().parents[1]


def book_folder() -> Path:
    """The folder that holds `book.yml`, `notebooks/` and `data/`.

    Raises:
        UsageError: the installation carries no book.
    """
    for folder in (_PACKAGE.parent, _PACKAGE / "_book"):
        if (folder / "book.yml").is_file():
            return folder
    raise UsageError("This installation of nasbook carries no book.yml: install it again from a checkout or a wheel.")


def data_folder() -> Path:
    """The folder of the embedded data and stored results."""
    return book_folder() / "data"


def notebooks_folder() -> Path:
    """The folder of the chapters."""
    return book_folder() / "notebooks"
