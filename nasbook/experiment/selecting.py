"""`select`: read another architecture off a search that is kept, at its end or at an earlier epoch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from nasbook import datasets, sizes, spaces
from nasbook.datasets import Dataset
from nasbook.experiment.folders import LATE, Place, folder_text, go_on, load, open_folder
from nasbook.experiment.request import settle
from nasbook.experiment.runs import HEAD, Outcome, size_of
from nasbook.runtime import devices, files, values
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import Listener
from nasbook.runtime.identity import digest
from nasbook.runtime.interrupts import CALL, explained
from nasbook.runtime.run_folder import RunFolder
from nasbook.runtime.states import kept_epochs, kept_state
from nasbook.runtime.threads import scope
from nasbook.search import Search, recipes
from nasbook.selection import SELECTIONS, derive
from nasbook.sizes import SearchNumbers, TrainNumbers
from nasbook.supernet import one_hot

ASKED = ("method", "space", "data", "size", "seed")  # of the search


@explained(CALL)
def select(
    run: str | os.PathLike[str],
    *,
    epoch: int | None = None,
    selection: str = "perturbation",
    data: Dataset | None = None,
    device: str | torch.device = "auto",
    threads: int | None = None,
    numbers: Mapping[str, Any] | None = None,
    root: str | os.PathLike[str] | None = None,
    place: Place | None = None,
    listeners: Iterable[Listener] = (),
) -> Outcome:
    """Select an architecture from a state of a search that was kept (see `keep` of `search`).

    The selection is a run of its own: the same call goes on where it was interrupted, and reads what is finished.

    Args:
        run: the folder of the search.
        epoch: the state after which; by default the last that is kept. The method goes on as it was then: a radius or
            a temperature that changes over the search has the value of that epoch.
        selection: a word of `selection.SELECTIONS`, be it the method's own or not.
        data: the images of the search, where they were not loaded by name.
        device: "auto", "cpu", "cuda" or "mps".
        threads: as in `search`.
        numbers: numbers of the selection to change, by name.
        root: folder of the real data sets.
        place: folder to keep the selection in, or a function that names it from the configuration; by default
            `selection_folder`.
        listeners: told what happens.

    Raises:
        UsageError: the folder holds no such state, or what is asked for does not exist; nothing has run then.
        DivergedError: the loss is no longer finite; the folder keeps the last good decision.
    """
    path = values.path("run", run)
    asked, epoch = _configuration(path), _epoch(path, None if epoch is None else values.cast("epoch", epoch, int))
    state = kept_state(path, "search", epoch, run=digest(asked, LATE))
    if selection not in SELECTIONS:
        raise UsageError(f"There is no selection {selection!r}; there are {', '.join(SELECTIONS)}.")
    recipe = replace(recipes.get(asked["method"]), selection=selection)
    searched, fit = _numbers(path, asked)
    chosen = sizes.override(searched, _of_selection(numbers or {}, selection))
    chosen = replace(chosen, early_stop=0.0)  # whatever stopped the search, this state is asked for
    dataset, where = data or datasets.load(asked["data"], root=root), devices.pick(device)
    if dataset.digest() != asked["images"]:
        raise UsageError(f"The images of {asked['data']} are not those that the run in {path} was searched with.")
    devices.check_precision(where, chosen.precision)
    head = {"command": "select", **{key: asked[key] for key in ASKED}, "epoch": epoch, "selection": selection}
    config = {**head, "device": where.type, "search": asdict(chosen)}
    place = settle(partial(selection_folder, path) if place is None else place, config, threads, where)
    with scope(config["threads"]):
        search = Search(
            spaces.get(asked["space"], nodes=chosen.nodes, reduction=chosen.reduction),
            dataset,
            recipe=recipe,
            numbers=chosen,
            derive=derive(selection),
            seed=asked["seed"],
            device=where,
        )
        with open_folder(place, config) as folder:
            finished = folder.result()
            if finished is None:
                saved = folder.checkpoint()
                if saved is None:
                    # Where the search stopped early, this epoch is asked for anyway.
                    load(search, {"state": state | {"watch": search.watch.state_dict()}}, path)
                finished = _run_selection(search, saved, folder, listeners, fit)
    return Outcome(finished, [], [], folder.history("select"))


def _run_selection(
    search: Search,
    saved: dict[str, Any] | None,
    folder: RunFolder,
    listeners: Iterable[Listener],
    fit: TrainNumbers,
) -> dict[str, Any]:
    """Select from where the search stands, or go on from the saved state; `fit` says which network is counted."""
    architecture = SELECTIONS[search.recipe.selection](search, lambda stage: go_on(stage, folder, listeners, saved))
    keys = (*HEAD, "epoch", "selection")
    result = {**{key: folder.config[key] for key in keys}, "genotype": str(architecture)}
    # Of what was selected, with the shared weights as they are now: after their tuning, where there was some.
    result["derived_accuracy"] = search.validate(one_hot(search.space, architecture), batch_statistics=True)[1]
    result["seconds"] = sum(record["seconds"] for record in folder.history("select"))
    result |= size_of(architecture, fit, search.dataset)
    result["run"] = folder_text(folder.path)
    folder.finish(result)
    return result


def selection_folder(run: str | os.PathLike[str], config: dict[str, Any]) -> Path:
    """A folder inside the search's whose name follows from what is asked: the same call finds its selection again."""
    return Path(run) / f"select-{config['selection']}-{config['epoch']:04d}-{digest(config)[:8]}"


def _configuration(path: Path) -> dict[str, Any]:
    """What the search in a folder was asked."""
    if not (path / "config.json").exists():
        raise UsageError(f"{path} is not the folder of a run.")
    found: dict[str, Any] = files.read_json(path / "config.json")
    if not isinstance(found, dict) or "command" not in found:
        raise UsageError(f"{path / 'config.json'} does not say what a search was asked: name another folder.")
    if found["command"] != "search":
        raise UsageError(f"{path} holds a run of nasbook {found.get('command')}, not one of nasbook search.")
    return found


def _numbers(path: Path, asked: dict[str, Any]) -> tuple[SearchNumbers, TrainNumbers]:
    """The hyperparameters of the search in a folder, and of the training after it."""
    try:
        for key in (*ASKED, "images"):
            asked[key]
        return SearchNumbers(**asked["search"]), TrainNumbers(**asked["train"])
    except (KeyError, TypeError):
        raise UsageError(
            f"{path / 'config.json'} lacks what this version of nasbook reads: another version made it. Search again."
        ) from None


def _epoch(path: Path, epoch: int | None) -> int:
    """The epoch that is asked for, of those whose states are kept."""
    there = kept_epochs(path, "search")
    if not there:
        raise UsageError(f"The run in {path} keeps no state to select from: search with keep (--keep 1) to have some.")
    if epoch is not None and epoch not in there:
        raise UsageError(f"The run in {path} keeps no state of epoch {epoch}; there are {', '.join(map(str, there))}.")
    return there[-1] if epoch is None else epoch


def _of_selection(numbers: Mapping[str, Any], selection: str) -> dict[str, Any]:
    """The same numbers, of which each must be one that the selection reads: the search is over."""
    reads = recipes.SELECTING if selection == "perturbation" else ()
    for name in numbers:
        if name not in reads:
            allowed = f"it reads {', '.join(reads)}" if reads else "it reads no number"
            raise UsageError(f"A selection by {selection} does not read {name}; {allowed}.")
    return dict(numbers)
