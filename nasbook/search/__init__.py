"""Search: recipes, the bilevel loop, hypergradients and perturbations."""

from nasbook.search.hypergradient import Hypergradient, LookAhead, Problem, exact, first_order, second_order
from nasbook.search.loop import HYPERGRADIENTS, Search
from nasbook.search.recipes import RECIPES, Recipe, get

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
