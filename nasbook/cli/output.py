"""What commands print on standard output: one JSON document, or lines and tables for people."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else.")]


def tell(sentence: str) -> None:
    """One line on standard error; a terminal that is gone must not end a run."""
    with suppress(OSError):
        print(f"nasbook: {sentence}", file=sys.stderr, flush=True)


def load_torch() -> None:
    """Load PyTorch, which takes some seconds, and say so; nothing happens if it is loaded already.

    Ctrl-C ends the process at once: nothing has begun, and a half-loaded module could raise any error.
    """
    if "torch" in sys.modules:
        return
    tell("Loading PyTorch, which takes some seconds.")
    with _quitting_on_interrupt():
        import nasbook.experiment  # noqa: F401


@contextmanager
def _quitting_on_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process with one sentence; in another thread than the main one signals stay as they are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def quit_now(number: int, frame: object) -> None:
        tell("Interrupted: nothing had begun.")
        os._exit(130)

    before = signal.signal(signal.SIGINT, quit_now)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def print_json(value: Any) -> None:
    """One JSON document; numbers that JSON does not have (NaN) are refused."""
    print(json.dumps(value, indent=2, allow_nan=False))


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Rows under a line of column names, each column as wide as it needs to be; numbers stand to the right."""
    cells = [[_text(row[column]) for column in columns] for row in rows]
    numbers = [any(_is_number(row[column]) for row in rows) for column in columns]
    widths = [max(len(line[place]) for line in [list(columns), *cells]) for place in range(len(columns))]
    for line in [list(columns), *cells]:
        padded = [
            text.rjust(width) if right else text.ljust(width) for text, width, right in zip(line, widths, numbers)
        ]
        print("  ".join(padded).rstrip())


def print_facts(facts: Mapping[str, Any]) -> None:
    """One fact a line: its name and its value."""
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name.ljust(width)}  {_text(value)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if value < 10**15 else f"{value:.2e}"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return str(value)
