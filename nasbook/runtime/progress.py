"""A long run seen from a terminal: one listener that shows a bar, or plain lines where there is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TextIO

from tqdm import tqdm

from nasbook.runtime.events import EpochEnded, Event, Finished, Listener, Started, Stepped, epoch_of

# Keys of a record that a search holds when it was asked to measure them.
INSTRUMENTS = ("eigenvalue", "skip_weight", "derived_accuracy", "gap")


class _Display(Protocol):
    def __call__(self, event: Event) -> None: ...

    def close(self) -> None: ...


@contextmanager
def terminal_progress(stream: TextIO | None = None) -> Iterator[Listener]:
    """A listener that shows epoch, loss, accuracy and the time left.

    Args:
        stream: where to, standard error by default: a bar on a terminal, otherwise one line an epoch.
    """
    stream = stream or sys.stderr
    display: _Display = _Bar(stream) if stream.isatty() else _Lines(stream)

    def show(event: Event) -> None:
        with suppress(OSError):  # a terminal that is gone, or a full disk behind a log, must not end a run
            display(event)

    try:
        yield show
    finally:
        with suppress(OSError):
            display.close()


class _Bar:
    """One bar a stage, which counts steps over all epochs, so that the time left is that of the stage."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.bar: Any = None
        self.epochs, self.done, self.steps = 0, 0, 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self.epochs, self.done = event.epochs, event.done
        elif isinstance(event, Stepped):
            if self.bar is None:
                self._open(event)
            self._describe(event.stage, event.epoch)
            self.bar.update()
        elif isinstance(event, EpochEnded) and self.bar is not None:
            self._describe(event.stage, event.epoch)
            self.bar.update(event.epoch * self.steps - self.bar.n)  # the last decision of a selection takes no step
            self.bar.set_postfix_str(scores(event.record))
        elif isinstance(event, Finished):
            self.close()

    def _describe(self, stage: str, epoch: int) -> None:
        self.bar.set_description(f"{stage}: {epoch_of(stage)} {epoch}/{self.epochs}", refresh=False)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self.bar is not None:
            self.bar.close()
        self.bar = None

    def _open(self, event: Stepped) -> None:
        self.steps = event.steps
        self.bar = tqdm(
            total=self.epochs * event.steps,
            initial=self.done * event.steps,
            file=self.stream,
            dynamic_ncols=True,
            bar_format="{desc}{bar:20} {elapsed}, {remaining} left{postfix}",
        )


class _Lines:
    """One line an epoch, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.seconds: list[float] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self.seconds = []
        elif isinstance(event, EpochEnded):
            self.seconds.append(event.record["seconds"])
            left = (event.epochs - event.epoch) * sum(self.seconds) / len(self.seconds)
            place = f"{event.stage}: {epoch_of(event.stage)} {event.epoch}/{event.epochs}"
            print(f"{place}, {scores(event.record)}, {left:.0f} s left", file=self.stream, flush=True)

    def close(self) -> None:
        """Nothing is left open."""


def scores(record: dict[str, Any]) -> str:
    """The loss and the accuracy of an epoch's record, on validation images where there are some.

    What instruments recorded besides follows, where it is a number.
    """
    kind = "valid" if "valid_accuracy" in record else "train"
    loss = [f"train loss {record['train_loss']:.3f}"] if "train_loss" in record else []  # nothing may have been trained
    shown = [*loss, f"{kind} accuracy {record[f'{kind}_accuracy']:.1f} %"]
    besides = [f"{name.replace('_', ' ')} {record[name]:.3g}" for name in INSTRUMENTS if record.get(name) is not None]
    return ", ".join([*shown, *besides])
