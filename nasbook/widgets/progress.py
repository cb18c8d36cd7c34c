"""A long run seen from a notebook: one line under the running cell, kept up to date by widget messages alone.

Nothing is printed, nothing is cleared and no output is replaced, so that a cell's recorded outputs are the same
whether it took a second or an hour.
"""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from nasbook.runtime.events import EpochEnded, Event, Finished, Started, Stepped, epoch_of
from nasbook.runtime.progress import scores

EVERY = 0.25  # seconds between two messages to the browser: more often is not seen, and costs the search time


class Line(widgets.HTML):
    """The line of one stage; without a kernel it reads as what it would show."""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = dict(super()._repr_mimebundle_(**kwargs) or {})
        bundle["text/plain"] = "(here a line tells epoch, loss, accuracy and time left)"
        return bundle


class Progress:
    """A listener that shows epoch, loss, accuracy and the time left of each stage of a run.

    Args:
        show: puts a widget under the running cell.
        clock: seconds since some moment.
    """

    def __init__(self, show: Callable[[Any], Any] = display, clock: Callable[[], float] = time.perf_counter) -> None:
        self.show, self.clock = show, clock
        self.told = 0.0
        self._begin(Started("search", 1, 0))

    def __call__(self, event: Event) -> None:
        """Take note of an event, and tell it unless something was told a moment ago."""
        if isinstance(event, Started):
            self._begin(event)
            self.show(self.line)
        elif isinstance(event, Stepped):
            self.epoch, self.done = event.epoch, (event.epoch - 1) * event.steps + event.step
            self.here += 1
            self.total = self.epochs * event.steps
            if self.clock() - self.told >= EVERY:
                self._tell()
        elif isinstance(event, EpochEnded):
            self.scores = scores(event.record)
            self._tell()
        elif isinstance(event, Finished):
            self._tell(f"done in {duration(event.seconds)}")

    def seconds_left(self) -> float:
        """What remains of the stage at the pace of this sitting; a resumed run's earlier steps do not count."""
        return (self.clock() - self.start) / max(self.here, 1) * (self.total - self.done)

    def _begin(self, event: Started) -> None:
        self.line = Line()
        self.stage, self.epochs, self.epoch = event.stage, event.epochs, event.done
        self.here, self.done, self.total, self.scores = 0, event.done, event.epochs, ""
        self.start = self.told = self.clock()

    def _tell(self, ending: str | None = None) -> None:
        self.told = self.clock()
        words = [f"{self.stage}: {epoch_of(self.stage)} {self.epoch}/{self.epochs}", self.scores]
        words.append(ending or f"{duration(self.seconds_left())} left")
        text = html.escape(", ".join(word for word in words if word))
        bar = f'<progress value="{self.done}" max="{self.total}" aria-label="{text}"></progress>'
        self.line.value = f"{bar} {text}"


def duration(seconds: float) -> str:
    """Seconds as people say them: "8 s", "1 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
