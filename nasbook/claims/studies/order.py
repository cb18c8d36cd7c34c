"""Chapters 10 to 12: every method on one space, what discretisation costs it, and how good what it derives is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from scipy.stats import spearmanr

from nasbook import experiment, spaces
from nasbook.analysis.published_errors import published_errors
from nasbook.claims.studies.fresh_training import fresh_accuracies
from nasbook.experiment import Outcome
from nasbook.runtime.events import Listener
from nasbook.runtime.rounding import rounded
from nasbook.search import recipes
from nasbook.selection import magnitude
from nasbook.spaces import Architecture, TopologySpace

RANDOM_CELL_SEED = 2000  # random control cells have the seeds from here
SERIES = ("valid_accuracy", "derived_accuracy")
SNAPSHOTS = 8  # epochs of each search whose records are kept, evenly spaced, the last among them
KEPT = ("epoch", "train_accuracy", "valid_accuracy", "derived_accuracy", "alpha", "weights", "genotype")


def study(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Search with every method, each by its own numbers of the size, and train what comes out on fresh images.

    Args:
        seed: of the searches; trainings and their images have seeds that follow from it.
        settings: `space`; `methods`, `darts` among them; `retrainings` of each derived cell; and if they are not the
            size's own `numbers` of the searches and `train_numbers`.
        size, device: of searches and trainings.
        folder: where they are kept.
        listeners: told what happens.

    Returns:
        For each method M, in percent or points: `M_supernet` and `M_one_hot` (validation accuracy of the supernet and
        of the derived cell with the same weights), `M_gap` between them and `darts_gap_minus_M` (none of these where
        cells are ranked after the search); `M_derived` (test accuracy after training), `M_minus_random` and
        `M_minus_darts`; `M_none` and `M_skips`, shares of what was kept; and `M_seconds` of its search. `order`,
        Spearman's correlation of `M_derived` with the published accuracies; `without-none_minus_darts`; the `cells` and
        how good each is after training (`trained`); the `series` of each
        search, accuracies after every epoch; and a few of its `records`, for the microscope.
    """
    runner = _Runner(seed, settings, size, device, folder, tuple(listeners))
    searches = {method: runner.search(method) for method in settings["methods"]}
    cells: dict[str, Architecture] = {method: outcome.genotype for method, outcome in searches.items()}
    cells |= runner.controls(searches["darts"])
    trained = {name: runner.train(cell) for name, cell in cells.items()}
    result: dict[str, Any] = {"cells": {name: str(cell) for name, cell in cells.items()}, "trained": trained}
    result["series"] = {method: _series(outcome) for method, outcome in searches.items()}
    result["records"] = {method: _snapshots(outcome) for method, outcome in searches.items()}
    for method, outcome in searches.items():
        result |= _of_method(method, outcome, result, trained)
    result["without-none_minus_darts"] = trained["without-none"] - trained["darts"]
    result["order"] = published_order(settings["space"], {method: trained[method] for method in searches})
    found: dict[str, Any] = rounded(result)
    return found


def published_order(space: str, accuracies: dict[str, float]) -> float:
    """Spearman's correlation of accuracies by method with the published ones on CIFAR-10 in a space, -1 to 1."""
    published = {row.method: row.accuracy for row in published_errors() if (row.space, row.data) == (space, "cifar10")}
    both = [method for method in accuracies if method in published]
    found = spearmanr([accuracies[method] for method in both], [published[method] for method in both])
    return float(found.statistic)


def _series(outcome: Outcome) -> dict[str, list[float]]:
    return {key: [record[key] for record in outcome.history] for key in SERIES}


def _snapshots(outcome: Outcome) -> list[dict[str, Any]]:
    history = outcome.history
    count = min(SNAPSHOTS, len(history))
    kept = [history[round((place + 1) * len(history) / count) - 1] for place in range(count)]
    return [{key: record[key] for key in KEPT} for record in kept]


def _of_method(method: str, outcome: Outcome, result: dict[str, Any], trained: dict[str, float]) -> dict[str, Any]:
    cell = outcome.genotype
    return {
        **(_discretised(method, result["series"]) if recipes.get(method).selection != "ranking" else {}),
        f"{method}_derived": trained[method],
        f"{method}_minus_random": trained[method] - trained["random"],
        f"{method}_minus_darts": trained[method] - trained["darts"],
        f"{method}_none": cell.count("none") / len(cell.operations),
        f"{method}_skips": cell.count("skip_connect") / len(cell.operations),
        f"{method}_seconds": outcome.result["search_seconds"],
    }


def _discretised(method: str, series: dict[str, dict[str, list[float]]]) -> dict[str, float]:
    """What the derived cell loses with the same weights; nothing to say of a method that derives none on its way."""
    gaps = {
        name: series[name]["valid_accuracy"][-1] - series[name]["derived_accuracy"][-1] for name in (method, "darts")
    }
    return {
        f"{method}_supernet": series[method]["valid_accuracy"][-1],
        f"{method}_one_hot": series[method]["derived_accuracy"][-1],
        f"{method}_gap": gaps[method],
        f"darts_gap_minus_{method}": gaps["darts"] - gaps[method],
    }


def control_cells(space: TopologySpace, weights: Mapping[str, list[list[float]]], seed: int) -> dict[str, Architecture]:
    """The controls on NAS-Bench-201: a random cell, one of 3x3 convolutions, and magnitude's if `none` could not win.

    Args:
        space: of the search.
        weights: operation weights of the end of a search.
        seed: of the random cell.
    """
    (names, *_) = space.groups["normal"].operations
    convolutions = torch.zeros(space.groups["normal"].shape)
    convolutions[:, names.index("nor_conv_3x3")] = 1.0
    without_none = torch.tensor(weights["normal"])
    without_none[:, names.index("none")] = 0.0
    return {
        "random": space.sample(torch.Generator().manual_seed(RANDOM_CELL_SEED + seed)),
        "convolutions": magnitude(space, {"normal": convolutions}),
        "without-none": magnitude(space, {"normal": without_none}),
    }


@dataclass(frozen=True)
class _Runner:
    """The parts of one seed, each a run of its own: one that is done is read and not run again."""

    seed: int
    settings: dict[str, Any]
    size: str
    device: str
    folder: Path | None
    listeners: tuple[Listener, ...]

    def search(self, method: str) -> Outcome:
        return experiment.search(
            method,
            space=self.settings["space"],
            size=self.size,
            seed=self.seed,
            retrain=False,
            record=["derived-accuracy"],
            device=self.device,
            numbers=self.settings.get("numbers"),
            run=self._place(f"search-{method}"),
            listeners=self.listeners,
        )

    def controls(self, darts: Outcome) -> dict[str, Architecture]:
        return control_cells(spaces.get(self.settings["space"]), darts.history[-1]["weights"], self.seed)

    def train(self, cell: Architecture) -> float:
        """Test accuracy (percent), the mean over trainings on images of their own; equal cells are trained once."""
        found = fresh_accuracies(
            cell,
            seed=self.seed,
            retrainings=self.settings["retrainings"],
            size=self.size,
            device=self.device,
            numbers=self.settings.get("train_numbers"),
            folder=self.folder,
            listeners=self.listeners,
        )
        return sum(found) / len(found)

    def _place(self, part: str) -> Path | None:
        return None if self.folder is None else self.folder / part
