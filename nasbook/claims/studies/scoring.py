"""Chapter 15: what it saves to score all operations of an edge together."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nasbook import datasets, sizes, spaces
from nasbook.runtime import devices
from nasbook.runtime.events import Listener
from nasbook.runtime.rounding import rounded
from nasbook.search import Search, recipes
from nasbook.selection import PerturbationSelection, derive
from nasbook.selection.scoring import scores


def study(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Seconds to score the first choice of a selection one by one, over the seconds to score it together.

    Args:
        seed: of the supernets, which are not trained: that changes no time. Each seed is one more round of timing.
        settings: `spaces`, and `repeats` of each timing, of which the fastest counts.
        size: the supernets' and the images'.
        device: where they run.
        folder, listeners: not used, there is nothing to go on with.

    Returns:
        For each space S `S_speedup`, and `apart`, the largest difference between two losses that should be equal, as a
        share of the loss.
    """
    result: dict[str, float] = {"apart": 0.0}
    for name in settings["spaces"]:
        selection = _selection(name, seed, size, device)
        choice, weights = selection.stops[0][0], selection.weights()
        seconds, losses = {}, {}
        for scoring in ("one-by-one", "together"):
            taken = []
            for _ in range(settings["repeats"]):
                start = time.perf_counter()
                found = scores(selection.search, weights, choice.group, choice.options, scoring=scoring)
                taken.append(time.perf_counter() - start)
            seconds[scoring], losses[scoring] = min(taken), [each.loss for each in found]
        result[f"{name}_speedup"] = seconds["one-by-one"] / seconds["together"]
        apart = max(abs(one - other) / one for one, other in zip(*losses.values(), strict=True))
        result["apart"] = max(result["apart"], apart)
    found_all: dict[str, Any] = rounded(result)
    return found_all


def _selection(name: str, seed: int, size: str, device: str) -> PerturbationSelection:
    """The start of a selection on an untrained supernet."""
    preset = sizes.get(size)
    numbers = preset.of(spaces.family(name)).search
    search = Search(
        spaces.get(name, nodes=numbers.nodes, reduction=numbers.reduction),
        datasets.load(preset.data),
        recipe=recipes.get("darts+pt"),
        numbers=numbers,
        derive=derive("perturbation"),
        seed=seed,
        device=devices.pick(device),
    )
    return PerturbationSelection(search)
