"""A reader opens a chapter in JupyterLab, runs it, guesses, and reads the answer: with a real browser and kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page

from nasbook.course import pipeline
from nasbook.course.book import load_book
from nasbook.course.predictions import find_prediction
from tests.browser import look, run_cells, serve

pytestmark = pytest.mark.browser

SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"
ACTIVE_CELL = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A window on a short chapter; what it showed at the end stays in the test's folder."""
    path = tmp_path / "book" / "00_start_here.ipynb"
    path.parent.mkdir()
    cells = ['import nasbook\n\nnb = nasbook.start("00")', 'nb.predict("00.3")', "1 + 1"]
    made = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    pipeline.clean(made, load_book().chapter("00"))
    nbformat.write(made, path)
    with serve(path) as address, look(address) as shown:
        yield shown
        shown.screenshot(path=tmp_path / "page.png")


def test_opening_and_saving_changes_no_byte_and_asks_nothing(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "book" / "00_start_here.ipynb"
    before, at = path.read_bytes(), path.stat().st_mtime_ns
    assert page.locator(".Toastify__toast").count() == 0
    page.evaluate(SAVE)
    for _ in range(100):
        if path.stat().st_mtime_ns != at:
            break
        time.sleep(0.1)
    assert path.stat().st_mtime_ns != at
    assert path.read_bytes() == before
    assert page.locator(".Toastify__toast").count() == 0


def test_a_reader_runs_a_chapter_and_guesses(page: Page) -> None:
    run_cells(page)
    box: Any = page.locator(".jp-OutputArea-output")
    box.get_by_text("Chapter 00: Start here | class size on cpu").wait_for(timeout=60_000)
    lock = page.get_by_role("button", name="Lock my guess")
    lock.click()
    page.get_by_text("Make a guess first").wait_for()
    radios = page.get_by_role("radio")
    radios.nth(0).focus()
    page.keyboard.press("Space")
    active = page.evaluate(ACTIVE_CELL)
    for key, chosen in (("ArrowDown", 1), ("ArrowUp", 0), ("ArrowRight", 1)):
        page.keyboard.press(key)
        assert radios.nth(chosen).is_checked()
        assert radios.nth(chosen).evaluate("radio => radio === document.activeElement")
        assert page.evaluate(ACTIVE_CELL) == active
    page.keyboard.press("Tab")
    assert lock.evaluate("button => button === document.activeElement")
    asked = find_prediction("00.3", "00")
    assert page.get_by_text(asked.explain).count() == 0
    page.keyboard.press("Enter")
    page.get_by_text(f"You said “{asked.options[1]}”, it is “{asked.answer}”.").wait_for()
    locked = page.get_by_role("button", name="Guess locked")
    assert locked.evaluate("button => button === document.activeElement")
    assert radios.nth(0).is_disabled()
