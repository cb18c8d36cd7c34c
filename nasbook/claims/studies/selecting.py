"""Chapters 15 and 16: does a selection by perturbation find better cells than the largest weights point at?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasbook import experiment, sizes, spaces
from nasbook.analysis import collapse
from nasbook.claims.studies import order
from nasbook.claims.studies.fresh_training import fresh_accuracies
from nasbook.experiment import Outcome
from nasbook.runtime.events import Listener
from nasbook.runtime.rounding import rounded
from nasbook.search import recipes
from nasbook.spaces import Architecture

Decisions = list[dict[str, Any]]
KEPT = ("kind", "group", "where", "options", "weights", "losses", "accuracies", "kept", "before", "after")


def study(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Search, select from each supernet by magnitude and by perturbation, and train what comes out on fresh images.

    Args:
        seed: of searches and selections; trainings and their images have seeds that follow from it.
        settings: `space`; `methods`, searches of which each is selected from by its recipe's own rule, and, unless that
            is by perturbation, by perturbation too, `darts` first; `retrainings` of each derived cell; `over_epochs`:
            select from DARTS after every so many epochs too, for a curve; and if they are not the size's own `numbers`
            of the searches, `selection_numbers` and `train_numbers`.
        size, device: of searches and trainings.
        folder: where they are kept; a folder for the time of the study without.
        listeners: told what happens.

    Returns:
        For each method M and M+pt and for the controls, in percent, points or shares: `M_derived` (test accuracy),
        `M_minus_darts`, `M_minus_random`, `M_minus_convolutions`, and `M_kept_convolutions`, their share of what the
        (normal) cell holds; `M+pt_minus_M`; `M+pt_changed`, the share of rows in which another operation is kept than
        the largest weight then pointed at; and the accuracies (`trained`), `cells`, `supernets` and `decisions` behind
        them. With `over_epochs` the accuracies after each epoch by both rules, and `pt_fall` and `magnitude_fall`, from
        the best of them to the last.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as place:
            return study(seed, settings, size=size, device=device, folder=Path(place), listeners=listeners)
    runner = _Runner(seed, settings, size, device, folder, tuple(listeners))
    searches = {method: runner.search(method) for method in settings["methods"]}
    cells, decisions = _cells(runner, searches)
    cells |= runner.controls(searches["darts"])
    trained = {name: runner.train(cell) for name, cell in cells.items()}
    means = {name: sum(accuracies) / len(accuracies) for name, accuracies in trained.items()}
    result: dict[str, Any] = {"cells": {name: str(cell) for name, cell in cells.items()}, "trained": trained}
    result["supernets"] = {method: outcome.history[-1]["valid_accuracy"] for method, outcome in searches.items()}
    result["decisions"] = {name: [_kept(record) for record in records] for name, records in decisions.items()}
    for name, cell in cells.items():
        result |= _of_cell(name, cell, means)
    for name, records in decisions.items():
        result[f"{name}_changed"] = changed(records)
    if "over_epochs" in settings:
        result |= _over_epochs(runner)
    found: dict[str, Any] = rounded(result)
    return found


def changed(records: Decisions) -> float:
    """The share of rows in which another operation was kept than the largest weight then pointed at."""
    rows = [made for record in records for made in record["decisions"] if made["kind"] == "operation"]
    differ = [made["kept"][0] != made["options"][made["weights"].index(max(made["weights"]))] for made in rows]
    return sum(differ) / len(differ)


def _cells(runner: _Runner, searches: Mapping[str, Outcome]) -> tuple[dict[str, Architecture], dict[str, Decisions]]:
    """The cell of each search by its own rule and by perturbation, and the decisions of the latter."""
    cells: dict[str, Architecture] = {}
    decisions: dict[str, Decisions] = {}
    for method, searched in searches.items():
        selected = searched
        if recipes.get(method).selection != "perturbation":
            cells[method] = searched.genotype
            selected = runner.select(method)
        name = method if selected is searched else f"{method}{recipes.PT}"
        cells[name], decisions[name] = selected.genotype, selected.decisions
    return cells, decisions


def _of_cell(name: str, cell: Architecture, means: Mapping[str, float]) -> dict[str, float]:
    held = cell_operations(cell)
    found = {f"{name}_derived": means[name]}
    found |= {f"{name}_minus_{other}": means[name] - means[other] for other in ("darts", "random", "convolutions")}
    base = name.removesuffix(recipes.PT)
    if base != name:
        found[f"{name}_minus_{base}"] = means[name] - means[base]
    if name in ("darts+pt-fixed-alpha", "sdarts-adv+pt"):
        found[f"{name}_minus_darts+pt"] = means[name] - means["darts+pt"]
    if name != "without-none" and "without-none" in means:
        found[f"{name}_minus_without-none"] = means[name] - means["without-none"]
    found[f"{name}_kept_convolutions"] = sum("conv" in each for each in held) / len(held)
    return found


def cell_operations(cell: Any) -> tuple[str, ...]:
    """The operations of the (normal) cell, one an edge that is kept."""
    held: tuple[str, ...] = tuple(operation for _, _, operation in cell.edges("normal"))
    return held


def _kept(record: Mapping[str, Any]) -> dict[str, Any]:
    """What pictures and the stepper need of a stop."""
    made = [{key: each[key] for key in KEPT} for each in record["decisions"]]
    return {"decisions": made, "valid_accuracy": record["valid_accuracy"]}


def _over_epochs(runner: _Runner) -> dict[str, Any]:
    """The test accuracies of what both rules select after every so many epochs of the one search of DARTS."""
    curves: dict[str, list[list[Any]]] = {"magnitude": [], "perturbation": []}
    epochs = len(runner.search("darts").history)
    every = runner.settings["over_epochs"]
    for epoch in [*range(every, epochs, every), epochs]:
        for selection, curve in curves.items():
            cell = runner.select("darts", epoch=epoch, selection=selection).genotype
            curve.append([epoch, runner.train(cell)])
    means = {name: [sum(values) / len(values) for _, values in curve] for name, curve in curves.items()}
    return {
        "over_epochs": curves,
        "pt_fall": max(means["perturbation"]) - means["perturbation"][-1],
        "magnitude_fall": max(means["magnitude"]) - means["magnitude"][-1],
    }


@dataclass(frozen=True)
class _Runner:
    """The parts of one seed, each a run of its own: one that is done is read and not run again."""

    seed: int
    settings: dict[str, Any]
    size: str
    device: str
    folder: Path
    listeners: tuple[Listener, ...]

    def search(self, method: str) -> Outcome:
        """A search whose states are kept; with a selection by perturbation that is part of it."""
        numbers = dict(self.settings.get("numbers", {}))
        if recipes.get(method).selection == "perturbation":
            numbers |= self.settings.get("selection_numbers", {})
        preset = sizes.get(self.size).of(spaces.family(self.settings["space"]), method).search
        epochs = sizes.override(preset, numbers).epochs
        return experiment.search(
            method,
            space=self.settings["space"],
            size=self.size,
            seed=self.seed,
            retrain=False,
            keep=self.settings.get("over_epochs", epochs),
            device=self.device,
            numbers=numbers,
            run=self.folder / f"search-{method}",
            listeners=self.listeners,
        )

    def select(self, method: str, *, epoch: int | None = None, selection: str = "perturbation") -> Outcome:
        """What a rule selects from a state of the search."""
        return experiment.select(
            self.folder / f"search-{method}",
            epoch=epoch,
            selection=selection,
            device=self.device,
            numbers=self.settings.get("selection_numbers") if selection == "perturbation" else None,
            listeners=self.listeners,
        )

    def controls(self, darts: Outcome) -> dict[str, Architecture]:
        """A random cell and one of convolutions; on NAS-Bench-201 also magnitude's without `none`."""
        space = self._space(darts)
        if space.family == "nas-bench-201":
            return order.control_cells(space, darts.history[-1]["weights"], self.seed)
        found = collapse.control_cells(space, self.seed)
        return {name: found[name] for name in ("random", "convolutions")}

    def train(self, cell: Architecture) -> list[float]:
        """Test accuracies (percent), each after a training on images of its own."""
        return fresh_accuracies(
            cell,
            seed=self.seed,
            retrainings=self.settings["retrainings"],
            size=self.size,
            device=self.device,
            numbers=self.settings.get("train_numbers"),
            folder=self.folder,
            listeners=self.listeners,
        )

    def _space(self, outcome: Outcome) -> Any:
        name = self.settings["space"]
        preset = sizes.get(self.size).of(spaces.family(name)).search
        numbers = sizes.override(preset, self.settings.get("numbers") or {})
        return spaces.get(name, nodes=numbers.nodes, reduction=numbers.reduction)
