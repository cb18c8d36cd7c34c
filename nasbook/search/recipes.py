"""The table of recipes: a method is a choice on five axes, and a row here.

A new method is a new row, or one new choice on one axis: in `relaxation`, `search.hypergradient`,
`search.perturbation`, the memory of the supernet, or `selection`. The loop stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasbook.runtime.errors import UsageError


@dataclass(frozen=True)
class Recipe:
    """One method.

    Args:
        name: what `nasbook search --method` calls it.
        relaxation: how architecture parameters become operation weights.
        hypergradient: how the outer gradient is taken.
        perturbation: what is done to the weights before the inner step.
        memory: what of the supernet is run.
        selection: how one architecture comes out.
        title: the method in words, where no published table names it.
        paper: its source, likewise.
    """

    name: str
    relaxation: str = "softmax"
    hypergradient: str = "first-order"
    perturbation: str = "none"
    memory: str = "all"
    selection: str = "magnitude"
    title: str | None = None
    paper: str | None = None


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("darts"),
        Recipe("darts-2nd", hypergradient="second-order"),
        Recipe("darts-exact", hypergradient="exact", title="DARTS (second order, exact derivative)"),
        Recipe(
            "rsps",
            relaxation="single-path",
            hypergradient="none",
            memory="active",
            selection="ranking",
            title="Random search with weight sharing",
            paper="Li & Talwalkar 2020",
        ),
    )
}


def get(name: str) -> Recipe:
    """A recipe by name.

    Raises:
        UsageError: no method of this name runs here.
    """
    if name not in RECIPES:
        raise UsageError(f"Method {name!r} does not run here; there are {', '.join(RECIPES)}.")
    return RECIPES[name]
