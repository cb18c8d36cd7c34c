"""The folder of one run: what it was asked, what happened in each epoch, where it stands, and what came out.

    config.json      what was asked, written first
    history.jsonl    one line an epoch and stage
    checkpoint.pt    the state after the last finished epoch of the stage under way
    STAGE-EPOCH.pt   states that were asked to be kept for good
    result.json      written last; a run with a result is finished

Every file is replaced whole, and the checkpoint is written after the history: a run that is killed anywhere goes on
from its last finished epoch, and history lines that the checkpoint does not know of are dropped.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import torch

from nasbook.runtime import files
from nasbook.runtime.errors import UsageError


class RunFolder:
    """One run's folder, new or to be continued.

    Args:
        path: the folder; None keeps nothing.
        config: what the run is asked, as plain JSON values.

    Raises:
        UsageError: the folder holds a run of another configuration, or something else, or cannot be written.
    """

    def __init__(self, path: Path | None, config: dict[str, Any]) -> None:
        self.path = path
        self.config = json.loads(json.dumps(config))
        self.records: list[dict[str, Any]] = []
        if path is None:
            return
        if (path / "config.json").exists():
            self._check_config(files.read_json(path / "config.json"))
            self.records = self._read_history()
        else:
            self._check_free()
            self._write("config.json", self.config)

    def result(self) -> dict[str, Any] | None:
        """The result of a finished run."""
        if self.path is None or not (self.path / "result.json").exists():
            return None
        return files.read_json(self.path / "result.json")

    def history(self, stage: str) -> list[dict[str, Any]]:
        """The records of a stage, one an epoch."""
        return [record for record in self.records if record["stage"] == stage]

    def checkpoint(self) -> dict[str, Any] | None:
        """The saved state, or None where there is none yet. History lines of later epochs are dropped.

        Raises:
            UsageError: the file is damaged.
        """
        if self.path is None or not (self.path / "checkpoint.pt").exists():
            self.records = []
            return None
        remedy = "remove that file to start this run again from its first epoch"
        state = read_state(self.path / "checkpoint.pt", "records", remedy=remedy)
        self.records = self.records[: state["records"]]
        return state

    def add(self, record: dict[str, Any], state: dict[str, Any]) -> None:
        """Keep an epoch's record and the state after it (tensors and plain values only)."""
        self.records.append(record)
        self.save(state)

    def save(self, state: dict[str, Any]) -> None:
        """Keep the state between two stages."""
        if self.path is None:
            return
        lines = "".join(json.dumps(line) + "\n" for line in self.records)
        self._guard(lambda path: files.write_text(path / "history.jsonl", lines))
        self._write_state("checkpoint.pt", {**state, "records": len(self.records)})

    def keep(self, state: dict[str, Any], stage: str, epoch: int) -> None:
        """Keep the state after an epoch for good, beside the one that later epochs replace."""
        if self.path is not None:
            self._write_state(f"{stage}-{epoch:04d}.pt", state)

    def _write_state(self, name: str, state: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        self._guard(lambda path: files.write_bytes(path / name, buffer.getvalue()))

    def finish(self, result: dict[str, Any]) -> None:
        """Keep the result: the run is finished."""
        if self.path is not None:
            self._write("result.json", result)

    def _check_config(self, there: Any) -> None:
        if there == self.config:
            return
        name, old, new = _first_difference(there, self.config)
        raise UsageError(
            f"{self.path} holds a run of another configuration ({name} is {old!r} there and {new!r} here): name "
            "another folder."
        )

    def _check_free(self) -> None:
        assert self.path is not None
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UsageError(f"{self.path} exists and is not a run folder: name an empty or a new folder.")

    def _read_history(self) -> list[dict[str, Any]]:
        assert self.path is not None
        path = self.path / "history.jsonl"
        if not path.exists():
            return []
        try:
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise UsageError(f"{path} is damaged: name another folder.") from None

    def _write(self, name: str, value: Any) -> None:
        self._guard(lambda path: files.write_json(path / name, value))

    def _guard(self, write: Any) -> None:
        try:
            write(self.path)
        except OSError as error:
            raise UsageError(f"The run folder {self.path} cannot be written: {error.strerror or error}.") from None


def _first_difference(there: Any, here: Any) -> tuple[str, Any, Any]:
    """The first key whose values differ, within a table of numbers the number's own, with both values."""
    name = next(key for key in {**there, **here} if there.get(key) != here.get(key))
    old, new = there.get(name), here.get(name)
    return _first_difference(old, new) if isinstance(old, dict) and isinstance(new, dict) else (name, old, new)


def kept_epochs(path: Path, stage: str) -> list[int]:
    """The epochs of a stage whose states a run folder keeps for good, ascending."""
    return sorted(int(each.stem.removeprefix(f"{stage}-")) for each in path.glob(f"{stage}-[0-9]*.pt"))


def kept_state(path: Path, stage: str, epoch: int) -> dict[str, Any]:
    """The state after an epoch that a run folder keeps for good.

    Raises:
        UsageError: the file is damaged.
    """
    state: dict[str, Any] = read_state(path / f"{stage}-{epoch:04d}.pt", "state", remedy="take another epoch")["state"]
    return state


def read_state(path: Path, key: str, *, remedy: str) -> dict[str, Any]:
    """A file of tensors and plain values that holds a key; nothing in it is run.

    Raises:
        UsageError: it is damaged; `remedy` says what to do.
    """
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        state[key]
    except Exception as error:  # a damaged file makes the reader fail in any way
        raise UsageError(f"{path} cannot be read ({type(error).__name__}): {remedy}.") from None
    return state
