"""Notebooks are made, found stale, and left alone when a cell fails. Each kernel costs about two seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nasbook.course import pipeline
from nasbook.course.book import Book, Chapter
from nasbook.course.rules import Draft, outputs, problems
from nasbook.runtime.errors import UsageError

SOURCE = """\
# %% [markdown]
# # 04. Continuous relaxation

# %% tags=["nbval-check-output"]
import os

import ipywidgets

from nasbook.course.printing import show

show(threads=os.environ["OMP_NUM_THREADS"], size=os.environ.get("NASBOOK_SIZE"))

# %% jupyter={"source_hidden": true} tags=["solution"]
print("a")
print("b")
ipywidgets.IntSlider()
"""


@pytest.fixture
def write(chapter: Chapter, tmp_path: Path) -> Any:
    def source(text: str) -> Path:
        path = tmp_path / f"{chapter.name}.py"
        path.write_text(text, encoding="utf-8")
        return path

    return source


def test_a_notebook_is_made_twice_the_same(
    write: Any, chapter: Chapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASBOOK_SIZE", "paper")  # the book is made at class size whatever its maker has set
    write(SOURCE)
    assert pipeline.why_stale(chapter, tmp_path) == ["04_relaxation.ipynb does not exist."]
    run = pipeline.make(chapter, tmp_path)
    assert run.error is None
    assert run.seconds > 0
    assert run.peak_mib > 10
    path = pipeline.notebook_path(chapter, tmp_path)
    first = path.read_bytes()
    assert pipeline.make(chapter, tmp_path).error is None
    assert path.read_bytes() == first
    assert {item.name for item in tmp_path.iterdir()} == {"04_relaxation.py", "04_relaxation.ipynb"}

    assert pipeline.why_stale(chapter, tmp_path) == []
    notebook = nbformat.read(path, as_version=4)
    assert problems(Draft(chapter, notebook), outputs.RULES) == []
    _, shown, solved = notebook.cells
    assert shown.outputs[0].text == "threads  1\nsize     None\n"
    assert [output.output_type for output in solved.outputs] == ["stream", "execute_result"]
    assert list(solved.outputs[1].data) == ["text/plain"]  # no model of a widget that is gone
    assert solved.metadata == {"jupyter": {"source_hidden": True}, "tags": ["solution"]}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 // 0", "Cell 1 (1 // 0) raised ZeroDivisionError"),
        ("import warnings; warnings.warn('old')", "Cell 1 wrote on standard error"),
        ("print('/home/me/file')", "The output of cell 1 shows an absolute path."),
        ("import nasbook; nasbook.show(0.12345)", "raised UsageError: 0.12345 sits on a rounding edge"),
        ("import os; os._exit(1)", "The kernel died in cell 1"),
    ],
)
def test_a_chapter_that_fails_keeps_its_old_notebook(
    code: str, message: str, write: Any, chapter: Chapter, tmp_path: Path
) -> None:
    write(f"# %% [markdown]\n# text\n\n# %%\n{code}\n")
    old = pipeline.notebook_path(chapter, tmp_path)
    old.write_text("old")
    error = pipeline.make(chapter, tmp_path).error
    assert error is not None
    assert message in error
    assert error.startswith("04_relaxation keeps its old notebook.")
    assert old.read_text() == "old"


def test_a_cell_has_a_time_limit(write: Any, chapter: Chapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "CELL_SECONDS", 1)
    write("# %%\nimport time\n\ntime.sleep(30)\n")
    assert "Cell 0 (import time) took longer than 1 s." in str(pipeline.make(chapter, tmp_path).error)


def test_what_differs_from_the_source_is_named(write: Any, chapter: Chapter, tmp_path: Path) -> None:
    write('# %% [markdown]\n# text\n\n# %% tags=["a"]\nx = 1\n')
    notebook = pipeline.read_source(chapter, tmp_path)
    path = pipeline.notebook_path(chapter, tmp_path)

    def reasons(**change: Any) -> list[str]:
        made = nbformat.from_dict(notebook)
        made.cells[1].execution_count = 1
        made.cells[1].update(change)
        nbformat.write(made, path)
        return pipeline.why_stale(chapter, tmp_path)

    assert reasons() == []
    assert reasons(source="x = 2") == ["Cell 1 is the first that differs, in its text."]
    assert reasons(metadata={"tags": ["b"]}) == ["Cell 1 is the first that differs, in its metadata."]
    assert reasons(execution_count=2) == ["Execution counts are [2], not 1 to n."]
    error = nbformat.v4.new_output("error", ename="E", evalue="v", traceback=[])
    assert reasons(outputs=[error]) == ["Cell 1 raised E: v"]
    write("# %% [markdown]\n# text\n")
    assert reasons() == ["The source has 1 cells, the notebook 2."]
    path.write_text("{")
    assert pipeline.why_stale(chapter, tmp_path) == ["04_relaxation.ipynb is not a readable notebook."]
    missing = replace(chapter, name="03_none")
    for said in (pipeline.why_stale(missing, tmp_path)[0], str(pipeline.make(missing, tmp_path).error)):
        assert said.startswith("book.yml lists 03_none, but ")


def test_seconds_are_recorded_and_failures_are_not(
    chapter: Chapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = replace(chapter, number="05", name="05_bad")
    (tmp_path / "04_relaxation.py").write_text("# %%\nx = 1\n")
    (tmp_path / "05_bad.py").write_text("# %%\n1 // 0\n")
    monkeypatch.setattr(pipeline, "load_book", lambda: Book("B", (chapter, bad)))
    monkeypatch.setattr(pipeline, "notebooks_folder", lambda: tmp_path)
    monkeypatch.setattr(pipeline, "data_folder", lambda: tmp_path)
    assert pipeline.seconds() == {}
    said: list[str] = []
    runs = pipeline.regenerate(report=said.append)
    assert [run.error is None for run in runs] == [True, False]
    assert said[0] == "04_relaxation: running ..."
    assert "05_bad keeps its old notebook. Cell 0 (1 // 0) raised" in said[-1]
    assert list(pipeline.seconds()) == ["04_relaxation"]
    assert pipeline.seconds()["04_relaxation"]["seconds"] == pytest.approx(runs[0].seconds, abs=0.06)
    assert list(pipeline.stale()) == ["05_bad"]
    with pytest.raises(UsageError, match="no chapter '07'"):
        pipeline.regenerate(["07"], report=said.append)
