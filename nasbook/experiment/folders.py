"""The folder that a run is kept in, and how the run continues from what the folder holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from nasbook.runtime import files
from nasbook.runtime.driver import Stage, drive
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import Listener
from nasbook.runtime.identity import Late, digest
from nasbook.runtime.run_folder import RunFolder, begun

# Where a run is kept: a folder, or a function of the run's configuration that names one (such as `default_folder`).
Place = str | os.PathLike[str] | Callable[[dict[str, Any]], Path]

# The keys of a search's configuration that only its training from scratch reads. The search does not depend on them.
LATE: Late = {"train": ("train", "retrain")}


def default_folder(config: dict[str, Any]) -> Path:
    """A folder name under `runs/` that follows from what is asked: the same command finds its own run again.

    The options of the training from scratch do not change the name.
    """
    words = [str(config[key]) for key in ("command", "method", "space", "data", "size") if config.get(key)]
    plain = ["".join(c if c.isalnum() or c in "-_." else "_" for c in Path(word).name)[:60] for word in words]
    return Path("runs") / "-".join([*plain, f"seed{config['seed']}", digest(config, late_of(config))[:8]])


def settled(path: Path, config: dict[str, Any]) -> Path:
    """The folder itself, or the one inside it for another training of the architecture that its search found.

    A search that is done stays as it is: a training with other options is kept in `train-DIGEST` beside it.

    Args:
        path: the folder of a run, there or not.
        config: what is asked.

    Raises:
        UsageError: the files in the folder cannot be read.
    """
    late = late_of(config)
    try:
        if not late or not (path / "config.json").exists():
            return path
        there = files.read_json(path / "config.json")
        if isinstance(there, dict):  # a number of threads that is not asked for is that of the run that is there
            config = {"threads": there.get("threads"), **config}
        same_search = isinstance(there, dict) and digest(there, late) == digest(config, late)
        other_training = same_search and there != config and begun(path, late)
    except OSError as error:
        raise UsageError(f"The run folder {path} cannot be read: {files.reason(error)}.") from None
    return path / f"train-{digest(config)[:8]}" if other_training else path


def open_folder(place: Path | None, config: dict[str, Any]) -> RunFolder:
    """The folder of a run, new or to be continued; without a place nothing is kept."""
    if place is None:
        return RunFolder(None, config)
    folder = RunFolder(settled(place, config), config, late=late_of(config))
    try:
        _take_over(folder, place)
    except BaseException:
        folder.close()
        raise
    return folder


def go_on(
    stage: Stage,
    folder: RunFolder,
    listeners: Iterable[Listener],
    saved: dict[str, Any] | None,
    *,
    keep: int = 0,
    extra: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Drive a stage to its end, from the folder's saved state if that is a state of this stage (see `drive`).

    Raises:
        UsageError: the state was saved by another version, or is not a state of this stage.
    """
    if saved is not None and saved.get("stage") == stage.name:
        load(stage, saved, folder.path)
    return drive(stage, folder, listeners, keep=keep, extra=extra)


def load(stage: Any, saved: dict[str, Any], path: Path | None) -> None:
    """Let a stage go on from the state that a folder keeps.

    Raises:
        UsageError: it is not a state of this stage.
    """
    try:
        stage.load_state_dict(saved["state"])
    except torch.OutOfMemoryError:
        raise
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        raise UsageError(
            f"The state kept in {path} does not fit this run: another version of nasbook made it. Name another folder."
        ) from None


def late_of(config: dict[str, Any]) -> Late:
    """What may change in this configuration until a later stage has begun."""
    return LATE if config.get("command") == "search" else {}


def folder_text(run: Path | None) -> str | None:
    """A run's folder as its result names it."""
    return None if run is None else str(run)


def _take_over(folder: RunFolder, search: Path) -> None:
    """Begin a training in a folder inside that of its search with what the search has found."""
    assert folder.path is not None
    if folder.path == search or (folder.path / "checkpoint.pt").exists() or folder.result() is not None:
        return
    with RunFolder(search, files.read_json(search / "config.json"), late=LATE) as done:
        found = done.result()
        if found is None:
            saved = done.checkpoint() or {}
            found = {"genotype": saved["genotype"], "stopped_epoch": saved.get("stopped")}
        folder.records = [record for record in done.records if record["stage"] not in LATE]
    state = {"genotype": found["genotype"], "stopped": found.get("stopped_epoch")}
    folder.save({"stage": "searched", "state": {}, **state})
