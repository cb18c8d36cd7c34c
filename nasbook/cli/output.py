"""What commands print on standard output: one JSON document, or lines and tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else.")]


def tell(sentence: str) -> None:
    """One line on standard error; a terminal that is gone must not end a run."""
    with suppress(OSError):
        print(f"nasbook: {sentence}", file=sys.stderr, flush=True)


def tell_loading() -> None:
    """Say that PyTorch is loaded now, unless it is there already."""
    if "torch" not in sys.modules:
        tell("Loading PyTorch, which takes some seconds.")


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
