"""A JupyterLab server with settings of nobody, and a page of a real browser on one of its notebooks."""

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
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page, sync_playwright

TOKEN = "for-this-test"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE = 240_000  # milliseconds, for a machine that does other things too
# The execution indicator reads "idle" before a kernel is attached: ask the session itself.
KERNEL_READY = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
}"""
RUN_ALL = "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"  # not awaited: it has no time limit
ALL_RAN = """() => {
  const panel = window.jupyterapp.shell.currentWidget, kernel = panel.sessionContext.session?.kernel;
  const cells = panel.content.widgets.filter(cell => cell.model.type === 'code');
  const outputs = cells.flatMap(cell => cell.model.outputs.toJSON());
  if (outputs.some(output => output.output_type === 'error')) return true;
  return kernel?.status === 'idle' && cells.every(cell => cell.model.executionCount);
}"""
ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap(
  cell => cell.model.type === 'code' ? cell.model.outputs.toJSON() : []
).filter(output => output.output_type === 'error').map(output => output.ename + ': ' + output.evalue)"""


def write(path: Path, *cells: str | NotebookNode) -> None:
    """Write a notebook of code cells, given as their sources or whole."""
    made = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=made, metadata=kernel), path)


@contextmanager
def serve(notebook: Path) -> Iterator[str]:
    """The address of a notebook on a server of its own, started as `nasbook lab` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = (
        "import sys; from pathlib import Path; from nasbook.course import lab; "
        "command = lab._command(Path(sys.argv[1]), browser=False, port=int(sys.argv[2])); "
        "lab._serve([*command, '--LabApp.expose_app_in_browser=True'])"
    )
    place = notebook.parent.parent
    own = {name: str(place / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTERLAB_WORKSPACES_DIR")}
    variables = {**os.environ, **own, "JUPYTER_TOKEN": TOKEN, "JUPYTER_RUNTIME_DIR": str(place / "runtime")}
    with (place / "log.txt").open("w") as log:
        command = [sys.executable, "-c", code, str(notebook.parent), str(port)]
        server = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/api?token={TOKEN}", server, place / "log.txt")
            yield f"http://127.0.0.1:{port}/lab/tree/{notebook.name}?token={TOKEN}"
        finally:
            server.terminate()
            server.wait(timeout=30)


@contextmanager
def look(address: str) -> Iterator[Page]:
    """A window on a notebook, once its kernel answers."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser here: the test drives Debian's chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        shown = window.new_context().new_page()
        shown.set_default_timeout(PATIENCE)
        shown.goto(address)
        shown.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext")
        shown.evaluate(KERNEL_READY)
        yield shown
        window.close()


def run_cells(page: Page) -> None:
    """Run all cells of the notebook that is shown, and wait for the end of the last one."""
    page.evaluate(RUN_ALL)
    page.wait_for_function(ALL_RAN)
    assert page.evaluate(ERRORS) == []


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(480):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=10).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.25)
    raise AssertionError(f"no answer within two minutes: {log.read_text()}")
