"""Work that a reader waits for. If it takes long, the page says so, and clicks made meanwhile are ignored."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock, Timer
from typing import Any

import ipywidgets as widgets
from IPython import get_ipython

from nasbook.widgets import page

LONG = 0.3  # seconds; if work takes longer, the page says so
WORDS = "<b>Computing …</b>"


class Work:
    """A context for what a widget computes, with a notice. Nested contexts count as one piece of work."""

    def __init__(self) -> None:
        self.shown = widgets.HTML()
        self.shown.add_class(page.STATUS)
        self._depth, self._free = 0, -math.inf
        self._lock = Lock()
        self._timer: Timer | None = None

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth == 1:
            self._timer = Timer(LONG, self._say)
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, *_error: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._timer is not None:
            with self._lock:
                self._timer.cancel()
                self._timer = None
            if self.shown.value:
                self.shown.value = ""
                self.shown.remove_class(page.BUSY)

    def clicked(self, action: Callable[[], Any]) -> None:
        """Do what a click asks for, unless it was made while a long piece of this work was under way.

        A kernel answers clicks one after another. So a click on a busy widget waits, and would later act on a state
        that the reader had not seen when clicking. The browser's clock says when a click was made.
        """
        sent, begin = _sent(), time.monotonic()
        if sent is not None and sent < self._free:
            return
        try:
            with self:
                action()
        finally:
            took = time.monotonic() - begin
            if sent is not None and took > LONG:
                self._free = sent + took

    def _say(self) -> None:
        """Called by the timer's thread."""
        with self._lock:
            if self._timer is not None:
                self.shown.add_class(page.BUSY)
                self.shown.value = WORDS


def _sent() -> float | None:
    """The time at which the browser sent the message answered now, in seconds of its clock; None without a browser."""
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return None
    date = kernel.get_parent("shell").get("header", {}).get("date")
    date = datetime.fromisoformat(date) if isinstance(date, str) else date
    return date.timestamp() if isinstance(date, datetime) else None
