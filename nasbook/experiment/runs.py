"""`search` and `train`: what the commands of the same names and the chapters call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from nasbook import instruments, sizes, spaces
from nasbook.datasets import Dataset
from nasbook.evaluation import Training, check
from nasbook.experiment import images_used
from nasbook.experiment.folders import Place, folder_text, go_on, open_folder
from nasbook.experiment.request import Data, as_many_as_there_are, data_name, load, names, settle
from nasbook.runtime import devices, values
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import Listener
from nasbook.runtime.interrupts import CALL, explained
from nasbook.runtime.run_folder import RunFolder
from nasbook.runtime.threads import scope
from nasbook.search import Search, recipes
from nasbook.selection import SELECTIONS, derive
from nasbook.sizes import TrainNumbers
from nasbook.spaces import Architecture, Space
from nasbook.supernet import describe, families

HEAD = ("method", "space", "data", "size", "seed", "threads")  # what a result repeats of the configuration


@dataclass(frozen=True)
class Outcome:
    """What came out of a run.

    Args:
        result: the keys of `nasbook search --json` or `nasbook train --json`.
        history: one record an epoch of the search (or of the training, after `train`).
        training: one record an epoch of the training from scratch; empty when there was none.
        decisions: one record a stop of a selection that decides step by step; empty for others.
    """

    result: dict[str, Any]
    history: list[dict[str, Any]]
    training: list[dict[str, Any]]
    decisions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def genotype(self) -> Any:
        """The architecture that came out (or was trained)."""
        return spaces.read(self.result["genotype"])


@explained(CALL)
def search(
    method: str = "darts",
    *,
    space: str | None = None,
    data: Data | None = None,
    size: str = "class",
    seed: int = 0,
    retrain: bool = True,
    record: str | Iterable[str] = (),
    keep: int = 0,
    device: str | torch.device = "auto",
    threads: int | None = None,
    numbers: Mapping[str, Any] | None = None,
    train_numbers: Mapping[str, Any] | None = None,
    root: str | os.PathLike[str] | None = None,
    run: Place | None = None,
    listeners: Iterable[Listener] = (),
) -> Outcome:
    """Search an architecture and, unless told otherwise, train it from scratch and test it.

    Args:
        method: a recipe's name.
        space: a space's name; by default the size's own.
        data: a data set, or what `datasets.load` takes; by default the size's own.
        size: "class" or "paper".
        seed: every random number follows from it.
        retrain: train the architecture that comes out from scratch and test it.
        record: what to measure after each epoch besides, by one or more names of `instruments.INSTRUMENTS`; each
            epoch's record says in `instrument_seconds` what that cost.
        keep: keep the state after every so many epochs, and after the last, for `select`; 0 keeps none.
        device: "auto", "cpu", "cuda" or "mps".
        threads: number of CPU threads to compute with, since the digits depend on it. By default the number of the run
            that the folder holds, or else `runtime.threads.default`. The caller's own number comes back afterwards.
        numbers, train_numbers: numbers of the size to change, by name (see `nasbook.sizes`).
        root: folder of the real data sets.
        run: folder to keep the run in, or a function that names it from the configuration; an unfinished run of the
            same configuration there is continued, a finished one is read. None keeps nothing.
        listeners: told what happens.

    Raises:
        UsageError: something asked for does not exist or does not fit together; nothing has run then.
        DivergedError: the loss is no longer finite; the run folder keeps the last good epoch.
    """
    recipe, preset = recipes.get(method), sizes.get(size)
    space, data = preset.space if space is None else space, preset.data if data is None else data
    preset = preset.of(spaces.family(space), method, space=space, data=data_name(data))
    seed, retrain, keep = values.seed(seed), values.cast("retrain", retrain, bool), values.whole("keep", keep, 0)
    record = names("record", record)
    if recipe.selection not in SELECTIONS:  # said now: a selection is first used after the whole search
        there = ", ".join(SELECTIONS)
        raise UsageError(f"Recipe {method!r}: selection {recipe.selection!r} does not exist; there are {there}.")
    if keep and run is None:
        raise UsageError("keep needs a run folder to keep the states in.")
    asked = sizes.override(preset.search, numbers or {})
    recipes.check_numbers(recipe, asked, numbers or {})
    fit = sizes.override(preset.train, train_numbers or {})
    searched = spaces.get(space, nodes=asked.nodes, reduction=asked.reduction)
    where, dataset = devices.pick(device), load(data, root)
    chosen = as_many_as_there_are(asked, numbers or {}, dataset)
    fit = as_many_as_there_are(fit, train_numbers or {}, dataset)
    _check_training(searched, fit, dataset, retrain=retrain)
    for each in (chosen, fit):
        devices.check_precision(where, each.precision)
    training = {"training": (fit, train_numbers)} if retrain else {}
    images_used.tell(dataset, {"search": (chosen, numbers), **training})
    config: dict[str, Any] = {
        "command": "search",
        "method": method,
        "space": searched.name,
        "data": data_name(data),
        "images": dataset.digest(),
        "size": size,
        "seed": seed,
        "retrain": retrain,
        "device": where.type,
        "record": record,
        "keep": keep,
        "search": asdict(chosen),
        "train": asdict(fit),
    }
    place = settle(run, config, threads, where)
    used = instruments.named([*record, *(["eigenvalue"] if chosen.early_stop and "eigenvalue" not in record else [])])
    with scope(config["threads"]):
        stage = Search(
            searched,
            dataset,
            recipe=recipe,
            numbers=chosen,
            derive=derive(recipe.selection),
            seed=seed,
            device=where,
            instruments=used,
        )
        with open_folder(place, config) as folder:
            finished = folder.result()
            if finished is None:
                finished = _run_search(stage, fit, folder, listeners)
    return Outcome(finished, folder.history("search"), folder.history("train"), folder.history("select"))


@explained(CALL)
def train(
    architecture: str | Architecture,
    *,
    data: Data | None = None,
    size: str = "class",
    seed: int = 0,
    device: str | torch.device = "auto",
    threads: int | None = None,
    numbers: Mapping[str, Any] | None = None,
    root: str | os.PathLike[str] | None = None,
    run: Place | None = None,
    listeners: Iterable[Listener] = (),
) -> Outcome:
    """Train one architecture from scratch and test it; the arguments are those of `search`.

    Args:
        architecture: of any family, its text, or the name of a published one.

    Raises:
        UsageError, DivergedError: as in `search`.
    """
    architecture = spaces.read(architecture) if isinstance(architecture, str) else architecture
    preset, seed = sizes.get(size).of(architecture.family), values.seed(seed)
    data = preset.data if data is None else data
    fit = sizes.override(preset.train, numbers or {})
    where, dataset = devices.pick(device), load(data, root)
    fit = as_many_as_there_are(fit, numbers or {}, dataset)
    devices.check_precision(where, fit.precision)
    config: dict[str, Any] = {
        "command": "train",
        "genotype": str(architecture),
        "data": data_name(data),
        "images": dataset.digest(),
        "size": size,
        "seed": seed,
        "device": where.type,
        "train": asdict(fit),
    }
    place = settle(run, config, threads, where)
    with scope(config["threads"]):
        stage = Training(architecture, dataset, numbers=fit, seed=seed, device=where)
        with open_folder(place, config) as folder:
            finished = folder.result()
            if finished is None:
                result = _run_training(stage, folder, listeners, folder.checkpoint())
                head = {key: config[key] for key in ("genotype", "data", "size", "seed", "threads")}
                finished = {**head, **images_used.row(dataset, fit.images), **result, "run": folder_text(folder.path)}
                folder.finish(finished)
    return Outcome(finished, folder.history("train"), folder.history("train"))


def _check_training(space: Space, fit: TrainNumbers, dataset: Dataset, *, retrain: bool) -> None:
    """Refuse before a search what would be refused behind it: what comes out is counted, and may be trained."""
    family = families.of(space)
    family.check(dataset.image, fit.stem_stride, fit.layers)
    if retrain:
        check(dataset, fit, space.family)
    some = space.sample(torch.Generator().manual_seed(0))
    with torch.device("meta"):
        family.network(some, channels=fit.channels, layers=fit.layers, classes=dataset.classes)


def _run_search(stage: Search, fit: TrainNumbers, folder: RunFolder, listeners: Iterable[Listener]) -> dict[str, Any]:
    saved = folder.checkpoint()
    if saved is not None and "genotype" in saved:
        genotype, stopped = stage.space.parse(saved["genotype"]), saved.get("stopped")
    else:
        if saved is None or saved["stage"] == stage.name:
            go_on(stage, folder, listeners, saved, keep=folder.config["keep"])
        select = SELECTIONS[stage.recipe.selection]
        genotype = select(stage, lambda selecting: go_on(selecting, folder, listeners, saved))
        stopped = stage.stopped
    result: dict[str, Any] = {key: folder.config[key] for key in HEAD}
    history = folder.history("search")
    result["genotype"] = str(genotype)
    if stopped is not None:  # early stopping went back to the architecture after this epoch
        result["stopped_epoch"] = stopped
    result["valid_accuracy"] = history[(stopped or len(history)) - 1]["valid_accuracy"]
    result["search_seconds"] = sum(record["seconds"] for record in history)
    if stage.instruments:
        result["instrument_seconds"] = sum(record["instrument_seconds"] for record in history)
    result["seconds"] = result["search_seconds"]
    if folder.history("select"):
        result["select_seconds"] = sum(record["seconds"] for record in folder.history("select"))
        result["seconds"] += result["select_seconds"]
    result |= images_used.row(stage.dataset, len(stage.weights_half) + len(stage.alpha_half))
    result |= size_of(genotype, fit, stage.dataset)
    if folder.config["retrain"]:
        training = Training(genotype, stage.dataset, numbers=fit, seed=folder.config["seed"], device=stage.device)
        found = {"genotype": str(genotype), "stopped": stopped}
        trained = _run_training(training, folder, listeners, saved, found)
        result |= images_used.row(stage.dataset, fit.images, prefix="train_")
        result |= {**trained, "seconds": result["seconds"] + trained["seconds"]}
    result["run"] = folder_text(folder.path)
    folder.finish(result)
    return result


def size_of(architecture: Architecture, fit: TrainNumbers, dataset: Dataset) -> dict[str, Any]:
    """Parameters and multiply-adds of an architecture's network, as it is trained from scratch."""
    return describe(
        architecture,
        channels=fit.channels,
        layers=fit.layers,
        classes=dataset.classes,
        image=dataset.image,
        stem_stride=fit.stem_stride,
    )


def _run_training(
    stage: Training,
    folder: RunFolder,
    listeners: Iterable[Listener],
    saved: dict[str, Any] | None,
    found: dict[str, Any] | None = None,
) -> dict[str, Any]:
    history = go_on(stage, folder, listeners, saved, extra=found)
    folder.keep_network(stage.trained())
    return {**stage.result(), "seconds": sum(record["seconds"] for record in history)}
