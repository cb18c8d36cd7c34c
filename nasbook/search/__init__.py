"""Search: recipes, the bilevel loop, hypergradients and perturbations.

Everything but the table of recipes loads when first used, so that the table can be read without torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nasbook.search.recipes import RECIPES, Recipe, get

if TYPE_CHECKING:
    from nasbook.search.axes import HYPERGRADIENTS
    from nasbook.search.hypergradient import Hypergradient, LookAhead, Problem, exact, first_order, second_order
    from nasbook.search.loop import Search

__all__ = [
    "HYPERGRADIENTS",
    "RECIPES",
    "Hypergradient",
    "LookAhead",
    "Problem",
    "Recipe",
    "Search",
    "exact",
    "first_order",
    "get",
    "second_order",
]
_HOMES = {"HYPERGRADIENTS": "axes", "Search": "loop"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'hypergradient')}"), name)
