"""Series as they are stored: enough digits for a picture, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DIGITS = 5


def rounded(value: Any) -> Any:
    """A number, or lists and tables of numbers, to five significant digits; whatever is no float stays as it is.

    Tuples become lists, as in JSON.
    """
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list | tuple) else value
