"""Chapter 13: does training under perturbed operation weights end in flatter minima and in better architectures?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nasbook import datasets, instruments, sizes, spaces
from nasbook.analysis import smoothing
from nasbook.claims.studies.fresh_training import fresh_accuracies
from nasbook.experiment.folders import go_on
from nasbook.instruments.points import LARGEST_BATCH
from nasbook.runtime import devices
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import Listener
from nasbook.runtime.rounding import rounded
from nasbook.runtime.run_folder import RunFolder
from nasbook.search import Search, recipes
from nasbook.search.loop import Instrument
from nasbook.selection import derive

History = list[dict[str, Any]]
BASE = "darts"  # what the others are compared with
LAST = 0.2  # share of the search at its end over which eigenvalues are averaged: one of them is noisy
SERIES = ("valid_accuracy", "derived_accuracy", "genotype")


def study(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Search with each method, measure the Hessian in alpha on the way, and train what is derived on fresh images.

    Args:
        seed: of the searches; trainings and their images have seeds that follow from it.
        settings: `space`; `methods`, `darts` among them, each by the size's own numbers; `eigenvalue_every` so many
            epochs, and after the last, on `eigenvalue_images` in batches of at most 256; `retrainings` of what is
            derived in the last epoch; `retrain_at`, epochs before it whose derived architectures are trained once; and
            `numbers` of the searches and `train_numbers` that are not the size's own, if any.
        size, device: of searches and trainings.
        folder: where they are kept.
        listeners: told what happens.

    Returns:
        For each method M `M_eigenvalue` (the largest of the Hessian in alpha, mean of those measured in the last fifth
        of the epochs), `M_supernet` (validation accuracy, percent), `M_gap` (points, to the derived architecture with
        the same weights) and `M_derived` (test accuracy after training, percent). For each M but DARTS
        `M_eigenvalue_over_darts` (a ratio), `M_gap_minus_darts` and `M_minus_darts` (points). The `series` of each:
        accuracies and architectures after every epoch, `eigenvalue` and `retrained`, pairs of an epoch and what was
        measured then.

    Raises:
        UsageError: darts is not among the methods, or an epoch is no epoch of the searches.
    """
    if BASE not in settings["methods"]:
        raise UsageError(f"The methods are compared with {BASE}: it must be one of them.")
    runner = _Runner(seed, settings, size, device, folder, tuple(listeners))
    stages = {method: runner.start(method) for method in settings["methods"]}
    for stage in stages.values():
        _check(settings, stage.epochs)
    series = {method: runner.measured(method, stage) for method, stage in stages.items()}
    result: dict[str, Any] = {"series": series}
    for method, values in series.items():
        result |= _of_method(method, values)
    for method in (method for method in series if method != BASE):
        result |= _beside(method, result)
    found: dict[str, Any] = rounded(result)
    return found


def surroundings(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Search with each method, and look around where it ends: the surface, and the rise of the loss over the radius.

    Args:
        seed: of the searches.
        settings: `space`; `methods`, `darts` among them; `radii` of the perturbations, ascending; `images`, at most
            256; the landscape's `radius` and `points`; and `numbers` of the searches that are not the size's own.
        size, device: of the searches.
        folder: where they are kept.
        listeners: told what happens.

    Returns:
        For each method M, at the end and in the operation weights: `M_supernet` and `M_one_hot` (percent), `M_top` and
        `M_trace` of the Hessian, and `M_random` and `M_adversarial`, by how many nats the loss rises where the weights
        are perturbed with the last radius as the search does it. For each M but DARTS `M_top_over_darts` (a ratio),
        `M_random_minus_darts` and `M_adversarial_minus_darts`. By method the `landscapes`, the `rises` and those as
        the search perturbs, `as_searched`.

    Raises:
        UsageError: darts is not among the methods.
    """
    if BASE not in settings["methods"]:
        raise UsageError(f"The methods are compared with {BASE}: it must be one of them.")
    runner = _Runner(seed, settings, size, device, folder, tuple(listeners))
    result: dict[str, Any] = {"landscapes": {}, "rises": {}, "as_searched": {}}
    images = {"images": settings["images"]}
    for method in settings["methods"]:
        search = runner.start(method)
        last = runner.history(method, search)[-1]
        plane = {"points": settings["points"], "radius": settings["radius"], **images}
        risen = smoothing.rises(search, settings["radii"], **images)
        as_searched = smoothing.perturbed_rises(search, settings["radii"], **images)
        result["landscapes"][method] = asdict(instruments.landscape(search, coordinates="mixing", **plane))
        result["rises"][method], result["as_searched"][method] = asdict(risen), as_searched
        result |= {f"{method}_supernet": last["valid_accuracy"], f"{method}_one_hot": last["derived_accuracy"]}
        result |= {f"{method}_top": risen.eigenvalue, f"{method}_trace": risen.trace}
        result |= {f"{method}_{kind}": values[-1] for kind, values in as_searched.items()}
    for method in (method for method in settings["methods"] if method != BASE):
        result[f"{method}_top_over_{BASE}"] = result[f"{method}_top"] / result[f"{BASE}_top"]
        for kind in smoothing.KINDS:
            result[f"{method}_{kind}_minus_{BASE}"] = result[f"{method}_{kind}"] - result[f"{BASE}_{kind}"]
    found: dict[str, Any] = rounded(result)
    return found


def _check(settings: Mapping[str, Any], epochs: int) -> None:
    for epoch in (settings["eigenvalue_every"], *settings.get("retrain_at", ())):
        if not 1 <= epoch <= epochs:
            raise UsageError(f"A search of {epochs} epochs has nothing to measure at epoch {epoch}.")


def _of_method(method: str, series: Mapping[str, Sequence[Any]]) -> dict[str, float]:
    supernet, last = series["valid_accuracy"][-1], series["retrained"][-1][1]
    return {
        f"{method}_eigenvalue": at_the_end(series["eigenvalue"], len(series["valid_accuracy"])),
        f"{method}_supernet": supernet,
        f"{method}_gap": supernet - series["derived_accuracy"][-1],
        f"{method}_derived": sum(last) / len(last),
    }


def _beside(method: str, result: Mapping[str, float]) -> dict[str, float]:
    return {
        f"{method}_eigenvalue_over_{BASE}": result[f"{method}_eigenvalue"] / result[f"{BASE}_eigenvalue"],
        f"{method}_gap_minus_{BASE}": result[f"{method}_gap"] - result[f"{BASE}_gap"],
        f"{method}_minus_{BASE}": result[f"{method}_derived"] - result[f"{BASE}_derived"],
    }


def at_the_end(measured: Sequence[Sequence[float]], epochs: int) -> float:
    """The mean of what was measured in the last fifth of so many epochs; pairs of an epoch and a value."""
    values = [value for epoch, value in measured if epoch > (1 - LAST) * epochs]
    return sum(values) / len(values)


def every(epochs: int, images: int) -> Callable[[Search], dict[str, float]]:
    """An instrument: `eigenvalue`, the largest of the Hessian in alpha, after every so many epochs and the last.

    The instrument of this name in the package measures after each, which is too slow for many searches.

    Args:
        epochs: from one measurement to the next.
        images: of alpha's half, in equal batches of at most 256.
    """

    def eigenvalue(search: Search) -> dict[str, float]:
        if search.epoch % epochs and search.epoch != search.epochs:
            return {}
        batches = math.ceil(images / LARGEST_BATCH)
        return {"eigenvalue": instruments.hessian(search, batches=batches, batch=images // batches).largest}

    return eigenvalue


@dataclass(frozen=True)
class _Runner:
    """The parts of one seed, each a run of its own: one that is done is read and not run again."""

    seed: int
    settings: dict[str, Any]
    size: str
    device: str
    folder: Path | None
    listeners: tuple[Listener, ...]
    trained: dict[str, list[float]] = field(default_factory=dict)

    def start(self, method: str) -> Search:
        """A search that has not begun."""
        name = self.settings["space"]
        size, recipe = sizes.get(self.size).of(spaces.family(name), method), recipes.get(method)
        numbers = sizes.override(size.search, self.settings.get("numbers", {}))
        return Search(
            spaces.get(name, nodes=numbers.nodes, reduction=numbers.reduction),
            datasets.load(size.data),
            recipe=recipe,
            numbers=numbers,
            derive=derive(recipe.selection),
            seed=self.seed,
            device=devices.pick(self.device),
            instruments={**instruments.named(["derived-accuracy"]), **self.eigenvalue()},
        )

    def eigenvalue(self) -> dict[str, Instrument]:
        """The instrument, where it is asked for."""
        if "eigenvalue_every" not in self.settings:
            return {}
        return {"eigenvalue": every(self.settings["eigenvalue_every"], self.settings["eigenvalue_images"])}

    def measured(self, method: str, search: Search) -> dict[str, Any]:
        """The series of a search."""
        history = self.history(method, search)
        found: dict[str, Any] = {key: [record[key] for record in history] for key in SERIES}
        found["eigenvalue"] = [[record["epoch"], record["eigenvalue"]] for record in history if "eigenvalue" in record]
        found["retrained"] = [
            [epoch, self.train(history[epoch - 1]["genotype"], 1)] for epoch in self.settings.get("retrain_at", ())
        ]
        found["retrained"].append([search.epochs, self.train(history[-1]["genotype"], self.settings["retrainings"])])
        return found

    def history(self, method: str, search: Search) -> History:
        """The records of a search, driven to its end; a killed one goes on from its last epoch."""
        asked: dict[str, Any] = {
            "numbers": asdict(search.numbers),
            "seed": self.seed,
            "space": search.space.name,
            "method": method,
            **{key: self.settings[key] for key in ("eigenvalue_every", "eigenvalue_images") if key in self.settings},
        }
        with RunFolder(self.folder / f"search-{method}" if self.folder else None, asked) as run:
            return go_on(search, run, self.listeners, run.checkpoint())

    def train(self, text: str, times: int) -> list[float]:
        """Test accuracies (percent), each on images of its own; an architecture is trained so often only once."""
        architecture = spaces.read(text)
        name = f"{times} {architecture.canonical()}"
        if name not in self.trained:
            self.trained[name] = fresh_accuracies(
                architecture,
                seed=self.seed,
                retrainings=times,
                size=self.size,
                device=self.device,
                numbers=self.settings.get("train_numbers"),
                folder=self.folder,
                listeners=self.listeners,
            )
        return self.trained[name]
