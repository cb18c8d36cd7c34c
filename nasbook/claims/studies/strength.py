"""Chapter 14: does the weight that alpha gives an operation say how strong the operation is?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nasbook import datasets, sizes, spaces
from nasbook.analysis import forcing, strength
from nasbook.analysis.forcing import Assignment
from nasbook.analysis.strength import Strength
from nasbook.experiment.folders import go_on
from nasbook.runtime import devices
from nasbook.runtime.events import Listener
from nasbook.runtime.rounding import rounded
from nasbook.runtime.run_folder import RunFolder
from nasbook.search import Search, recipes
from nasbook.selection import magnitude
from nasbook.selection.scoring import score


def study(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Search with DARTS, and measure the strength of the operations of some edges beside their weights.

    Args:
        seed: of the search, and of the edges that are drawn.
        settings: `space`; `edges`, how many are drawn at random, all without; `repeats` of each measurement, 2 without;
            `forced`: also try every way to put convolutions on the edges (S2, S4); and `numbers` of the search if they
            are not the size's own.
        size, device: of the search.
        folder: where the search is kept.
        listeners: told what happens.

    Returns:
        Means over the edges: `alpha_correlation` and `pt_correlation`, the rank correlation of the weights, and of how
        much the operation is missed, with the accuracy after its edge was fixed to it; `repeat_correlation`, of two
        measurements of that accuracy with each other; `pt_minus_alpha`; `alpha_picks_best`, `pt_picks_best` and
        `chance`, how often the first of the order is the best of the edge; `alpha_regret`, `pt_regret` and
        `chance_regret`, how many points it lies below the best; `supernet` (percent); and for each edge the measured
        numbers (`strengths`). With `forced` also what `of_forcing` says.

    Raises:
        UsageError: a setting is not allowed; nothing has run then.
    """
    search = begun(seed, settings, size=size, device=device)
    edges = strength.random_edges(search.space, settings.get("edges"), seed=seed)
    if settings.get("forced"):
        forcing.convolution_columns(search.space)
    train(search, folder, {"space": settings["space"], "size": size}, listeners)
    repeats = settings.get("repeats", 2)
    measured = [strength.strength(search, group, row, repeats=repeats) for group, row in edges]
    result = {"supernet": score(search, strength.expected(search)).accuracy}
    result |= of_strengths(measured)
    if settings.get("forced"):
        result |= of_forcing(search)
    found: dict[str, Any] = rounded(result)
    return found


def begun(seed: int, settings: dict[str, Any], *, size: str, device: str) -> Search:
    """A search with DARTS before its first epoch; arguments as in `study`."""
    preset = sizes.get(size)
    numbers = sizes.override(preset.of(spaces.family(settings["space"]), "darts").search, settings.get("numbers") or {})
    return Search(
        spaces.get(settings["space"], nodes=numbers.nodes, reduction=numbers.reduction),
        datasets.load(preset.data),
        recipe=recipes.get("darts"),
        numbers=numbers,
        derive=magnitude,
        seed=seed,
        device=devices.pick(device),
    )


def train(search: Search, folder: Path | None, asked: dict[str, Any], listeners: Iterable[Listener]) -> None:
    """Take a search to its end; one that was killed goes on from its last epoch."""
    place = None if folder is None else folder / "search"
    with RunFolder(place, {**asked, "seed": search.seed, "numbers": asdict(search.numbers)}) as run:
        go_on(search, run, listeners, run.checkpoint())


def of_strengths(measured: Sequence[Strength]) -> dict[str, Any]:
    """Means over the edges of what each order of the operations is worth, and the numbers behind them."""

    def mean(values: Iterable[float]) -> float:
        return sum(values) / len(measured)

    result: dict[str, Any] = {
        "alpha_correlation": mean(each.correlation(each.weights) for each in measured),
        "pt_correlation": mean(each.correlation(each.missed) for each in measured),
        "alpha_picks_best": mean(each.picks_best(each.weights) for each in measured),
        "pt_picks_best": mean(each.picks_best(each.missed) for each in measured),
        "chance": mean(1.0 / len(each.operations) for each in measured),
        "alpha_regret": mean(each.regret(each.weights) for each in measured),
        "pt_regret": mean(each.regret(each.missed) for each in measured),
        "chance_regret": mean(max(each.tuned) - sum(each.tuned) / len(each.tuned) for each in measured),
    }
    result["pt_minus_alpha"] = result["pt_correlation"] - result["alpha_correlation"]
    result["alpha_minus_chance_regret"] = result["alpha_regret"] - result["chance_regret"]
    if all(len(each.repeats) > 1 for each in measured):
        result["repeat_correlation"] = mean(each.repeatable for each in measured)
    return result | {"strengths": [asdict(each) for each in measured]}


def of_forcing(search: Search) -> dict[str, Any]:
    """What the supernet is worth with every assignment of skips and convolutions to its edges.

    Returns:
        `assignments`: text like "01101" (1: convolution; edges in the order of the space) with accuracy (percent);
        `forced`: the mean accuracy of those with k convolutions, for each k, and `forced_low` and `forced_high`, the
        worst and the best; `forced_gain`, all convolutions minus none; `forced_best_k`, the k of the best mean;
        `magnitude` and `pt`: what each selection chooses, `..._accuracy` of that among the assignments,
        `pt_minus_magnitude`, `..._share` of convolutions; `pt_path`: the decisions in their order.
    """
    found = forcing.forced(search)
    chosen, path = forcing.by_perturbation(search)
    by_count = [[found[ways] for ways in found if sum(ways) == k] for k in range(len(path) + 1)]
    forced = [sum(values) / len(values) for values in by_count]
    result: dict[str, Any] = {
        "assignments": {text(ways): accuracy for ways, accuracy in found.items()},
        "forced": forced,
        "forced_low": [min(values) for values in by_count],
        "forced_high": [max(values) for values in by_count],
        "forced_gain": forced[-1] - forced[0],
        "forced_best_k": forced.index(max(forced)),
        "pt_path": path,
    }
    for name, ways in (("magnitude", forcing.by_weight(search)), ("pt", chosen)):
        result |= {name: text(ways), f"{name}_accuracy": found[ways], f"{name}_share": sum(ways) / len(ways)}
    result["pt_minus_magnitude"] = result["pt_accuracy"] - result["magnitude_accuracy"]
    return result


def text(ways: Assignment) -> str:
    """An assignment as text: 1 where an edge holds the convolution."""
    return "".join("01"[held] for held in ways)
