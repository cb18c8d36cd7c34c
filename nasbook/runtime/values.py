"""Values as users have them (Python's, numpy's, the single number of a tensor) turned into Python's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import Any

from nasbook.runtime.errors import UsageError

LARGEST_SEED, MOST_THREADS = 2**32 - 1, 256
_WORDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    str: "a word",
    bool: "true or false",
    type(None): "None",
}


def cast(name: str, value: Any, *kinds: type) -> Any:
    """A value as Python's own value of the first kind whose meaning it has.

    Args:
        name: what the value is called.
        value: Python's or numpy's, an array or a tensor of no dimension; 3.0 is a whole number too.
        kinds: of bool, int, float, str and the type of None. A truth value is no number.

    Raises:
        UsageError: the value has none of these meanings.
    """
    own = _own(value)
    for kind in kinds:
        if _MEANS[kind](own):
            return None if own is None else kind(own)
    raise UsageError(f"{name} must be {' or '.join(_WORDS[kind] for kind in kinds)}, not {own!r}.")


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number within a range.

    Raises:
        UsageError: the value is no whole number or out of range.
    """
    number: int = cast(name, value, int)
    if number < least or (most is not None and number > most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise UsageError(f"{name} must be a whole number {allowed}, not {number}.")
    return number


def seed(value: Any) -> int:
    """A seed: a whole number from 0 to `LARGEST_SEED`.

    Raises:
        UsageError: the value is another one.
    """
    return whole("seed", value, 0, LARGEST_SEED)


def path(name: str, value: Any) -> Path:
    """A path from text or from a path object.

    Raises:
        UsageError: the value is neither, or it is empty.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise UsageError(f"{name} must be a path (text or a path object, and not empty), not {value!r}.")
    return Path(text)


def _own(value: Any) -> Any:
    """Python's value of numpy's scalars and of arrays and tensors without a dimension."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    try:
        return _is_number(value) and value == int(value)
    except (OverflowError, ValueError):  # infinity, and what is not a number
        return False


_MEANS: dict[type, Callable[[Any], bool]] = {
    bool: lambda value: isinstance(value, bool),
    int: _is_whole,
    float: _is_number,
    str: lambda value: isinstance(value, str),
    type(None): lambda value: value is None,
}
