from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from nasbook.course import lab
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import notebooks_folder


@pytest.fixture
def release(tmp_path: Path) -> Path:
    source = tmp_path / "release"
    source.mkdir()
    for name in ("00_a", "01_b"):
        (source / f"{name}.ipynb").write_text(f"first {name}")
    (source / "00_a.py").write_text("source")
    return source


def test_chapters_are_copied_updated_and_kept(release: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    copied = lab.copy_chapters(mine, source=release)
    assert (copied.new, copied.updated, copied.kept) == (("00_a.ipynb", "01_b.ipynb"), (), ())
    assert {path.name for path in mine.iterdir()} == {"00_a.ipynb", "01_b.ipynb", lab.MANIFEST}

    (mine / "01_b.ipynb").write_text("my notes")
    for shipped in release.glob("*.ipynb"):
        shipped.write_text(f"second {shipped.stem}")
    for _ in range(2):  # a copy that was kept once is kept again
        copied = lab.copy_chapters(mine, source=release)
        assert copied.kept == ("01_b.ipynb",)
        assert (mine / "01_b.ipynb").read_text() == "my notes"
        assert (mine / "00_a.ipynb").read_text() == "second 00_a"
    assert "Kept your own 01_b.ipynb" in copied.sentences(mine)[0]

    (mine / "01_b.ipynb").unlink()
    assert lab.copy_chapters(mine, source=release).new == ("01_b.ipynb",)


@pytest.mark.parametrize("damage", ["", "[]", '{"copied": 1}', "{"])
def test_without_a_readable_record_every_different_file_is_the_readers(
    damage: str, release: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    lab.copy_chapters(mine, source=release)
    (mine / lab.MANIFEST).write_text(damage)
    (release / "00_a.ipynb").write_text("second")
    assert lab.copy_chapters(mine, source=release).kept == ("00_a.ipynb",)
    assert (mine / "00_a.ipynb").read_text() == "first 00_a"


def test_a_file_in_the_way_is_refused(release: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        lab.copy_chapters(tmp_path / "file", source=release)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been served."""
    served: list[list[str]] = []

    def serve(command: list[str]) -> int:
        served.append(command)
        return 0

    monkeypatch.setattr(lab, "_serve", serve)
    return served


def test_a_checkout_opens_its_own_chapters(commands: list[list[str]]) -> None:
    assert lab.open_lab(browser=False, port=9999) == 0
    (command,) = commands
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={notebooks_folder()}" in command
    assert {"--no-browser", "--port=9999"} <= set(command)


def test_a_wheel_opens_a_copy_in_the_current_folder(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: Path
) -> None:
    monkeypatch.setattr(lab, "in_checkout", lambda: False)
    monkeypatch.setattr(lab, "notebooks_folder", lambda: release)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    lab.open_lab(report=said.append)
    assert f"--ServerApp.root_dir={tmp_path / 'nasbook-book'}" in commands[0]
    assert "--no-browser" not in commands[0]
    assert said == [f"Copied 2 chapters to {tmp_path / 'nasbook-book'}."]


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
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_server_quietly(sent: signal.Signals, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    child = f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); time.sleep(60)"
    code = textwrap.dedent(f"""
        import signal, sys
        from nasbook.course import lab
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
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
