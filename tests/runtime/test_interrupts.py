"""An interruption is one sentence in a notebook, and still an interruption for the program."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from nasbook import experiment
from nasbook.runtime.events import Stepped
from nasbook.runtime.interrupts import explained

TINY = {"epochs": 3, "images": 64, "batch": 16, "channels": 4, "layers": 3}


def stop(event: object) -> None:
    if isinstance(event, Stepped) and event.epoch == 2:
        raise KeyboardInterrupt


def shown(work: Callable[[], object]) -> str:
    """What a notebook's shell shows of a cell that does this work."""
    shell = InteractiveShell()
    shell.user_ns["work"] = work
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(out):
        assert isinstance(shell.run_cell("work()").error_in_exec, KeyboardInterrupt)
    return out.getvalue()


def test_an_interrupted_search_is_one_sentence_that_names_its_folder_and_the_same_call_goes_on(tmp_path: Path) -> None:
    def search(**more: object) -> experiment.Outcome:
        return experiment.search(data="digits", numbers=TINY, retrain=False, **more)  # type: ignore[arg-type]

    said = shown(lambda: search(run=tmp_path / "run", listeners=[stop]))
    assert len(said.strip().splitlines()) == 1
    assert str(tmp_path / "run") in said
    said = shown(lambda: search(listeners=[stop]))
    assert "run=FOLDER" in said
    assert "Traceback" not in said
    told: list[object] = []
    assert search(run=tmp_path / "run", listeners=[told.append]).history
    assert {event.epoch for event in told if isinstance(event, Stepped)} == {2, 3}


def test_the_inner_sentence_is_shown_and_another_error_is_left_alone() -> None:
    @explained("outer")
    def work() -> None:
        with explained("inner"):
            raise KeyboardInterrupt

    assert shown(work).strip() == "inner"
    with pytest.raises(ZeroDivisionError) as error, explained("never"):
        raise ZeroDivisionError
    assert not hasattr(error.value, "_render_traceback_")
