"""An option for each number of a size, made from the dataclass that holds the numbers.

The fields give names and types, their docstring the help, and the sizes the values that hold when an option is left
out. A number added to `nasbook.sizes` is an option of the command with nothing to write here.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_args, get_type_hints

import typer

from nasbook.sizes import SIZES, SearchNumbers, TrainNumbers

ALL = "all"  # on the command line, the None of a number that may be None


@dataclass(frozen=True)
class NumberOptions:
    """The options of one set of numbers.

    Args:
        stage: the field of `nasbook.sizes.Size` that holds the set: "search" or "train".
        numbers: its class.
        prefix: put before each option's name.
        title: heading of these options in the help.
        only: the numbers that are options; where none is named, all are.
    """

    stage: str
    numbers: type[SearchNumbers] | type[TrainNumbers]
    prefix: str
    title: str
    only: tuple[str, ...] = ()

    def parameters(self) -> list[inspect.Parameter]:
        """The options as parameters of a command; None where one is left out."""
        types, texts = get_type_hints(self.numbers), explanations(self.numbers)
        return [
            inspect.Parameter(
                self._parameter(name),
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=self._annotation(name, types[name], texts.get(name, "")),
            )
            for name in self._names()
        ]

    def take(self, values: dict[str, Any]) -> dict[str, Any]:
        """Remove this set's options from a command's values; returns the numbers that were given."""
        given = {name: values.pop(self._parameter(name)) for name in self._names()}
        return {name: None if value == ALL else value for name, value in given.items() if value is not None}

    def _names(self) -> list[str]:
        return [field.name for field in fields(self.numbers) if not self.only or field.name in self.only]

    def _parameter(self, name: str) -> str:
        return f"{self.prefix}{name}".replace("-", "_")

    def _annotation(self, name: str, kind: Any, text: str) -> Any:
        defaults = {size.name: getattr(getattr(size, self.stage), name) for size in SIZES.values()}
        values = ", ".join(f"{size}: {_shown(value)}" for size, value in defaults.items())
        flag = f"{self.prefix}{name}".replace("_", "-")
        declaration = f"--{flag}/--no-{flag}" if kind is bool else f"--{flag}"
        details: dict[str, Any] = {"help": f"{text} ({values})", "rich_help_panel": self.title, "show_default": False}
        if type(None) in get_args(kind):
            details |= {"parser": _count_or_all, "metavar": f"INTEGER|{ALL}"}
            kind = str
        return Annotated[kind | None, typer.Option(declaration, **details)]


def number_options(**sets: NumberOptions) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of some sets of numbers.

    Args:
        sets: for each parameter of the command that takes a dictionary of given numbers, the set it holds.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        parameters = [parameter for name, parameter in signature.parameters.items() if name not in sets]
        parameters += [parameter for options in sets.values() for parameter in options.parameters()]

        @functools.wraps(command)
        def with_numbers(**values: Any) -> None:
            command(**{name: options.take(values) for name, options in sets.items()}, **values)

        # typer reads both: the signature for names and defaults, the annotations for types.
        with_numbers.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_numbers.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_numbers

    return decorate


def explanations(numbers: type) -> dict[str, str]:
    """What the docstring of a dataclass says under "Args:" about each field."""
    _, _, arguments = inspect.cleandoc(numbers.__doc__ or "").partition("Args:\n")
    found: dict[str, str] = {}
    for entry in re.split(r"^ {4}(?! )", arguments.rstrip(), flags=re.MULTILINE)[1:]:
        names, _, text = entry.partition(":")
        found |= {name.strip(): " ".join(text.split()).rstrip(".") for name in names.split(",")}
    return found


def _count_or_all(text: str) -> Any:
    if text == ALL:
        return ALL
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a whole number nor {ALL!r}.") from None


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ALL if value is None else f"{value}"
