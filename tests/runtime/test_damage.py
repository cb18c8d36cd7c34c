"""Every file of a run folder damaged in every way: the run goes on rightly, or one sentence refuses it."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbook.runtime import states
from nasbook.runtime.errors import UsageError
from nasbook.runtime.run_folder import RunFolder

CONFIG = {"method": "darts", "seed": 0, "numbers": {"epochs": 3, "lr": 0.1}, "train": {"epochs": 2}}
LATE = {"train": ("train",)}
FILES = ["config.json", "history.jsonl", "checkpoint.pt", "result.json"]
RESULT = {"accuracy": 50.0, "seconds": 1.5}


def state(epoch: int) -> dict[str, Any]:
    return {"stage": "search", "state": {"weights": torch.full((64,), float(epoch)), "epoch": epoch}}


def record(epoch: int) -> dict[str, Any]:
    return {"stage": "search", "epoch": epoch, "loss": 1.0 / epoch, "seconds": 0.5}


def make(path: Path, config: dict[str, Any] = CONFIG, *, finished: bool) -> Path:
    with RunFolder(path, config, late=LATE) as folder:
        for epoch in (1, 2, 3):
            folder.add(record(epoch), state(epoch))
        if finished:
            folder.finish(RESULT)
    return path


def outcome(path: Path) -> str:
    """How the folder is taken up: "whole" as it was left, "again" from the start, or the sentence of its refusal."""
    try:
        with RunFolder(path, CONFIG, late=LATE) as folder:
            result = folder.result()
            saved = folder.checkpoint() if result is None else None
            records = folder.records
    except UsageError as error:
        return str(error)
    if result is None and saved is None:
        assert records == []
        return "again"
    assert records == [record(epoch) for epoch in (1, 2, 3)]
    if result is not None:
        assert result == RESULT
    else:
        assert saved is not None
        assert torch.equal(saved["state"]["weights"], torch.full((64,), 3.0))
    return "whole"


def put(content: bytes) -> Callable[[Path, Path], None]:
    return lambda file, other: file.write_bytes(content)


def in_place_of(file: Path, other: Path) -> None:
    file.unlink()
    file.mkdir()


WAYS: dict[str, Callable[[Path, Path], None]] = {
    **{text: put(text.encode()) for text in ("[]", "null", "{}", "1", "", '"x"', "[" * 5000, "9" * 5000, "\n\n")},
    "not text": put(b"\xff\xfe\x00"),
    "a directory": in_place_of,
    "another run's": lambda file, other: shutil.copy(other / file.name, file),
    "half": lambda file, other: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "doubled": lambda file, other: file.write_bytes(2 * file.read_bytes()),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("finished", [False, True], ids=["under-way", "finished"])
def test_a_file_that_is_not_the_runs_own(tmp_path: Path, name: str, way: str, finished: bool) -> None:
    path = make(tmp_path / "run", finished=finished)
    other = make(tmp_path / "other", {**CONFIG, "seed": 1}, finished=True)
    if (path / name).exists():
        WAYS[way](path / name, other)
    said = outcome(path)
    untouched = (not finished and name == "result.json") or (finished and name == "checkpoint.pt")
    # Lines that the checkpoint does not know of are dropped, and what stands before an archive is not read.
    longer = name in ("history.jsonl", "checkpoint.pt") and way == "doubled"
    same_history = name == "history.jsonl" and way == "another run's"
    assert said == "whole" if untouched or longer or same_history else str(path) in said


@pytest.mark.parametrize(("name", "expected"), [("checkpoint.pt", "again"), ("history.jsonl", "history.jsonl is not")])
def test_a_file_that_is_missing(tmp_path: Path, name: str, expected: str) -> None:
    path = make(tmp_path / "run", finished=False)
    (path / name).unlink()
    assert expected in outcome(path)


@given(draw=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_flipped_bits_are_never_taken_for_the_run(
    tmp_path_factory: pytest.TempPathFactory, draw: random.Random
) -> None:
    path = make(tmp_path_factory.mktemp("runs") / "run", finished=draw.random() < 0.5)
    file = path / draw.choice([name for name in FILES if (path / name).exists()])
    content = bytearray(file.read_bytes())
    for _ in range(draw.choice([1, 1, 8])):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    file.write_bytes(content)
    said = outcome(path)
    assert said == "whole" or str(path) in said


def test_every_single_flipped_bit_of_a_tensor_is_seen(tmp_path: Path) -> None:
    path = make(tmp_path / "run", finished=False)
    content = (path / "checkpoint.pt").read_bytes()
    at = content.index(torch.full((64,), 3.0).numpy().tobytes())
    for place in range(at, at + 256, 37):
        flipped = bytearray(content)
        flipped[place] ^= 4
        (path / "checkpoint.pt").write_bytes(flipped)
        assert "cannot be read" in outcome(path)


@pytest.mark.parametrize(
    "failure",
    [PermissionError(errno.EACCES, "Permission denied"), OSError(errno.EIO, "Input/output error"), MemoryError()],
)
def test_a_checkpoint_that_cannot_be_read_now_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    path = make(tmp_path / "run", finished=False)

    def fail(*_: Any, **__: Any) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(states.torch, "load", fail)
        said = outcome(path)
    assert "checkpoint.pt" in said
    assert "rename" not in said
    assert "remove" not in said
    assert outcome(path) == "whole"


def test_an_older_run_without_digests_goes_on(tmp_path: Path) -> None:
    """As folders were written before files said which run they belong to."""
    path = make(tmp_path / "run", finished=True)
    saved = torch.load(path / "checkpoint.pt", weights_only=True)
    torch.save({key: saved[key] for key in ("stage", "state", "records")}, path / "checkpoint.pt")
    result = json.loads((path / "result.json").read_text())
    del result["kept"]
    (path / "result.json").write_text(json.dumps(result))
    (path / ".lock").unlink()
    assert outcome(path) == "whole"
    (path / "result.json").unlink()
    assert outcome(path) == "whole"


def test_leftovers_of_killed_writes_are_removed(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / ".config.json.abcd1234.partial").write_text('{"meth')
    path = make(tmp_path / "run", finished=False)
    for name in ("history.jsonl", "checkpoint.pt", "cell-normal.png"):
        (path / f".{name}.abcd1234.partial").write_bytes(b"half")
    (path / "notes.partial").write_text("somebody's own")
    assert outcome(fresh) == "again"
    assert outcome(path) == "whole"
    assert sorted(os.listdir(fresh)) == [".lock", "config.json"]
    assert sorted(os.listdir(path)) == [".lock", "checkpoint.pt", "config.json", "history.jsonl", "notes.partial"]


def test_what_only_a_later_stage_reads_may_change_until_it_begins(tmp_path: Path) -> None:
    corrected = {**CONFIG, "train": {"epochs": 5}}
    path = make(tmp_path / "run", finished=False)
    with RunFolder(path, corrected, late=LATE) as folder:
        saved = folder.checkpoint()
        assert saved is not None
        assert json.loads((path / "config.json").read_text()) == corrected
        folder.add({"stage": "train", "epoch": 1, "seconds": 0.5}, {"stage": "train", "state": {}})
    with pytest.raises(UsageError, match="epochs is 5 there and 2 here"):
        RunFolder(path, CONFIG, late=LATE)


def test_a_name_that_the_file_system_does_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name too long"):
        RunFolder(tmp_path / ("x" * 300), CONFIG)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_files_are_as_private_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        path = make(tmp_path / "run", finished=True)
    finally:
        os.umask(before)
    assert {(path / name).stat().st_mode & 0o777 for name in FILES} == {0o600}
