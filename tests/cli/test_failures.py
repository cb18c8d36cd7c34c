"""What the machine refuses ends in one sentence and exit status 1."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nasbook.cli import app, lists
from nasbook.runtime.events import EpochEnded, Event
from nasbook.runtime.progress import terminal_progress

FAILURES = [
    (OSError(errno.ENOSPC, "No space left on device", "runs/a"), "runs/a: No space left on device"),
    (OSError(errno.EACCES, "Permission denied", "data"), "data: Permission denied"),
    (MemoryError(), "not enough memory"),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"), "not enough memory"),
]


@pytest.mark.parametrize(("failure", "says"), FAILURES)
def test_a_failure_of_the_machine_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, says: str
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(lists, "print_table", fail)
    result = CliRunner().invoke(app, ["methods"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("nasbook: ")
    assert result.stderr.count("\n") == 1
    assert says in result.stderr


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(lists, "print_table", fail)
    assert isinstance(CliRunner().invoke(app, ["methods"]).exception, RuntimeError)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_run_goes_on_where_nobody_can_see_it() -> None:
    event: Event = EpochEnded("search", 1, 2, {"train_loss": 1.0, "train_accuracy": 50.0, "seconds": 1.0})
    full = open("/dev/full", "w", buffering=1)  # noqa: SIM115 (closing it writes once more, and fails)
    with terminal_progress(full) as show:
        show(event)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        full.close()


@pytest.mark.parametrize("folder", [["select"], ["claims", "--folder"]])
def test_names_that_the_file_system_does_not_take(folder: list[str]) -> None:
    result = CliRunner().invoke(app, [*folder, "x" * 300])
    assert result.exit_code in (1, 2)
    assert "name too long" in result.stderr


@pytest.mark.parametrize(
    "options", ["--channels 100000000", "--layers 100000000000000000000", "--nodes 100000", "--train-channels 1000000"]
)
def test_numbers_beyond_all_sense_are_refused_before_any_work(options: str) -> None:
    result = CliRunner().invoke(app, ["search", "--data", "digits", *options.split()])
    assert result.exit_code == 2
    assert "must be at most" in result.stderr
