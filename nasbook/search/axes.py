"""The choices on a recipe's axes that this room holds, and whether a recipe's words are among them."""

from __future__ import annotations

from collections.abc import Iterable

from nasbook.relaxation import RELAXATIONS
from nasbook.runtime.errors import UsageError
from nasbook.search import hypergradient
from nasbook.search.perturbation import PERTURBATIONS
from nasbook.search.policy_gradient import policy_gradient
from nasbook.search.recipes import Recipe

HYPERGRADIENTS: dict[str, hypergradient.Method | None] = {
    "first-order": hypergradient.first_order,
    "second-order": hypergradient.second_order,
    "exact": hypergradient.exact,
    "policy-gradient": policy_gradient,
    "single-level": None,  # alpha moves with the weights, by the gradient of the same training loss
    "none": None,  # alpha stays as it is
}
# What a policy gradient can play: relaxations that hold one architecture where no gradient in the weights is wanted.
PLAYED = ("hard-gumbel", "score-function", "binary-gates", "two-paths")


def check_recipe(recipe: Recipe) -> None:
    """Make sure that each axis of this room names a choice that exists, and that the choices go together.

    Raises:
        UsageError: it is not so; the sentence lists what there is.
    """
    tables = (RELAXATIONS, HYPERGRADIENTS, PERTURBATIONS)
    axes: dict[str, Iterable[str]] = dict(zip(("relaxation", "hypergradient", "perturbation"), tables))
    for axis, choices in axes.items():
        chosen = getattr(recipe, axis)
        if chosen not in choices:
            raise UsageError(
                f"Recipe {recipe.name!r}: {axis} {chosen!r} does not exist; there are {', '.join(choices)}."
            )
    if recipe.hypergradient == "policy-gradient" and recipe.relaxation not in PLAYED:
        raise UsageError(
            f"Recipe {recipe.name!r}: a policy gradient scores single architectures, and the relaxation "
            f"{recipe.relaxation} draws none; those that do are {', '.join(PLAYED)}."
        )
    if recipe.hypergradient == "single-level" and recipe.perturbation != "none":
        raise UsageError(
            f"Recipe {recipe.name!r}: a single-level step moves alpha by the gradient that moves the weights, so that "
            f"the weights cannot be moved at other, perturbed operation weights; take another hypergradient."
        )
