"""Train every architecture of a small space from scratch and store what came out.

    python -m nasbook.strategies.evaluate_space s1 --nodes 2 --reduction fixed --seeds 2

An interrupted run goes on where it stopped when the same command is given again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from nasbook import datasets, experiment, sizes, spaces
from nasbook.datasets import Dataset
from nasbook.runtime import files
from nasbook.runtime.errors import DivergedError, UsageError
from nasbook.runtime.manifest import manifest
from nasbook.runtime.resources import data_folder
from nasbook.spaces import Genotype, SearchSpace
from nasbook.strategies.enumeration import architectures
from nasbook.strategies.evaluators import valid_accuracy

LARGEST = 5_000


def evaluate_space(
    space: SearchSpace,
    path: Path,
    *,
    nodes: int,
    reduction: str,
    data: Dataset,
    seeds: int = 1,
    numbers: dict[str, Any] | None = None,
    command: str = "",
    report: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> dict[str, Any]:
    """Train each architecture once a seed at class size and keep accuracies, parameters, multiply-adds and seconds.

    Args:
        space: every architecture of it is trained.
        path: the file to write, after each training; an unfinished one of the same settings is continued.
        nodes, reduction: how `spaces.get` made the space.
        data: with validation images.
        seeds: trainings of each architecture, with the seeds 0, 1, ...
        numbers: numbers of the class size to change, by name.
        command: what makes the file again.
        report: is handed a line after each training.

    Returns:
        What the file holds.

    Raises:
        UsageError: the space is too large, the file is of other settings, or a number is out of range.
        DivergedError: a training's loss is no longer finite.
    """
    if seeds < 1:
        raise UsageError(f"At least 1 seed is needed, not {seeds}.")
    if space.size() > LARGEST:
        raise UsageError(f"Space {space.name} has {space.size():,} architectures; at most {LARGEST:,} can be trained.")
    if data.valid is None:
        raise UsageError(f"{data.name} has no validation images, so architectures cannot be scored on it.")
    chosen = sizes.override(sizes.get("class").train, numbers or {})
    settings = {"space": space.name, "nodes": nodes, "reduction": reduction, "data": data.name}
    stored = _open(path, {**settings, "numbers": asdict(chosen)}, space)
    total, done = seeds * space.size(), sum(len(entry["valid"]) for entry in stored["architectures"])
    for seed in range(seeds):
        for entry in stored["architectures"]:
            if len(entry["valid"]) > seed:
                continue
            _train(entry, data, seed, numbers)
            done += 1
            seconds = sum(sum(each["seconds"]) for each in stored["architectures"])
            stored["manifest"] = manifest(command=command, seeds=range(seeds), seconds=seconds)
            files.write_json(path, stored)
            report(_line(entry, done, total))
    return stored


def _open(path: Path, settings: dict[str, Any], space: SearchSpace) -> dict[str, Any]:
    if path.exists():
        stored: dict[str, Any] = files.read_json(path)
        for key, value in settings.items():
            if stored.get(key) != value:
                raise UsageError(f"{path} holds a table of other settings ({key} differs): name another file.")
        return stored
    entries = [_untrained(genotype) for genotype in architectures(space)]
    return {"manifest": {}, **settings, "architectures": entries}


def _untrained(genotype: Genotype) -> dict[str, Any]:
    return {"genotype": str(genotype), "valid": [], "test": [], "params": None, "macs": None, "seconds": []}


def _train(entry: dict[str, Any], data: Dataset, seed: int, numbers: dict[str, Any] | None) -> None:
    outcome = experiment.train(entry["genotype"], data=data, seed=seed, device="cpu", numbers=numbers)
    entry["valid"].append(round(valid_accuracy(outcome), 3))
    entry["test"].append(round(outcome.result["test_accuracy"], 3))
    entry["seconds"].append(round(outcome.result["seconds"], 2))
    entry["params"], entry["macs"] = outcome.result["params"], outcome.result["macs"]


def _line(entry: dict[str, Any], done: int, total: int) -> str:
    valid, seconds = entry["valid"][-1], entry["seconds"][-1]
    return (
        f"{done}/{total}: valid accuracy {valid:.1f} %, {seconds:.1f} s, {seconds * (total - done) / 60:.0f} min left"
    )


def main(
    space: Annotated[str, typer.Argument(help="a space of `nasbook spaces`")],
    nodes: Annotated[int, typer.Option(help="intermediate nodes of a cell")] = 2,
    reduction: Annotated[str, typer.Option(help="searched or fixed")] = "fixed",
    data: Annotated[str, typer.Option(help="a data set of `nasbook datasets`")] = "street_numbers",
    seeds: Annotated[int, typer.Option(help="trainings of each architecture")] = 2,
    epochs: Annotated[int | None, typer.Option(help="epochs of each training")] = None,
    images: Annotated[int | None, typer.Option(help="training images")] = None,
    name: Annotated[str | None, typer.Option(help="of the file in data/results/, without its ending")] = None,
) -> None:
    """Train every architecture of a small space from scratch and store what came out."""
    torch.set_num_threads(1)
    changed = {key: value for key, value in (("epochs", epochs), ("images", images)) if value is not None}
    name = name or f"{space}_{nodes}nodes_{reduction}"
    words = [f"--nodes {nodes}", f"--reduction {reduction}", f"--data {data}", f"--seeds {seeds}"]
    words += [f"--{key} {value}" for key, value in changed.items()] + [f"--name {name}"]
    try:
        evaluate_space(
            spaces.get(space, nodes=nodes, reduction=reduction),
            data_folder() / "results" / f"{name}.json",
            nodes=nodes,
            reduction=reduction,
            data=datasets.load(data),
            seeds=seeds,
            numbers=changed,
            command=" ".join(["python -m nasbook.strategies.evaluate_space", space, *words]),
        )
    except (UsageError, DivergedError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
