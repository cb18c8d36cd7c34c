"""Open the book in JupyterLab: in place in a checkout, as the reader's own copy from an installed wheel."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from nasbook.course.book import load_book
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import in_checkout, notebooks_folder

COPY = "nasbook-book"
MANIFEST = ".nasbook.json"
# How this process is told to end; a terminal that closes sends SIGHUP, which Windows does not have.
_ENDINGS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


def open_lab(
    folder: Path | None = None,
    *,
    browser: bool = True,
    port: int | None = None,
    report: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
) -> int:
    """Serve the book in JupyterLab until the reader stops it (Ctrl-C).

    Args:
        folder: where the reader's copy of the chapters lies or goes; without it a checkout opens its own chapters and
            an installed wheel uses `nasbook-book` in the current folder.
        browser: open a browser window; otherwise the address is printed and the server waits.
        port: of the server on this machine; JupyterLab picks a free one without it.
        report: is handed lines on what was copied and kept.

    Returns:
        The exit status of JupyterLab; 0 when the reader stopped it.

    Raises:
        UsageError: JupyterLab is not installed, or the folder cannot hold a copy.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise UsageError("JupyterLab is not installed here; `python -m pip install jupyterlab ipywidgets` brings it.")
    if port is not None and not 1 <= port <= 65535:
        raise UsageError(f"The port must be from 1 to 65535, not {port}.")
    if folder is None and in_checkout():
        place = notebooks_folder()
    else:
        place = (folder or Path(COPY)).resolve()
        copied = copy_chapters(place)
        for line in copied.sentences(place):
            report(line)
    return _serve(_command(place, browser=browser, port=port))


@dataclass(frozen=True)
class Copied:
    """What `copy_chapters` did, as names of files.

    Args:
        new: copied for the first time.
        updated: an untouched copy replaced by the version of this release.
        kept: changed by the reader while this release has another version; left as it was.
    """

    new: tuple[str, ...]
    updated: tuple[str, ...]
    kept: tuple[str, ...]

    def sentences(self, place: Path) -> list[str]:
        """What to tell the reader."""
        lines = []
        if self.new:
            lines.append(f"Copied {len(self.new)} chapters to {place}.")
        if self.updated:
            lines.append(f"Updated {', '.join(self.updated)}.")
        if self.kept:
            lines.append(f"Kept your own {', '.join(self.kept)}; rename a file to get this release's version too.")
        return lines


def copy_chapters(place: Path, *, source: Path | None = None) -> Copied:
    """Bring the chapters to a reader's folder and never touch one that the reader has changed.

    The folder's `.nasbook.json` holds the checksum of each file as it was copied: a file that still has it is the
    book's and may be updated; any other is the reader's.

    Raises:
        UsageError: `place` is a file, or may not be written.
    """
    source = source or notebooks_folder()
    if place.exists() and not place.is_dir():
        raise UsageError(f"{place} is a file; name a folder for the chapters.")
    known = _manifest(place / MANIFEST)
    new, updated, kept = [], [], []
    try:
        for shipped in sorted(source.glob("*.ipynb")):
            content, target = shipped.read_bytes(), place / shipped.name
            current = target.read_bytes() if target.is_file() else None
            if current is None:
                new.append(shipped.name)
            elif current == content:
                pass
            elif _checksum(current) == known.get(shipped.name):
                updated.append(shipped.name)
            else:
                kept.append(shipped.name)
                continue
            if current != content:
                files.write_bytes(target, content)
            known[shipped.name] = _checksum(content)
        files.write_json(place / MANIFEST, {"copied": known})
    except PermissionError as error:
        raise UsageError(f"The chapters cannot be copied to {place}: {error.strerror}.") from None
    return Copied(tuple(new), tuple(updated), tuple(kept))


def _manifest(path: Path) -> dict[str, str]:
    """Checksums by file name; none where the record is missing or damaged, so that everything counts as changed."""
    try:
        copied = files.read_json(path)["copied"]
        return {str(name): str(checksum) for name, checksum in copied.items()}
    except (UsageError, KeyError, TypeError, AttributeError):
        return {}


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _command(place: Path, *, browser: bool, port: int | None) -> list[str]:
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={place}", "--ServerApp.answer_yes=True"]
    command.append("--ServerApp.ip=127.0.0.1")  # whatever the reader's own configuration says
    command.append("--LabApp.news_url=None")  # a reader is not asked about Jupyter's news, and nothing is fetched
    first = next((chapter for chapter in load_book() if (place / f"{chapter.name}.ipynb").is_file()), None)
    if first is not None:
        command.append(f"--LabApp.default_url=/lab/tree/{first.name}.ipynb")
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command += [f"--port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # containers run as root; the server listens on this machine alone
    return command


def _serve(command: list[str]) -> int:
    """Run the server as a child that ends when this process is told to end."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {each: signal.getsignal(each) for each in _ENDINGS}
    heard = [each for each, handler in before.items() if handler is not signal.SIG_IGN]  # nohup ignores SIGHUP
    for each in heard:
        signal.signal(each, stop)
    server = subprocess.Popen(command, start_new_session=True)  # Ctrl-C reaches this process alone, which passes it on
    try:
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        for each in heard:
            signal.signal(each, signal.SIG_IGN)  # a closing terminal says so more than once
        _end(server)
        for each in heard:
            signal.signal(each, before[each])


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end its kernels and itself; insist after ten seconds."""
    if server.poll() is not None:
        return
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
