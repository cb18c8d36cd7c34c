from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from nasbook.course import lab
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import notebooks_folder


def notebook(path: Path, source: str, shown: str = "", **metadata: Any) -> None:
    outputs = [new_output("stream", text=shown)] if shown else []
    nbformat.write(new_notebook(cells=[new_code_cell(source, id="a", outputs=outputs)], metadata=metadata), path)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    source = tmp_path / "release"
    source.mkdir()
    for name in ("00_a", "01_b"):
        notebook(source / f"{name}.ipynb", f"first {name}")
    (source / "00_a.py").write_text("source")
    return source


def test_chapters_are_copied_updated_and_kept(release: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    copied = lab.copy_chapters(mine, source=release)
    assert (copied.new, copied.updated, copied.kept) == (("00_a.ipynb", "01_b.ipynb"), (), ())
    assert {path.name for path in mine.iterdir()} == {"00_a.ipynb", "01_b.ipynb", lab.MANIFEST}

    (mine / "01_b.ipynb").write_text("my notes")
    assert lab.copy_chapters(mine, source=release) == lab.Copied((), (), ())  # nothing new is released: nothing to say
    for shipped in release.glob("*.ipynb"):
        notebook(shipped, f"second {shipped.stem}")
    for _ in range(2):  # a copy that was kept once is kept again
        copied = lab.copy_chapters(mine, source=release)
        assert copied.kept == ("01_b.ipynb",)
        assert (mine / "01_b.ipynb").read_text() == "my notes"
        assert (mine / "00_a.ipynb").read_bytes() == (release / "00_a.ipynb").read_bytes()
    assert "Kept your own 01_b.ipynb" in copied.sentences(mine)[0]

    (mine / "01_b.ipynb").unlink()
    assert lab.copy_chapters(mine, source=release).new == ("01_b.ipynb",)


def test_a_chapter_that_was_only_opened_or_run_is_updated(release: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    lab.copy_chapters(mine, source=release)
    opened, ran = mine / "00_a.ipynb", mine / "01_b.ipynb"
    notebook(opened, "first 00_a", language_info={"name": "python", "version": "3.99"})  # another Python saved it
    notebook(ran, "first 01_b", shown="the reader's own")
    lab.copy_chapters(mine, source=release)
    assert "the reader's own" in ran.read_text()  # until there is something new

    notebook(release / "00_a.ipynb", "second 00_a")
    notebook(release / "01_b.ipynb", "first 01_b", shown="the book's own")
    assert lab.copy_chapters(mine, source=release) == lab.Copied((), ("00_a.ipynb",), ())
    assert "second 00_a" in opened.read_text()
    assert "the reader's own" in ran.read_text()  # the release changed outputs alone

    notebook(release / "01_b.ipynb", "second 01_b", shown="the book's own")
    assert lab.copy_chapters(mine, source=release).updated == ("01_b.ipynb",)
    notebook(release / "01_b.ipynb", "second 01_b", shown="corrected")
    assert lab.copy_chapters(mine, source=release).updated == ("01_b.ipynb",)  # never opened: new outputs come too
    assert "corrected" in ran.read_text()


@pytest.mark.parametrize("damage", ["", "[]", '{"copied": 1}', '{"copied": {"00_a.ipynb": "a"}}', "{"])
def test_without_a_readable_record_every_different_file_is_the_readers(
    damage: str, release: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    lab.copy_chapters(mine, source=release)
    (mine / lab.MANIFEST).write_text(damage)
    notebook(release / "00_a.ipynb", "second")
    assert lab.copy_chapters(mine, source=release).kept == ("00_a.ipynb",)
    assert "first 00_a" in (mine / "00_a.ipynb").read_text()


def test_a_file_in_the_way_is_refused(release: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        lab.copy_chapters(tmp_path / "file", source=release)
    with pytest.raises(UsageError, match="the book's own chapters"):
        lab.copy_chapters(release, source=release)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been served."""
    served: list[list[str]] = []

    def serve(command: list[str]) -> int:
        served.append(command)
        return 0

    monkeypatch.setattr(lab, "_serve", serve)
    return served


def test_a_copy_in_the_current_folder_is_opened(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: Path
) -> None:
    monkeypatch.setattr(lab, "notebooks_folder", lambda: release)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    lab.open_lab(report=said.append)
    (command,) = commands
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path / 'nasbook-book'}" in command
    assert "--no-browser" not in command
    assert said == [f"Copied 2 chapters to {tmp_path / 'nasbook-book'}."]
    lab.open_lab(browser=False, port=9999)
    assert {"--no-browser", "--port=9999"} <= set(commands[1])


def test_the_book_of_this_checkout_is_copied_too(commands: list[list[str]], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in notebooks_folder().iterdir() if path.is_file()}
    assert lab.open_lab(tmp_path / "mine") == 0
    assert f"--ServerApp.root_dir={tmp_path / 'mine'}" in commands[0]
    assert {path: path.read_bytes() for path in notebooks_folder().iterdir() if path.is_file()} == before


def test_readers_are_not_asked_about_news_unless_they_want_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "labconfig").mkdir(parents=True)
    (own / "labconfig" / "default_setting_overrides.json").write_text('{"theirs": {"kept": true}}')
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(own))
    seen = tmp_path / "seen.json"
    code = (
        "import json, pathlib; from jupyterlab_server.settings_utils import _get_overrides; "
        f"pathlib.Path({str(seen)!r}).write_text(json.dumps(_get_overrides('')[0]))"
    )
    assert lab._serve([sys.executable, "-c", code]) == 0
    found = json.loads(seen.read_text())
    assert found["@jupyterlab/apputils-extension:notification"] == {"checkForUpdates": False, "fetchNews": "false"}
    assert found["theirs"] == {"kept": True}


def test_a_readers_own_python_start_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "mine.py")
    assert lab._environment()["PYTHONSTARTUP"] == "mine.py"
    monkeypatch.setenv("PYTHONSTARTUP", "")
    assert Path(lab._environment()["PYTHONSTARTUP"]).is_file()


def test_what_cannot_be_served_is_refused(commands: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="1 to 65535"):
        lab.open_lab(port=0)
    find = importlib.util.find_spec

    def without_jupyterlab(name: str, *rest: Any) -> Any:
        return None if name == "jupyterlab" else find(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without_jupyterlab)
    with pytest.raises(UsageError, match="JupyterLab is not installed"):
        lab.open_lab()
    assert commands == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGHUP", None)])])
def test_ctrl_c_or_a_closed_terminal_ends_the_server_quietly(sent: signal.Signals, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    child = f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); time.sleep(60)"
    code = textwrap.dedent(f"""
        import signal, sys
        from nasbook.course import lab
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and jobs under nohup this one
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and those of nohup this one
        sys.exit(lab._serve([sys.executable, "-c", {child!r}]))
    """)
    nasbook = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    for _ in range(300):
        if pid.is_file() and pid.read_text():
            break
        time.sleep(0.1)
    nasbook.send_signal(sent)
    _, errors = nasbook.communicate(timeout=30)
    assert (nasbook.returncode, errors) == (0, b"")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_the_server_listens_on_this_machine_alone_whatever_a_configuration_says(
    commands: list[list[str]], tmp_path: Path
) -> None:
    lab.open_lab(tmp_path / "mine")
    assert "--ServerApp.ip=127.0.0.1" in commands[0]
