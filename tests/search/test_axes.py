"""Which choices on the axes go together."""

from __future__ import annotations

import pytest

from nasbook.runtime.errors import UsageError
from nasbook.search.axes import check_recipe
from nasbook.search.perturbation import PERTURBATIONS
from nasbook.search.recipes import RECIPES, Recipe


@pytest.mark.parametrize("name", RECIPES)
def test_the_recipes_of_the_book_name_choices_that_exist(name: str) -> None:
    check_recipe(RECIPES[name])


def test_a_single_level_step_is_not_perturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One backward pass gives both gradients, at one point: there is no other point to train the weights at."""
    monkeypatch.setitem(PERTURBATIONS, "moved", lambda numbers: lambda mixing, *_: mixing)
    check_recipe(Recipe("mine", relaxation="gumbel-softmax", perturbation="moved"))
    with pytest.raises(UsageError, match="single-level step moves alpha by the gradient that moves the weights"):
        check_recipe(Recipe("mine", relaxation="gumbel-softmax", hypergradient="single-level", perturbation="moved"))
