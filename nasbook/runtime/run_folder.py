"""The folder of one run: what it was asked, what happened in each epoch, where it stands, and what came out.

    .lock            held by the process that works here
    config.json      what was asked, written first
    history.jsonl    one line per epoch and stage
    checkpoint.pt    the state after the last finished epoch of the current stage
    STAGE-EPOCH.pt   states that were asked to be kept for good
    network.pt       the network that was trained from scratch, written when its training is done
    result.json      written last; a run with a result is finished

Every file is replaced whole, and the checkpoint is written after the history. A run that is killed anywhere goes on
from its last finished epoch, and history lines that the checkpoint does not know of are dropped. States and results
carry digests of the configuration and of the history, so that a file of another run is refused.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.identity import MEASURED, Late, digest, digest_of_history, digest_of_result, without
from nasbook.runtime.lock import Lock
from nasbook.runtime.states import read_state, write_state

Record = dict[str, Any]

NETWORK = "network.pt"
_KEPT = "kept"  # the key of result.json that holds its digests


class RunFolder:
    """One run's folder, new or to be continued; no other process can open it until it is closed.

    A finished run is only read, so its folder may be read-only.

    Args:
        path: the folder; None keeps nothing.
        config: what the run is asked, as plain JSON values.
        late: for a later stage, the keys of the configuration that no earlier stage reads. They may change until
            that stage has a record.

    Raises:
        UsageError: the folder holds a run of another configuration, or something else, is used by another process, or
            cannot be read or written.
    """

    def __init__(self, path: Path | None, config: dict[str, Any], *, late: Late | None = None) -> None:
        self.path = path
        self.config = json.loads(json.dumps(config))
        self.late = late or {}
        self.records: list[Record] = []
        self._lock: Lock | None = None
        if path is not None:
            self._guard(self._open)

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process open the folder; nothing is written after this."""
        if self._lock is not None:
            self._lock.release()
        self._lock = None

    def result(self) -> dict[str, Any] | None:
        """The result of a finished run; None while it is not finished.

        Raises:
            UsageError: the result or the history is not as the run left it.
        """
        if self.path is None or not (self.path / "result.json").exists():
            return None
        path = self.path / "result.json"
        result = files.read_json(path)
        kept = result.pop(_KEPT, None) if isinstance(result, dict) else None
        if not isinstance(result, dict) or not self._is_mine(kept, result):
            raise UsageError(
                f"{path} is not the result that this run left: rename that file, and run the same command again."
            )
        if kept is not None:
            self._keep_records(kept.get("records"), kept.get("history"))
        return result

    def history(self, stage: str) -> list[Record]:
        """The records of a stage, one per epoch."""
        return [record for record in self.records if record["stage"] == stage]

    def checkpoint(self) -> dict[str, Any] | None:
        """The saved state, or None where there is none yet. History lines of later epochs are dropped.

        Raises:
            UsageError: the checkpoint is damaged or of another run, or the history is not the one it was saved with.
        """
        if self.path is None or not (self.path / "checkpoint.pt").exists():
            self.records = []
            return None
        state = read_checkpoint(self.path)
        if state.pop("run", identity := self._identity(state)) != identity:
            raise UsageError(
                f"{self.path / 'checkpoint.pt'} is of another run: restore this run's file, or name another folder."
            )
        self._keep_records(state["records"], state.pop("history", None))
        return state

    def add(self, record: Record, state: dict[str, Any]) -> None:
        """Keep an epoch's record and the state after it (tensors and plain values only)."""
        self.records.append(record)
        self.save(state)

    def save(self, state: dict[str, Any]) -> None:
        """Keep the state between two stages."""
        self._guard(lambda path: self._save(path, state))

    def keep(self, state: dict[str, Any], stage: str, epoch: int) -> None:
        """Keep the state after an epoch for good, beside the one that later epochs replace."""
        known = {**state, "run": self._identity(state)}
        self._guard(lambda path: write_state(path / f"{stage}-{epoch:04d}.pt", known))

    def keep_network(self, state: dict[str, Any]) -> None:
        """Keep a trained network (tensors and plain values only)."""
        self._guard(lambda path: write_state(path / NETWORK, {**state, "run": digest(self.config)}))

    def finish(self, result: dict[str, Any]) -> None:
        """Keep the result: the run is finished."""
        kept = {
            "run": digest(self.config),
            "records": len(self.records),
            "history": digest_of_history(self.records),
            "result": digest_of_result(result),
        }
        self._guard(lambda path: files.write_json(path / "result.json", {**result, _KEPT: kept}))

    def _save(self, path: Path, state: dict[str, Any]) -> None:
        files.write_text(path / "history.jsonl", "".join(json.dumps(line) + "\n" for line in self.records))
        known = {"records": len(self.records), "history": digest_of_history(self.records)}
        write_state(path / "checkpoint.pt", {**state, **known, "run": self._identity(state)})

    def _open(self, path: Path) -> None:
        if not (path / "config.json").exists():
            _check_free(path)
        self._take_lock(path)
        if (path / "config.json").exists():
            self._check_config(path)
            self.records = read_history(path)
        else:
            _check_free(path)
            files.write_json(path / "config.json", self.config)

    def _take_lock(self, path: Path) -> None:
        """Lock the folder. A finished run needs no lock, but with one, leftovers of killed processes are removed."""
        busy = f"The run in {path} is under way in another process or notebook: wait for it, or name another folder."
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(path / ".lock", busy=busy)
        except (OSError, UsageError):
            if not (path / "result.json").exists():
                raise
            return
        files.sweep(path)

    def _check_config(self, path: Path) -> None:
        """Refuse another configuration. Take over new values of keys that only a stage not yet begun reads."""
        there = files.read_json(path / "config.json")
        if there == self.config:
            return
        if not isinstance(there, dict):
            raise UsageError(f"{path / 'config.json'} does not say what a run was asked: name another folder.")
        if not begun(path, self.late) and digest(there, self.late) == digest(self.config, self.late):
            files.write_json(path / "config.json", self.config)
            return
        early = without(there, self.late), without(self.config, self.late)
        name, old, new = _first_difference(*(early if early[0] != early[1] else (there, self.config)))
        raise UsageError(
            f"{path} holds a run of another configuration ({name:.40} is {reprlib.repr(old)} there and "
            f"{reprlib.repr(new)} here): name another folder."
        )

    def _identity(self, state: dict[str, Any]) -> str:
        """The digest of what a stage's state depends on."""
        return digest(self.config, {} if state.get("stage") in self.late else self.late)

    def _is_mine(self, kept: Any, result: dict[str, Any]) -> bool:
        """Whether the digests fit; a run that was finished before there were digests has none."""
        if kept is None and result:
            assert self.path is not None
            return not (self.path / "checkpoint.pt").exists() or "run" not in read_checkpoint(self.path)
        known = {"run": digest(self.config), "result": digest_of_result(result)}
        return isinstance(kept, dict) and all(kept.get(key) == known[key] for key in known)

    def _keep_records(self, count: Any, history: str | None) -> None:
        """Drop the records that a state or a result does not know of, and compare the others with its digest."""
        known = type(count) is int and 0 <= count <= len(self.records)
        self.records = self.records[:count] if known else []
        if not known or (history is not None and digest_of_history(self.records) != history):
            assert self.path is not None
            raise UsageError(
                f"{self.path / 'history.jsonl'} is not as this run left it: restore the run's file, or name another "
                "folder."
            )

    def _guard(self, work: Callable[[Path], None]) -> None:
        """Do something with the folder, if there is one."""
        if self.path is None:
            return
        try:
            work(self.path)
        except OSError as error:
            self.close()
            raise UsageError(f"The run folder {self.path} cannot be read or written: {files.reason(error)}.") from None


def begun(path: Path, stages: Late) -> bool:
    """Whether the run in a folder is finished, or is in one of these stages.

    Raises:
        UsageError: the checkpoint cannot be read.
    """
    if (path / "result.json").exists():
        return True
    if not (path / "checkpoint.pt").exists():
        return False
    return read_checkpoint(path).get("stage") in stages


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint of a run folder, as it is.

    Raises:
        UsageError: the file is damaged or cannot be read.
    """
    remedy = f"rename that file to start the run in {path} again"
    return read_state(path / "checkpoint.pt", "records", remedy=remedy)


def read_history(path: Path) -> list[Record]:
    """The records of all stages in a run folder. A process may be working in the folder.

    Raises:
        UsageError: the file is damaged or cannot be read.
    """
    file = path / "history.jsonl"
    if not file.exists():
        return []
    text = files.read_text(file)
    try:
        records = [files.parse_json(line) for line in text.splitlines()]
    except ValueError:
        records = [None]
    if not all(_is_record(record) for record in records):
        raise UsageError(f"{file} is damaged: restore the run's file, or name another folder.")
    return records


def _check_free(path: Path) -> None:
    """Refuse a folder that is not empty, except for leftovers of a process that was killed in its first write."""
    ours = re.compile(r"\.lock|\.config\.json\.\w+\.partial")
    if path.exists() and (not path.is_dir() or not all(ours.fullmatch(each.name) for each in path.iterdir())):
        raise UsageError(f"{path} exists and is not a run folder: name an empty or a new folder.")


def _is_record(value: Any) -> bool:
    """Whether a line of the history is one that a stage can have written."""
    if not isinstance(value, dict) or type(value.get("stage")) is not str or type(value.get("epoch")) is not int:
        return False
    return all(type(value[name]) in (int, float) for name in MEASURED if name in value)


def _first_difference(there: Record, here: Record) -> tuple[str, Any, Any]:
    """The first key whose values differ, with both values. In a table of numbers it is the key of the number."""
    name = next(key for key in {**there, **here} if key not in there or key not in here or there[key] != here[key])
    old, new = there.get(name), here.get(name)
    return _first_difference(old, new) if isinstance(old, dict) and isinstance(new, dict) else (name, old, new)
