"""What a long run tells: frozen events that progress bars, notebooks, widgets and files listen to.

A listener is any function of one event. Records are plain dictionaries of numbers, lists and text, so that they can be
written as JSON as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Started:
    """A stage ("search", "select" or "train") begins, or goes on after `done` epochs."""

    stage: str
    epochs: int
    done: int


@dataclass(frozen=True)
class Stepped:
    """One optimiser step of an epoch is done (both counted from 1)."""

    stage: str
    epoch: int
    step: int
    steps: int


@dataclass(frozen=True)
class EpochEnded:
    """An epoch is done; `record` is its line of the history."""

    stage: str
    epoch: int
    epochs: int
    record: dict[str, Any]


@dataclass(frozen=True)
class Finished:
    """A stage is done; `seconds` over all its sittings."""

    stage: str
    seconds: float


def epoch_of(stage: str) -> str:
    """What an epoch of a stage is called: a selection takes a decision in each."""
    return "decision" if stage == "select" else "epoch"


Event = Started | Stepped | EpochEnded | Finished
Listener = Callable[[Event], None]


def tell(listeners: Iterable[Listener], event: Event) -> None:
    """Hand an event to every listener, in order."""
    for listener in listeners:
        listener(event)
