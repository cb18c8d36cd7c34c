"""Opens the reader's own copy of the book in JupyterLab, from a checkout or from an installed wheel."""

from __future__ import annotations

import hashlib
import importlib.util
import json
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
from nasbook.runtime.resources import notebooks_folder

COPY = "nasbook-book"
MANIFEST = ".nasbook.json"
# How this process is told to end; a terminal that closes sends SIGHUP, which Windows does not have.
_ENDINGS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
# Defaults of JupyterLab's settings: a reader is not asked about Jupyter's news, and nothing is fetched. The settings of
# the reader come first.
SETTINGS = Path(__file__).with_name("jupyter")


def open_lab(
    folder: Path | None = None,
    *,
    browser: bool = True,
    port: int | None = None,
    report: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
) -> int:
    """Serve the book in JupyterLab until the reader stops it (Ctrl-C).

    Args:
        folder: where the reader's copy of the chapters lies or goes; `nasbook-book` in the current folder without it.
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
    place = (folder or Path(COPY)).resolve()
    for line in copy_chapters(place).sentences(place):
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
    """Bring the chapters to a reader's folder and never touch one whose cells the reader has changed.

    The folder's `.nasbook.json` holds two checksums of each file as it was copied: of the whole, and of its cells'
    sources. Only a release with another file brings a new version. It replaces a copy whose sources are still as they
    were copied, even if the reader has run it. Any other copy is the reader's own.

    Raises:
        UsageError: `place` is a file or the folder of the book itself, or may not be written.
    """
    source = source or notebooks_folder()
    if place.exists() and not place.is_dir():
        raise UsageError(f"{place} is a file; name a folder for the chapters.")
    if place.resolve() == source.resolve():
        raise UsageError(f"{place} holds the book's own chapters; name another folder for your copy.")
    known = _manifest(place / MANIFEST)
    done: dict[str, list[str]] = {"new": [], "updated": [], "kept": [], "same": []}
    try:
        for shipped in sorted(source.glob("*.ipynb")):
            name, content, target = shipped.name, shipped.read_bytes(), place / shipped.name
            current = target.read_bytes() if target.is_file() else None
            what = _what_to_do(current, content, known.get(name, {}))
            if what in ("new", "updated"):
                files.write_bytes(target, content)
            if what != "kept":
                known[name] = _marks(content)
            done[what].append(name)
        files.write_json(place / MANIFEST, {"copied": known})
    except PermissionError as error:
        raise UsageError(f"The chapters cannot be copied to {place}: {error.strerror}.") from None
    return Copied(tuple(done["new"]), tuple(done["updated"]), tuple(done["kept"]))


def _what_to_do(current: bytes | None, content: bytes, copied: dict[str, str]) -> str:
    """What to do with a reader's file, given the release's `content` and the checksums made when it was copied."""
    if current is None:
        return "new"
    shipped, own = _marks(content), _marks(current)
    if copied.get("file") == shipped["file"]:
        return "same"  # the release has not changed this file: the reader's file stays as it is
    if copied.get("file") == own["file"]:
        return "updated"
    if own["sources"] == shipped["sources"]:
        return "same"  # the reader has run it: the release has new outputs alone
    return "updated" if own["sources"] == copied.get("sources") else "kept"


def _marks(content: bytes) -> dict[str, str]:
    return {"file": _checksum(content), "sources": _sources(content)}


def _manifest(path: Path) -> dict[str, dict[str, str]]:
    """Checksums by file name; none where the record is missing or damaged, so that everything counts as changed."""
    try:
        copied = files.read_json(path)["copied"]
        return {str(name): {key: str(marks[key]) for key in ("file", "sources")} for name, marks in copied.items()}
    except (UsageError, KeyError, TypeError, AttributeError):
        return {}


def _sources(content: bytes) -> str:
    """The checksum of the cells' types and sources; of the whole file if it is not a notebook.

    JupyterLab writes the whole file when it saves, with outputs, execution counts and metadata.
    """
    try:
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(content)["cells"]]
        return _checksum(json.dumps(cells).encode("utf-8"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return _checksum(content)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _command(place: Path, *, browser: bool, port: int | None) -> list[str]:
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={place}", "--ServerApp.answer_yes=True"]
    command.append("--ServerApp.ip=127.0.0.1")  # whatever the reader's own configuration says
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


def _environment() -> dict[str, str]:
    """The reader's own environment, plus the book's settings and its kernel start file, unless the reader has one."""
    paths = [str(SETTINGS), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    start = os.environ.get("PYTHONSTARTUP") or str(Path(__file__).with_name("kernel_start.py"))
    return {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(paths), "PYTHONSTARTUP": start}


def _serve(command: list[str]) -> int:
    """Run the server as a child that ends when this process is told to end."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {each: signal.getsignal(each) for each in _ENDINGS}
    heard = [each for each, handler in before.items() if handler is not signal.SIG_IGN]  # nohup ignores SIGHUP
    for each in heard:
        signal.signal(each, stop)
    # Ctrl-C reaches this process alone, which passes it on
    server = subprocess.Popen(command, env=_environment(), start_new_session=True)
    try:
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        for each in heard:
            signal.signal(each, signal.SIG_IGN)  # a closing terminal can send the signal more than once
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
