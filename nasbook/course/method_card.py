"""The card of a method as a chapter and the command show it: with its numbers, and what was published and measured."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasbook.analysis.published_errors import published_errors
from nasbook.claims.measured import Measured, measured
from nasbook.search import recipes
from nasbook.search.cards import card, card_fields, family
from nasbook.sizes import SIZES
from nasbook.strategies.methods import Method, all_methods

NOT_MEASURED = "not measured yet"
MEASURE = "darts"  # what costs are compared with
SELECTED = f"darts{recipes.PT}"  # whose card tells of the selection that any method takes
# What stored results can say of a method: the studies' functions, the end of the number's name, its unit, and in words.
RESULTS = (
    (
        ("method-order", "selecting", "smoothing"),
        "derived",
        "%",
        "test accuracy on street_numbers of the derived cell, mean and 95 % interval",
    ),
    (("methods", "scalable-methods"), "time", "times", "time of a step over that of DARTS"),
    (("methods", "scalable-methods"), "memory", "times", "activations of a step over those of DARTS"),
)


@dataclass(frozen=True, repr=False)
class MethodCard:
    """A card on the page (Markdown), in text, and as a JSON document.

    Args:
        method: its row in the list of methods.
        heading: the first line of the card.
        fields: by their names, in their order.
    """

    method: Method
    heading: str
    fields: dict[str, str]

    def __repr__(self) -> str:
        parts = [f"{name}\n{textwrap.indent(text, '    ')}" for name, text in self.fields.items()]
        return "\n\n".join([self.heading, _places(self.method), *parts])

    def _repr_markdown_(self) -> str:
        fields = {**self.fields, "Command": textwrap.indent(self.fields["Command"], "    ")}  # code, line by line
        parts = [f"**{name}**\n\n{text}" for name, text in fields.items()]
        return "\n\n".join([f"**{self.heading}**", _places(self.method), *parts])

    def row(self) -> dict[str, Any]:
        """What `nasbook methods NAME --json` prints: the method's row of the list, and its card's fields."""
        return {**self.method.row(), "heading": self.heading, "fields": self.fields}


def method_card(name: str, *, folder: Path | None = None) -> MethodCard:
    """The card of a method that runs here.

    Args:
        name: of a recipe, or any with "+pt" behind it: then the card of that selection, which names the search's.
        folder: of measured results; the book's own without.

    Raises:
        UsageError: there is no card of this name, or a file of results is damaged.
    """
    recipes.get(name)  # refuses what does not run, with the names that are near
    base = name.removesuffix(recipes.PT)
    if family(name) or not family(base):
        heading, fields = card(name).splitlines()[0], card_fields(name)
        method = next(each for each in all_methods() if each.name == name)
    else:
        heading, fields, method = card(SELECTED).splitlines()[0], _fields_behind(base), _unnamed(name)
    failures = fields.popitem()  # the last field of a card
    fields |= {"Numbers": _numbers(name), "Published": _published(method), "Measured here": _measured(name, folder)}
    return MethodCard(method, heading, dict([*fields.items(), failures]))


def _fields_behind(base: str) -> dict[str, str]:
    """The card of the selection by perturbation behind the search of another method."""
    search = f"That of `{base}`: its card is printed by `nasbook methods {base}`. When it is over, this card begins."
    command = f"nasbook search --method {base}{recipes.PT} --space s2"
    return {"Search": search, **card_fields(SELECTED), "Command": command}


def _unnamed(name: str) -> Method:
    """The row of a method that is in no list."""
    recipe = recipes.get(name)
    return Method(name, recipe.title or name, recipe.paper, recipe)


def _places(method: Method) -> str:
    """The method's name and its place on the axes, in one line."""
    return f"`{method.name}` is {method.title}: " + ", ".join(f"{axis} {word}" for axis, word in method.axes.items())


def _numbers(name: str) -> str:
    """What differs from DARTS's numbers at each size."""
    lines = []
    for size in SIZES.values():
        for place, numbers in size.special(name).items():
            where = f"{size.name} size" + (f" in the family {place}" if place else "")
            lines += [f"- {where}: " + ", ".join(f"{key} {value}" for key, value in numbers.items())] * bool(numbers)
    return "\n".join(["Those of DARTS at the same size (nasbook/sizes)" + (", but:" if lines else "."), *lines])


def _published(method: Method) -> str:
    lines = list(_published_lines(method))
    return "\n".join(lines) if lines else "No number of its own."


def _published_lines(method: Method) -> Iterator[str]:
    if method.error_percent is not None:
        days = "" if method.gpu_days is None else f", {method.gpu_days:g} GPU-days"
        yield f"- test error on CIFAR-10: {_spread(method.error_percent, method.error_std)} %{days}"
    for row in published_errors():
        if row.method == method.name and row.data == "cifar10":
            yield f"- test error in the space {row.space} on CIFAR-10: {_spread(row.test_error, row.spread)} %"
    if method.note:
        yield f"- note: {method.note}"


def _spread(value: float, spread: float | None) -> str:
    return f"{value:.2f}" + ("" if spread is None else f" ± {spread:.2f}")


def _measured(name: str, folder: Path | None) -> str:
    lines = []
    for functions, end, unit, words in RESULTS:
        if name != MEASURE or "methods" not in functions:
            found = [each for function in functions for each in measured(function, f"{name}_{end}", folder=folder)]
            lines.append(f"- {words}: {'; '.join(_result(each, unit) for each in found) or NOT_MEASURED}")
    return "\n".join(lines)


def _result(found: Measured, unit: str) -> str:
    seeds = f"{len(found.seeds)} seed" + "s" * (len(found.seeds) != 1)
    return (
        f"{found.interval.words(unit)} in {found.settings['space']} ({found.size} size, {seeds}, study {found.study})"
    )
