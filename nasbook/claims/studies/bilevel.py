"""Chapter 05: first order against second order, where the exact answer is known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from nasbook import datasets, spaces
from nasbook.analysis import bilevel_toy, hypergradients
from nasbook.runtime.events import Listener
from nasbook.search.hypergradient import first_order, second_order


def hypergradient_errors(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """The error of both hypergradients on a small fresh supernet in double precision, with ReLUs and without kinks.

    Args:
        seed: of the supernet, of alpha and of the two batches.
        settings: `space`, `batch` (images in each batch), `step` (the look-ahead xi).
        size: "class".
        device, folder, listeners: not used: a point of this size is computed on the processor in a second.

    Returns:
        For the `smooth` twin and for the supernet with `relu`: `..._first` and `..._second`, the errors relative to the
        exact hypergradient, and `..._advantage`, the first less the second. Then `passes` and `time`: forward and
        backward passes of an iteration, and its seconds, of second order over those of first order.
    """
    space, data = spaces.get(settings["space"], nodes=2, reduction="fixed"), datasets.load("street_numbers")
    generator = torch.Generator().manual_seed(seed)
    halves = datasets.bilevel_halves(data, seed=seed)
    train, valid = (
        next(datasets.Batches(half, settings["batch"], dataset=data, generator=generator)) for half in halves
    )
    result: dict[str, Any] = {}
    for name, smooth in (("smooth", True), ("relu", False)):
        point = hypergradients.supernet_point(space, train, valid, classes=data.classes, smooth=smooth, seed=seed)
        first, second = (
            hypergradients.method_error(method, point, step=settings["step"]) for method in (first_order, second_order)
        )
        result |= {f"{name}_first": first, f"{name}_second": second, f"{name}_advantage": first - second}
    first_cost, second_cost = (hypergradients.cost(method, point, repeats=10) for method in (first_order, second_order))
    passes = [cost.forward + cost.backward for cost in (first_cost, second_cost)]
    return result | {"passes": passes[1] / passes[0], "time": second_cost.seconds / first_cost.seconds}


def toy(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Where the two methods come to rest on the problem that paper can solve (Liu et al. 2019, figure 2).

    Args:
        seed: changes nothing: the problem has no chance in it.
        settings: `steps`, and the look-ahead steps `xi` and `small_xi`.
        size, device, folder, listeners: not used.

    Returns:
        The distance of alpha from the solution after `first` order, after `second` order with xi, and after
        `second_small` with the small one.
    """
    ends = {
        "first": bilevel_toy.run(first_order, steps=settings["steps"]),
        "second": bilevel_toy.run(second_order, settings["xi"], steps=settings["steps"]),
        "second_small": bilevel_toy.run(second_order, settings["small_xi"], steps=settings["steps"]),
    }
    return {name: abs(each.end[0] - bilevel_toy.SOLUTION[0]) for name, each in ends.items()}
