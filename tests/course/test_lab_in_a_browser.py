"""A reader opens a chapter in JupyterLab, runs it, guesses, and reads the answer: with a real browser and kernel."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page, sync_playwright

from nasbook.course import pipeline
from nasbook.course.book import load_book
from nasbook.course.predictions import find_prediction

pytestmark = pytest.mark.browser

TOKEN = "for-this-test"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# The execution indicator reads "idle" before a kernel is attached: ask the session itself.
KERNEL_READY = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
}"""
KERNEL_IDLE = """() => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel;
  return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}"""
RUN_ALL = "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"  # not awaited: it has no time limit

SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"
ACTIVE_CELL = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server on a chapter of one cell, with settings of nobody."""
    path = tmp_path / "book" / "00_start_here.ipynb"
    path.parent.mkdir()
    cells = ['import nasbook\n\nnb = nasbook.start("00")', 'nb.predict("00.3")', "1 + 1"]
    made = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    pipeline.clean(made, load_book().chapter("00"))
    nbformat.write(made, path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = (
        "import sys; from pathlib import Path; from nasbook.course import lab; "
        "command = lab._command(Path(sys.argv[1]), browser=False, port=int(sys.argv[2])); "
        "lab._serve([*command, '--LabApp.expose_app_in_browser=True'])"
    )
    own = {name: str(tmp_path / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTERLAB_WORKSPACES_DIR")}
    variables = {**os.environ, **own, "JUPYTER_TOKEN": TOKEN, "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    with (tmp_path / "log.txt").open("w") as log:
        command = [sys.executable, "-c", serve, str(path.parent), str(port)]
        server = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/api?token={TOKEN}", server, tmp_path / "log.txt")
            yield f"http://127.0.0.1:{port}/lab/tree/{path.name}?token={TOKEN}"
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A window; what it showed at the end stays in the test's folder."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser here: the test drives Debian's chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        shown = window.new_page()
        yield shown
        shown.screenshot(path=tmp_path / "page.png")
        window.close()


def open_chapter(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext", timeout=60_000)
    page.evaluate(KERNEL_READY)
    page.wait_for_function(KERNEL_IDLE, timeout=60_000)


def test_opening_and_saving_changes_no_byte_and_asks_nothing(address: str, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "book" / "00_start_here.ipynb"
    before, at = path.read_bytes(), path.stat().st_mtime_ns
    open_chapter(page, address)
    assert page.locator(".Toastify__toast").count() == 0
    page.evaluate(SAVE)
    for _ in range(100):
        if path.stat().st_mtime_ns != at:
            break
        time.sleep(0.1)
    assert path.stat().st_mtime_ns != at
    assert path.read_bytes() == before
    assert page.locator(".Toastify__toast").count() == 0


def test_a_reader_runs_a_chapter_and_guesses(address: str, page: Page) -> None:
    open_chapter(page, address)
    page.evaluate(RUN_ALL)
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


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=10).close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.25)
    raise AssertionError(f"no answer within a minute: {log.read_text()}")
