"""The table of recipes: a method is a choice on five axes, and a row here.

A new method is a new row, or one new choice on one axis: in `relaxation`, `search.hypergradient`,
`search.perturbation`, the memory of the supernet, or `selection`. The loop stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from nasbook.runtime.errors import UsageError
from nasbook.sizes import SearchNumbers


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
        ),
        Recipe("snas", relaxation="gumbel-softmax", hypergradient="single-level", selection="all-edges"),
        Recipe("snas-bilevel", relaxation="gumbel-softmax", title="SNAS (bilevel)", paper="Chen et al. 2021, table 4"),
        Recipe("gdas", relaxation="hard-gumbel", memory="active", selection="top-pairs"),
        Recipe(
            "dsnas",
            relaxation="score-function",
            hypergradient="single-level",
            memory="active",
            selection="all-edges",
        ),
        Recipe("drnas", relaxation="dirichlet"),
        Recipe("drnas-progressive", relaxation="dirichlet", memory="partial"),
        Recipe("pc-darts", relaxation="edge-softmax", memory="partial"),
        Recipe("proxylessnas", relaxation="binary-gates"),
        Recipe(
            "proxylessnas-two-paths",
            relaxation="two-paths",
            memory="active",
            title="ProxylessNAS (two paths)",
            paper="Cai et al. 2019, section 3.2",
        ),
        Recipe(
            "proxylessnas-r",
            relaxation="score-function",
            hypergradient="policy-gradient",
            memory="active",
            title="ProxylessNAS (REINFORCE)",
            paper="Cai et al. 2019, section 3.3",
        ),
        Recipe("nasp", relaxation="proximal"),
        Recipe("sdarts-rs", perturbation="random"),
        Recipe("sdarts-adv", perturbation="adversarial"),
        Recipe("darts+pt", selection="perturbation"),
        Recipe("darts+pt-fixed-alpha", hypergradient="none", selection="perturbation"),
        Recipe(
            "sdarts-rs+pt",
            perturbation="random",
            selection="perturbation",
            title="SDARTS-RS+PT",
            paper="Wang et al. 2021, section 5",
        ),
        Recipe("sdarts-adv+pt", perturbation="adversarial", selection="perturbation"),
    )
}


PT = "+pt"  # any method's name with this behind it: its search, then perturbation-based selection


def get(name: str) -> Recipe:
    """A recipe by name; any method's name with "+pt" behind it has perturbation-based selection.

    Raises:
        UsageError: no method of this name runs here.
    """
    if name in RECIPES:
        return RECIPES[name]
    base = RECIPES.get(name.removesuffix(PT))
    if base is not None and base.selection != "perturbation":
        title = f"{base.title or base.name} + PT"
        return replace(base, name=name, selection="perturbation", title=title, paper="Wang et al. 2021, algorithm 1")
    close = _near(name.lower())
    meant = f" (did you mean {' or '.join(close)}?)" if close else ""
    raise UsageError(
        f"Method {name!r} does not run here{meant}; there are {', '.join(RECIPES)}, "
        f"and each that does not end in {PT} also with {PT} behind it."
    )


def _near(name: str) -> list[str]:
    """Names that may be meant; with "+pt" behind them where it was asked for."""
    base = name.removesuffix(PT)
    plain = [each for each in RECIPES if RECIPES[each].selection != "perturbation"]
    close = [each for each in plain if base and each.startswith(base)] or get_close_matches(base, plain, n=1)
    return [each + name[len(base) :] for each in close]


# What selection by perturbation reads.
SELECTING = ("selection_order", "selection_criterion", "selection_scoring", "tuning_lr", "tuning_steps")
_LEARNING = ("first-order", "second-order", "exact", "policy-gradient", "single-level")  # alpha moves
# A number that one choice reads: the axis, the words that read it, and the value that leaves it out (any value does
# where that is an ellipsis: there it matters only whether the number was asked for by name).
READERS: dict[str, tuple[str, tuple[str, ...], object]] = {
    "temperature": ("relaxation", ("gumbel-softmax", "hard-gumbel"), 1.0),
    "temperature_end": ("relaxation", ("gumbel-softmax", "hard-gumbel"), 1.0),
    "anchor_kl": ("relaxation", ("dirichlet",), 0.0),
    "radius": ("perturbation", ("random", "adversarial"), ...),
    "radius_end": ("perturbation", ("random", "adversarial"), ...),
    "attack_steps": ("perturbation", ("adversarial",), ...),
    "plays": ("hypergradient", ("policy-gradient",), ...),
    "alpha_lr": ("hypergradient", _LEARNING, ...),
    "alpha_beta1": ("hypergradient", _LEARNING, ...),
    "alpha_beta2": ("hypergradient", _LEARNING, ...),
    "alpha_decay": ("hypergradient", _LEARNING, ...),
    "alpha_clip": ("hypergradient", _LEARNING, ...),
    "alpha_every": ("hypergradient", _LEARNING, ...),
    "frozen_epochs": ("hypergradient", _LEARNING, ...),
    "cost_weight": ("hypergradient", _LEARNING, 0.0),
    # It goes back to an earlier architecture, but not to the supernet that a selection by perturbation would need.
    "early_stop": ("selection", ("magnitude", "all-edges", "top-pairs", "ranking"), 0.0),
    "unsampled": ("relaxation", ("hard-gumbel",), "nothing"),
    **{name: ("selection", ("perturbation",), ...) for name in SELECTING},
    "partial": ("memory", ("partial",), 1),
    "partial_end": ("memory", ("partial",), 1),
    "operations_end": ("memory", ("partial",), None),
}


def check_numbers(recipe: Recipe, numbers: SearchNumbers, given: Iterable[str] = ()) -> None:
    """Make sure that nothing is asked of a method that it does not do.

    Args:
        recipe: the method.
        numbers: of its search.
        given: the numbers that were asked for by name.

    Raises:
        UsageError: a number belongs to another choice on an axis, or alpha would never move.
    """
    for name, (axis, words, left_out) in READERS.items():
        asked = name in given or (left_out is not ... and getattr(numbers, name) != left_out)
        if asked and getattr(recipe, axis) not in words:
            raise UsageError(
                f"Method {recipe.name!r} does not read {name}: it belongs to the {axis} {' or '.join(words)}, "
                f"and this method's is {getattr(recipe, axis)}."
            )
    if "cost" in given and not numbers.cost_weight:
        raise UsageError("cost says what cost_weight weighs: give a cost_weight above 0 too, or leave cost out.")
    stage = numbers.epochs if numbers.operations_end is None else numbers.epochs // 2
    if recipe.hypergradient != "none" and numbers.frozen_epochs and numbers.frozen_epochs >= stage:
        raise UsageError(
            f"With frozen_epochs {numbers.frozen_epochs} the architecture parameters would never move: a stage of this "
            f"search has {stage} epochs."
        )
