"""Chapter 11: how sharp the minima of two methods are when their supernets are equally accurate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nasbook import experiment
from nasbook.runtime.events import Listener
from nasbook.runtime.rounding import rounded

EIGENVALUES = ("eigenvalue", "mixing_eigenvalue")
SERIES = ("valid_accuracy", "derived_accuracy", *EIGENVALUES)


def study(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Search with two methods and measure the Hessian after each epoch.

    A supernet that is trained less is flatter (chapter 08), so that the methods are compared where their supernets are
    equally accurate, and not after equally many epochs.

    Args:
        seed: of the searches.
        settings: `space`; `methods`: two, the second of which is compared with the first; and `numbers` of the searches
            if they are not the size's own.
        size, device: of the searches.
        folder: where they are kept.
        listeners: told what happens.

    Returns:
        `eigenvalue_ratio` and `mixing_eigenvalue_ratio` at equal accuracy, in alpha and in the operation weights, and
        `..._ratio_end` after the last epoch; `level`, the accuracy (percent) at which they are compared; and for each
        method M the last `M_supernet`, `M_one_hot` and `M_gap` (percent, points). The series of both over the epochs.
    """
    series = {}
    for method in settings["methods"]:
        outcome = experiment.search(
            method,
            space=settings["space"],
            numbers=settings.get("numbers"),
            size=size,
            seed=seed,
            device=device,
            retrain=False,
            record=("derived-accuracy", "eigenvalue"),
            run=folder / method if folder else None,
            listeners=listeners,
        )
        series[method] = {key: [record[key] for record in outcome.history] for key in SERIES}
    first, second = (series[method] for method in settings["methods"])
    result: dict[str, Any] = {"level": common_level(first, second), "series": series}
    for key in EIGENVALUES:
        result[f"{key}_ratio"] = at_equal_accuracy(second, first, key)
        result[f"{key}_ratio_end"] = second[key][-1] / first[key][-1]
    for method, values in series.items():
        supernet, derived = values["valid_accuracy"][-1], values["derived_accuracy"][-1]
        result |= {f"{method}_supernet": supernet, f"{method}_one_hot": derived, f"{method}_gap": supernet - derived}
    found: dict[str, Any] = rounded(result)
    return found


def common_level(one: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]]) -> float:
    """The highest supernet accuracy (percent) that both searches reach."""
    return min(max(one["valid_accuracy"]), max(other["valid_accuracy"]))


def at_equal_accuracy(one: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]], key: str) -> float:
    """How much larger a quantity is in one search than in another when their supernets are equally accurate.

    Args:
        one, other: series over the epochs: `valid_accuracy` and the quantity.
        key: of the quantity.

    Returns:
        The ratio, each where its search first reaches the accuracy that both reach.
    """
    level = common_level(one, other)
    values = [
        series[key][next(epoch for epoch, accuracy in enumerate(series["valid_accuracy"]) if accuracy >= level)]
        for series in (one, other)
    ]
    return values[0] / values[1]
