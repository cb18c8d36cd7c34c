"""Chapter 12: does what runs of an edge decide what a search costs, and does a price on operations make cells cheap?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nasbook import datasets, experiment, sizes, spaces
from nasbook.analysis import cost, expected_cost, memory_budget, operation_calls
from nasbook.analysis.method_cost import of_searches
from nasbook.datasets.catalogue import CATALOGUE
from nasbook.runtime.events import Listener
from nasbook.search import Search, recipes
from nasbook.selection import derive


def modes(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Saved activations and seconds of a pass for both gradients against K, in each mode of running an edge.

    Args:
        seed: changes no memory: each is one more round of timing.
        settings: `operations` (at least three ascending values of K, from 2), and `repeats` of each timing.
        size: the supernet's.
        device: where the steps run.
        folder, listeners: not used, there is nothing to go on with.

    Returns:
        At the largest K, over running all operations: `MODE_memory` and `MODE_time` for each other mode (its words
        joined by underscores). From the least K to the largest: `two_paths_growth` and `one_path_growth` of memory.
        `extrapolation` is the largest relative error, over the modes, with which the line through the two least K
        tells the memory at the largest. The series, by mode, are `saved_mib`, `seconds` and `lines`, fitted to all K.
    """
    preset, counts = sizes.get(size), settings["operations"]
    data = CATALOGUE[preset.data]
    costs = cost.against_operations(
        counts,
        numbers=preset.search,
        modes=tuple(cost.MODES.values()),
        both_gradients=True,
        image=data.image,
        classes=data.classes,
        repeats=settings["repeats"],
        device=device,
    )
    by_mode = {name: costs[place :: len(cost.MODES)] for place, name in enumerate(cost.MODES)}
    saved = {name: [each.saved_mib for each in found] for name, found in by_mode.items()}
    seconds = {name: [each.seconds for each in found] for name, found in by_mode.items()}
    return {
        **_over_first(saved, "memory"),
        **_over_first(seconds, "time"),
        "two_paths_growth": saved["two paths"][-1] / saved["two paths"][0],
        "one_path_growth": saved["one path"][-1] / saved["one path"][0],
        "extrapolation": max(_missed(counts, mib) for mib in saved.values()),
        "operations": list(counts),
        "saved_mib": saved,
        "seconds": seconds,
        "lines": {name: asdict(memory_budget.fit(counts, mib)) for name, mib in saved.items()},
    }


def _over_first(series: Mapping[str, list[float]], what: str) -> dict[str, float]:
    first, *others = series
    return {f"{name.replace(' ', '_')}_{what}": series[name][-1] / series[first][-1] for name in others}


def _missed(counts: list[int], mib: list[float]) -> float:
    """The relative error at the last K of the line through the first two."""
    return abs(memory_budget.fit(counts[:2], mib[:2])(counts[-1]) / mib[-1] - 1)


def methods(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Seconds, activations and counted calls of a step of each method by its own numbers, alpha moving from the start.

    Args:
        seed: of the searches: what is drawn.
        settings: `space`, `methods` (the first is what the others are compared with) and `repeats` of each timing.
        size: of the searches.
        device: where they run.
        folder, listeners: not used.

    Returns:
        For each other method `METHOD_time` and `METHOD_memory`, ratios to the first, and for each `METHOD_operations`,
        the most operations that ran on an edge at once; the series `seconds`, `saved_mib` and `calls`, which has for
        each purpose of a pass how many there were and the most operations an edge.
    """
    preset = sizes.get(size)
    searches = [_start(name, settings["space"], preset, seed, device) for name in settings["methods"]]
    costs = of_searches(searches, repeats=settings["repeats"])
    calls = {each.recipe.name: operation_calls.summary(operation_calls.of_step(each)) for each in searches}
    first, *others = costs
    return {
        **{f"{each.method}_time": each.seconds / first.seconds for each in others},
        **{f"{each.method}_memory": each.saved_mib / first.saved_mib for each in others},
        **{f"{name}_operations": max(most for _, most in found.values()) for name, found in calls.items()},
        "methods": [each.method for each in costs],
        "seconds": [each.seconds for each in costs],
        "saved_mib": [each.saved_mib for each in costs],
        "calls": {name: {purpose: list(pair) for purpose, pair in found.items()} for name, found in calls.items()},
    }


def _start(method: str, space: str, preset: sizes.Size, seed: int, device: str) -> Search:
    numbers = sizes.override(preset.of(spaces.family(space), method).search, {"frozen_epochs": 0})
    return Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
        datasets.load(preset.data),
        recipe=recipes.get(method),
        numbers=numbers,
        derive=derive(recipes.get(method).selection),
        seed=seed,
        device=device,
    )


def penalty(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """The same search with and without a price on multiply-adds, and what its cell costs and reaches.

    Args:
        seed: of both searches and trainings.
        settings: `method`, `space`, `cost_weight`, and `numbers` of both searches and `train_numbers` of both
            trainings that are not the size's own, if any.
        size: of the searches and trainings.
        device: where they run.
        folder: where they are kept.
        listeners: told what happens.

    Returns:
        With the price over without: `expected_ratio` after the last epoch and `macs_ratio` of the trained cells.
        `expected_free` and `expected_priced` themselves (1 at equal weights), and `accuracy_change` (points of test
        accuracy, with less without). The series `free` and `priced` have `expected` over the epochs, `genotype`,
        `macs`, `test_accuracy`.
    """
    free, priced = (
        _priced(weight, settings, seed, size, device, folder, tuple(listeners))
        for weight in (0.0, settings["cost_weight"])
    )
    return {
        "expected_ratio": priced["expected"][-1] / free["expected"][-1],
        "expected_free": free["expected"][-1],
        "expected_priced": priced["expected"][-1],
        "macs_ratio": priced["macs"] / free["macs"],
        "accuracy_change": priced["test_accuracy"] - free["test_accuracy"],
        "free": free,
        "priced": priced,
    }


def _priced(
    weight: float,
    settings: dict[str, Any],
    seed: int,
    size: str,
    device: str,
    folder: Path | None,
    listeners: tuple[Listener, ...],
) -> dict[str, Any]:
    """One search and training with this weight of the expected cost."""
    changes = {**settings.get("numbers", {}), "cost_weight": weight}
    outcome = experiment.search(
        settings["method"],
        space=settings["space"],
        numbers=changes,
        train_numbers=settings.get("train_numbers"),
        size=size,
        seed=seed,
        device=device,
        run=folder / f"cost-weight-{weight:g}" if folder else None,
        listeners=listeners,
    )
    preset = sizes.get(size).of(spaces.family(settings["space"]), settings["method"])
    numbers = sizes.override(preset.search, changes)
    space = spaces.get(settings["space"], nodes=numbers.nodes, reduction=numbers.reduction)
    prices = expected_cost.multiply_adds(space, datasets.load(preset.data), numbers)
    return {
        "expected": [expected_cost.expected(record["weights"], prices) for record in outcome.history],
        **{key: outcome.result[key] for key in ("genotype", "macs", "test_accuracy")},
    }
