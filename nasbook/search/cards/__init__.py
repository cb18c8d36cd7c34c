"""Method cards: what each method does, where it stands in the code, and where it differs from what was published.

A card is the docstring of a module here, with the same fields in the same order (`FIELDS`); the module holds nothing
else but `RECIPES`, the recipes that it tells of. Numbers of a search stand in `nasbook.sizes` and in no card.
"""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from nasbook.runtime.errors import UsageError

FIELDS = (
    "Problem it fixes",
    "Idea in one sentence",
    "Step of the weights",
    "Step of alpha",
    "What is sampled",
    "What is differentiated",
    "What is discarded",
    "Cost relative to first-order DARTS",
    "Paper and code",
    "Details",
    "Deviations from paper and released code",
    "Logged quantities",
    "Command",
    "Known failures",
)


def card(name: str) -> str:
    """The card of a method: a title, then each field's name on a line of its own and its text indented below.

    Args:
        name: of a recipe.

    Raises:
        UsageError: there is no card of this name.
    """
    if name not in _cards():
        raise UsageError(f"There is no card of a method {name!r}; there are {', '.join(_cards())}.")
    return _cards()[name][0]


def card_fields(name: str) -> dict[str, str]:
    """The same by the names of the fields, in the order of `FIELDS`; the indentation is taken off.

    Raises:
        UsageError: there is no card of this name.
    """
    found: dict[str, list[str]] = {}
    for line in card(name).splitlines():
        if line in FIELDS:
            found[line] = []
        elif found:
            found[next(reversed(found))].append(line)
    return {field: inspect.cleandoc("\n".join(["", *lines])) for field, lines in found.items()}


def family(name: str) -> tuple[str, ...]:
    """The recipes that share a method's card, itself among them; none where it has no card."""
    return _cards()[name][1] if name in _cards() else ()


@cache
def _cards() -> dict[str, tuple[str, tuple[str, ...]]]:
    """For each recipe its card and the recipes of that card."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for module in sorted(each.name for each in iter_modules(__path__)):
        held = import_module(f"{__name__}.{module}")
        found |= {name: (inspect.cleandoc(held.__doc__ or ""), held.RECIPES) for name in held.RECIPES}
    return found
