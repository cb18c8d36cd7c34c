"""The outer loop of everything long: epoch after epoch, told to listeners, kept in the run folder, resumed exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from nasbook.runtime.events import EpochEnded, Finished, Listener, Started, Stepped, epoch_of, tell
from nasbook.runtime.interrupts import explained
from nasbook.runtime.run_folder import RunFolder


class Stage(Protocol):
    """Something that is done in epochs and can say where it stands."""

    name: str
    epochs: int
    epoch: int

    def run_epoch(self, on_step: Callable[[int, int], None]) -> dict[str, Any]:
        """Do one epoch, telling (step, steps) after each step; returns the epoch's record."""

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on after the last epoch, as tensors and plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""


def drive(
    stage: Stage,
    folder: RunFolder,
    listeners: Iterable[Listener] = (),
    *,
    keep: int = 0,
    extra: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Run a stage's remaining epochs and return its whole history.

    Args:
        stage: fresh, or loaded with a saved state.
        folder: where each epoch's record and state are kept.
        listeners: told what happens.
        keep: keep the states after every so many epochs, and after the last, for good; 0 keeps none.
        extra: plain values to keep in the checkpoint beside the stage's state.
    """
    with explained(_on_interruption(stage, folder)):
        return _drive(stage, folder, list(listeners), keep, extra or {})


def _on_interruption(stage: Stage, folder: RunFolder) -> str:
    if folder.path is None:
        return "Interrupted. Nothing is kept of this run: with run=FOLDER the same call would go on from here."
    after = epoch_of(stage.name)
    return f"Interrupted. The same call goes on from the last finished {after}: the run is kept in {folder.path}."


def _drive(
    stage: Stage, folder: RunFolder, listeners: list[Listener], keep: int, extra: dict[str, Any]
) -> list[dict[str, Any]]:
    tell(listeners, Started(stage.name, stage.epochs, stage.epoch))
    while stage.epoch < stage.epochs:
        epoch, start = stage.epoch + 1, time.perf_counter()

        def on_step(step: int, steps: int, epoch: int = epoch) -> None:
            tell(listeners, Stepped(stage.name, epoch, step, steps))

        record = stage.run_epoch(on_step)
        record = {"stage": stage.name, "epoch": epoch, **record, "seconds": time.perf_counter() - start}
        state = {"stage": stage.name, "state": stage.state_dict(), **extra}
        if keep and (epoch % keep == 0 or stage.epoch == stage.epochs):
            folder.keep(state, stage.name, epoch)
        folder.add(record, state)
        tell(listeners, EpochEnded(stage.name, epoch, stage.epochs, record))
    history = folder.history(stage.name)
    tell(listeners, Finished(stage.name, sum(record["seconds"] for record in history)))
    return history
