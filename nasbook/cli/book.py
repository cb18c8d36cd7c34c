"""`nasbook lab` and `nasbook notebooks`: the book opened, and its notebooks made."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from nasbook.cli.output import AsJson, print_json
from nasbook.runtime.errors import UsageError

# The packages that only the book needs, by what is imported: a machine that runs searches alone may lack them.
BOOK_PACKAGES = {
    "yaml": "pyyaml",
    "jupyterlab": "jupyterlab",
    "jupytext": "jupytext",
    "nbclient": "nbclient",
    "nbformat": "nbformat",
    "ipykernel": "ipykernel",
    "ipywidgets": "ipywidgets",
}


def lab(
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    port: Annotated[int | None, typer.Option(help="Port of the server; a free one by default.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where your copy of the chapters lies or goes.", show_default=False)
    ] = None,
) -> None:
    """Open the book in JupyterLab, until Ctrl-C."""
    with _book_packages():
        from nasbook.course.lab import open_lab

        raise typer.Exit(open_lab(folder, browser=browser, port=port))


def notebooks(
    names: Annotated[list[str] | None, typer.Argument(help="Chapters, as 04 or 04_relaxation; all without.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Run nothing; say which notebooks are stale.")] = False,
    as_json: AsJson = False,
) -> None:
    """Execute chapters and write their notebooks, or say which notebooks are not what their sources say."""
    with _book_packages():
        problems = _stale(names) if check else _regenerate(names)
    if as_json:
        print_json(problems)
    else:
        for name, reasons in problems.items():
            print(f"{name}: {' '.join(reasons)}")
        if check and not problems:
            print("Every notebook is what its source says.", file=sys.stderr)
    if any(problems.values()):
        raise typer.Exit(1)


def _stale(names: list[str] | None) -> dict[str, list[str]]:
    from nasbook.course.book import load_book
    from nasbook.course.pipeline import stale

    book = load_book()
    asked = {book.chapter(name).name for name in names} if names else {chapter.name for chapter in book}
    return {name: reasons for name, reasons in stale().items() if name in asked}


def _regenerate(names: list[str] | None) -> dict[str, list[str]]:
    from nasbook.course.pipeline import regenerate

    return {run.name: [run.error] for run in regenerate(names or None) if run.error}


@contextmanager
def _book_packages() -> Iterator[None]:
    """Say which package is missing where one of the book's own is."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = BOOK_PACKAGES.get((error.name or "").partition(".")[0])
        if missing is None:
            raise
        raise UsageError(
            f"The book needs the package {missing}, which is not installed here: `python -m pip install {missing}`."
        ) from None
