"""What a widget shows, as a short text: a frozen state that is written as "name=value name=value" and read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, Self, get_type_hints

from nasbook.runtime.errors import UsageError


class State(Protocol):
    """A frozen dataclass with a text form: `parse(str(state)) == state`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `str(state)` back, or raise a UsageError."""


@dataclass(frozen=True)
class NamedState:
    """A state whose text names its fields, each a float, an int, a word, or floats with commas between them.

    A subclass gives every field a default, for the refusal's example, and checks ranges in `__post_init__`.
    """

    def __str__(self) -> str:
        return " ".join(f"{name}={_written(getattr(self, name))}" for name in names(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `str(state)` back, whatever the order of its parts.

        Raises:
            UsageError: the text has another form, or a number is out of range.
        """
        hints = get_type_hints(cls)
        return cls(**read(text, {name: _READERS[hints[name]] for name in names(cls)}, example=cls()))


def names(state: State | type[State]) -> tuple[str, ...]:
    """The names of a state's fields, in their order."""
    return tuple(each.name for each in fields(state))


def read(text: str, readers: Mapping[str, Callable[[str], Any]], *, example: object) -> dict[str, Any]:
    """Read "name=value name=value", in any order.

    Args:
        text: to read.
        readers: for each name that must stand in the text, what makes its value of it.
        example: a state of this form, which the refusal shows.

    Returns:
        The values, in the order of the readers.

    Raises:
        UsageError: a name is missing or not known, or its reader raised a ValueError.
    """
    try:
        parts = dict(part.split("=") for part in text.split())
        if parts.keys() == readers.keys():
            return {name: reader(parts[name]) for name, reader in readers.items()}
    except (AttributeError, ValueError):
        pass
    raise UsageError(f"A state reads like '{example}', not {text!r}.")


def floats(text: str) -> tuple[float, ...]:
    """Numbers with commas between them.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(float(each) for each in text.split(","))


_READERS: dict[Any, Callable[[str], Any]] = {float: float, int: int, str: str, tuple[float, ...]: floats}


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_written, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
