"""The executed notebooks: made from the chapters' sources by one function, never edited by hand."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasbook.course.book import Chapter, load_book
from nasbook.course.predictions import predictions_of
from nasbook.course.rules import Draft, outputs, problems
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder, notebooks_folder

CELL_SECONDS = 600
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class ChapterRun:
    """What one execution of a chapter took.

    Args:
        name: the chapter's name.
        seconds: from the start of the kernel to the end of the last cell.
        peak_mib: the most memory that the kernel held, in MiB.
        error: what went wrong, in one sentence, or None.
    """

    name: str
    seconds: float
    peak_mib: float
    error: str | None = None


def regenerate(
    names: Iterable[str] | None = None, *, report: Callable[[str], None] = lambda line: print(line, file=sys.stderr)
) -> list[ChapterRun]:
    """Execute chapters and replace their .ipynb; a chapter that fails keeps the file that it had.

    Args:
        names: numbers or names of chapters; all of them without.
        report: is handed a line when a chapter begins and ends.

    Returns:
        Seconds, peak memory and error of each chapter, in order. They are kept in `data/chapter_runs.json` too.

    Raises:
        UsageError: there is no such chapter.
    """
    book = load_book()
    chapters = [book.chapter(name) for name in names] if names is not None else list(book)
    runs = []
    for chapter in chapters:
        report(f"{chapter.name}: running ...")
        run = make(chapter, notebooks_folder())
        runs.append(run)
        _record(run)  # one by one: an interrupted making keeps what it has measured
        report(f"{chapter.name}: {run.seconds:.0f} s, {run.peak_mib:.0f} MiB" if run.error is None else run.error)
    return runs


def make(chapter: Chapter, folder: Path) -> ChapterRun:
    """Execute one chapter of a folder and write its .ipynb there, unless it fails."""
    try:
        notebook = read_source(chapter, folder)
    except UsageError as fault:
        return ChapterRun(chapter.name, 0.0, 0.0, str(fault))
    start = time.perf_counter()
    error, peak_mib = execute(notebook)
    seconds = time.perf_counter() - start
    if error is None:
        clean(notebook, chapter)
        broken = problems(Draft(chapter, notebook, predictions=predictions_of(chapter.number)), outputs.RULES)
        error = " ".join(broken) or None
    if error is not None:
        return ChapterRun(chapter.name, seconds, peak_mib, f"{chapter.name} keeps its old notebook. {error}")
    files.write_text(notebook_path(chapter, folder), _text(notebook))
    return ChapterRun(chapter.name, seconds, peak_mib)


def stale(folder: Path | None = None) -> dict[str, list[str]]:
    """Which chapters' notebooks are not what their sources say: name to reasons, only those with a reason.

    Args:
        folder: of the notebooks; the book's own without.
    """
    folder = folder or notebooks_folder()
    found = {chapter.name: why_stale(chapter, folder) for chapter in load_book()}
    return {name: reasons for name, reasons in found.items() if reasons}


def why_stale(chapter: Chapter, folder: Path) -> list[str]:
    """The differences of a chapter's .ipynb from its .py, and what shows that it was not run from top to end."""
    import nbformat

    try:
        wanted = read_source(chapter, folder)
    except UsageError as error:
        return [str(error)]
    path = notebook_path(chapter, folder)
    if not path.is_file():
        return [f"{path.name} does not exist."]
    try:
        made = nbformat.read(path, as_version=4)
    except (ValueError, nbformat.reader.NotJSONError):
        return [f"{path.name} is not a readable notebook."]
    found = []
    if len(wanted.cells) != len(made.cells):
        found.append(f"The source has {len(wanted.cells)} cells, the notebook {len(made.cells)}.")
    for place, (left, right) in enumerate(zip(wanted.cells, made.cells)):
        parts = [what for what, of in _PARTS.items() if of(left) != of(right)]
        if parts:
            found.append(f"Cell {place} is the first that differs, in its {' and '.join(parts)}.")
            break  # after a cell that was put in or taken out, all differ
    draft = Draft(chapter, made)
    return found + outputs.executed_in_order(draft) + outputs.no_errors(draft)


def seconds() -> dict[str, dict[str, float]]:
    """The recorded seconds and peak MiB of each chapter's last execution by `regenerate`."""
    path = _record_path()
    if not path.is_file():
        return {}
    chapters: dict[str, dict[str, float]] = files.read_json(path)["chapters"]
    return chapters


def read_source(chapter: Chapter, folder: Path) -> Any:
    """A chapter's source as a notebook without outputs.

    Raises:
        UsageError: there is no such file.
    """
    import jupytext

    path = folder / f"{chapter.name}.py"
    if not path.is_file():
        raise UsageError(f"book.yml lists {chapter.name}, but {path} does not exist.")
    return jupytext.read(path, fmt="py:percent")


def notebook_path(chapter: Chapter, folder: Path) -> Path:
    """Where a chapter's executed notebook lies."""
    return folder / f"{chapter.name}.ipynb"


def execute(notebook: Any) -> tuple[str | None, float]:
    """Run every cell in a fresh kernel, in place, in an empty folder.

    Returns:
        What went wrong, in one sentence (None if nothing), and the kernel's peak memory in MiB.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from nbformat.v4 import new_code_cell

    cells = list(notebook.cells)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
        )
        place = 0
        with client.setup_kernel(env=_environment()):
            try:
                for place, cell in enumerate(cells):
                    client.execute_cell(cell, place)
            except CellExecutionError as fault:
                return f"Cell {place} ({_first_line(cells[place])}) raised {fault.ename}: {fault.evalue}", float("nan")
            except CellTimeoutError:
                return f"Cell {place} ({_first_line(cells[place])}) took longer than {CELL_SECONDS} s.", float("nan")
            except DeadKernelError:
                return f"The kernel died in cell {place} ({_first_line(cells[place])}).", float("nan")
            notebook.cells.append(new_code_cell(_PEAK))
            probe = client.execute_cell(notebook.cells[-1], len(cells), store_history=False)
            del notebook.cells[-1]
    return None, float(probe.outputs[0].text)


def clean(notebook: Any, chapter: Chapter) -> None:
    """Leave what depends on the source alone: ids by position, fixed metadata, no widget models."""
    notebook.metadata.clear()
    notebook.metadata.update(_as_jupyterlab_saves())
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"{chapter.number}-{place:03d}"
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(_WIDGET_VIEW, None)  # its model lives only as long as the kernel


def _as_jupyterlab_saves() -> dict[str, Any]:
    """The metadata that JupyterLab writes when it saves. With them, opening a chapter changes nothing."""
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelspec import KERNEL_NAME, get_kernel_dict

    kernel = get_kernel_dict()
    named = {"display_name": kernel["display_name"], "language": kernel["language"], "name": KERNEL_NAME}
    return {"kernelspec": named, "language_info": dict(IPythonKernel.language_info)}


_PEAK = "import torch; from nasbook.runtime import devices; print(devices.memory_mib(torch.device('cpu')))"


def _environment() -> dict[str, str]:
    """The reader's environment at class size, with one thread and with numbers near a rounding edge refused."""
    dropped = {"NASBOOK_SIZE", "NASBOOK_DEVICE", "MPLBACKEND"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "NASBOOK_EDGES": "1", "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def _record(run: ChapterRun) -> None:
    import datetime

    import torch

    if run.error is not None:
        return
    measured = {run.name: {"seconds": round(run.seconds, 1), "peak_mib": round(run.peak_mib)}}
    record = {
        "command": "nasbook notebooks",
        "torch": torch.__version__,
        "threads": 1,
        "date": datetime.date.today().isoformat(),
        "chapters": dict(sorted({**seconds(), **measured}.items())),
    }
    files.write_json(_record_path(), record)


def _record_path() -> Path:
    return data_folder() / "chapter_runs.json"


def _text(notebook: Any) -> str:
    import nbformat

    text: str = nbformat.writes(notebook)
    return text.rstrip("\n") + "\n"


def _kind(cell: Any) -> str:
    return str(cell.cell_type)


def _source(cell: Any) -> str:
    return str(cell.source)


def _metadata(cell: Any) -> dict[str, Any]:
    return {name: cell.metadata[name] for name in ("tags", "jupyter") if name in cell.metadata}


_PARTS: dict[str, Callable[[Any], Any]] = {"type": _kind, "text": _source, "metadata": _metadata}


def _first_line(cell: Any) -> str:
    lines = [line for line in cell.source.splitlines() if line.strip()]
    return lines[0].strip() if lines else "empty"
