"""The one way in which chapters print numbers that another machine has to reproduce."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import torch

from nasbook.runtime.errors import UsageError

DIGITS = 4
ZERO = 1e-12  # what float64 arithmetic leaves of an exact zero differs between machines
EDGE_TOLERANCE = 1e-6


def show(*values: object, digits: int = DIGITS, **labelled: object) -> None:
    """Print values so that two machines print the same text.

    Numbers are rounded to `digits` significant digits, integers and booleans are printed whole, and what is smaller
    than 1e-12 is printed as 0. Labels and values stand in aligned columns; an underscore in a label becomes a space.

    Args:
        *values: text, booleans, numbers, tensors, arrays, or lists and dictionaries of them.
        digits: significant digits, at least 1; of a search in float32 only the first step has digits to compare.
        **labelled: the same, each with its label.

    Raises:
        UsageError: a value that has no reproducible text; or, while the book is made (NASBOOK_EDGES=1), a number that
            so nearly sits between two printed values that another machine may round it the other way.

    Example:
        >>> show(parameters=4611, loss=0.123456, improved=True)
        parameters  4,611
        loss        0.1235
        improved    True
    """
    if os.environ.get("NASBOOK_EDGES") == "1":
        near = near_rounding_edge((values, labelled), digits=digits)
        if near:
            raise UsageError(
                f"{', '.join(map(repr, near))} sits on a rounding edge at {digits} digits: another machine may print "
                "it differently. Show fewer digits or another quantity."
            )
    for value in values:
        print(text_of(value, digits=digits))
    if labelled:
        print(text_of({label.replace("_", " "): value for label, value in labelled.items()}, digits=digits))


def text_of(value: object, *, digits: int = DIGITS) -> str:
    """The text that `show` prints for one value."""
    if digits < 1:
        raise UsageError(f"digits must be at least 1, got {digits}.")
    plain = _plain(value)
    if isinstance(plain, dict):
        return _mapping(plain, digits)
    if isinstance(plain, list):
        rows = plain if plain and all(isinstance(row, list) for row in plain) else None
        return _table(rows, digits) if rows else "  ".join(_one_line(item, digits) for item in plain) or "(empty)"
    return _scalar(plain, digits)


def near_rounding_edge(value: object, *, digits: int = DIGITS, tolerance: float = EDGE_TOLERANCE) -> list[float]:
    """The numbers in `value` that lie closer to a rounding edge than `tolerance`, relative to the number.

    An edge is the middle between two neighbouring numbers of `digits` significant digits.
    """
    near = []
    for number in _floats(_plain(value)):
        exact = abs(Decimal(number)) if np.isfinite(number) else Decimal(0)
        if exact < Decimal(ZERO):
            continue
        scaled = exact.scaleb(digits - 1 - exact.adjusted())  # digits - 1 places before the point
        if abs(scaled % 1 - Decimal("0.5")) < Decimal(tolerance) * scaled:
            near.append(number)
    return near


def _plain(value: object) -> Any:
    """Tensors, arrays and sequences as nested lists, numpy scalars as Python's."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().tolist()
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str | bool | int | float | None):
        return value
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    if isinstance(value, torch.device | torch.dtype):
        return str(value)
    raise UsageError(
        f"show cannot print a {type(value).__name__}; give text, booleans, numbers, tensors, lists or dictionaries."
    )


def _floats(plain: Any) -> list[float]:
    if isinstance(plain, float):
        return [plain]
    items = plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ()
    return [number for item in items for number in _floats(item)]


def _scalar(value: Any, digits: int) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _number(value, digits)
    return str(value)


def _number(value: float, digits: int) -> str:
    if abs(value) < ZERO:
        return "0"
    return f"{value:#.{digits}g}".removesuffix(".")


def _one_line(value: Any, digits: int) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_one_line(item, digits) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_one_line(item, digits)}" for key, item in value.items()) + "}"
    return _scalar(value, digits)


def _mapping(values: dict[str, Any], digits: int) -> str:
    width = max(map(len, values), default=0)
    lines = []
    for label, value in values.items():
        first, *rest = text_of(value, digits=digits).splitlines() or [""]
        lines += [f"{label:<{width}}  {first}", *(f"{'':<{width}}  {line}" for line in rest)]
    return "\n".join(line.rstrip() for line in lines)


def _table(rows: list[list[Any]], digits: int) -> str:
    cells = [[_one_line(item, digits) for item in row] for row in rows]
    columns = max(map(len, cells))
    widths = [max((len(row[column]) for row in cells if column < len(row)), default=0) for column in range(columns)]
    return "\n".join("  ".join(f"{text:>{width}}" for text, width in zip(row, widths)) for row in cells)
