"""All methods in one list: the systems that the lecture names, and the variants of them that run here besides."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from nasbook.search.cards import family
from nasbook.search.recipes import RECIPES, Recipe
from nasbook.strategies.published import NamedMethod, PublishedMethod, named_methods

AXES = ("relaxation", "hypergradient", "perturbation", "memory", "selection")


@dataclass(frozen=True)
class Method:
    """One method: what was published of it, and its place on the axes where it runs here.

    Args:
        name: how this book calls it.
        title: in words.
        paper: authors and year; None for what nobody published.
        recipe: None where it does not run here.
        error_percent, error_std: test error on CIFAR-10 and its standard deviation, in percent, where published.
        gpu_days: published cost of the search.
        note: what to know before comparing it.
        year, kind: of publication, and how the architecture was found; None for what nobody published by itself.
    """

    name: str
    title: str
    paper: str | None
    recipe: Recipe | None
    error_percent: float | None = None
    error_std: float | None = None
    gpu_days: float | None = None
    note: str = ""
    year: int | None = None
    kind: str | None = None

    @property
    def axes(self) -> dict[str, str]:
        """Its choice on each axis; none where it does not run here."""
        return {axis: getattr(self.recipe, axis) for axis in AXES} if self.recipe else {}

    def row(self) -> dict[str, Any]:
        """What `nasbook methods --json` says of it."""
        facts = asdict(self)
        recipe, kind = facts.pop("recipe"), facts.pop("kind")
        return {**facts, "family": kind, "runs": recipe is not None, **self.axes}


def all_methods() -> tuple[Method, ...]:
    """Every system that the lecture names, in its order, but for networks of human design.

    A recipe that the lecture does not name comes after the systems that share its card; without a card, at the end.
    """
    found = {row.name: _named(row) for row in named_methods() if row.family != "human design"}
    names = list(found)
    for name, recipe in RECIPES.items():
        if name not in found:
            related = [place for place, other in enumerate(names, start=1) if other in family(name)]
            names.insert(related[-1] if related else len(names), name)
            found[name] = Method(name, recipe.title or name, recipe.paper, recipe)
    return tuple(found[name] for name in names)


def _named(row: NamedMethod) -> Method:
    method = Method(
        row.name, row.title, row.paper, RECIPES.get(row.name), note=row.note, year=row.year, kind=row.family
    )
    if not isinstance(row, PublishedMethod):
        return method
    return replace(method, error_percent=row.error_percent, error_std=row.error_std, gpu_days=row.gpu_days)
