"""Architectures as paths of one supernet: what they share, what training one does to another, how well they rank.

    python -m nasbook.analysis.weight_sharing --seeds 3

trains a supernet on uniform single paths (Li & Talwalkar 2020) for each seed and stores, at some epochs, the accuracy
of every architecture of the space with the shared weights. An interrupted run goes on when the command is given again.
"""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch.nn import functional as F

from nasbook import datasets, sizes, spaces, strategies
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.manifest import manifest
from nasbook.runtime.resources import data_folder
from nasbook.search import Search, recipes
from nasbook.selection import magnitude, shared_weight_accuracies
from nasbook.spaces import Genotype, SearchSpace
from nasbook.supernet import Supernet, one_hot

SPACE, NODES, REDUCTION, DATA = "s2", 2, "fixed", "street_numbers"
EPOCHS = 80
MARKS = (0, 2, 5, 10, 20, 40, 80)  # epochs after which every architecture is scored
NAME = "weight_sharing_s2"
_OPERATION = re.compile(r"cells\.(\d+)\.edges\.(\d+)\.operations\.(\d+)\.")


def population(
    *, seed: int = 0, epochs: int = EPOCHS, numbers: dict[str, Any] | None = None, device: str = "cpu"
) -> Search:
    """An untrained supernet of the small space whose every batch will train one uniformly drawn architecture.

    Args:
        seed: every random number follows from it.
        epochs: over which the learning rate is annealed.
        numbers: other numbers of the class size to change, by name.
        device: where the supernet runs.
    """
    changes = {"epochs": epochs, "nodes": NODES, **(numbers or {})}
    chosen = sizes.override(sizes.get("class").search, changes)
    recipe = recipes.get("rsps")
    return Search(
        _space(), datasets.load(DATA), recipe=recipe, numbers=chosen, derive=magnitude, seed=seed, device=device
    )


def _space() -> SearchSpace:
    return spaces.get(SPACE, nodes=NODES, reduction=REDUCTION)


def path_parameters(supernet: Supernet, genotype: Genotype) -> dict[str, int]:
    """The parameters that one architecture uses inside a supernet: name to how many numbers.

    These are the parameters of its own operations and those that every path uses: stem, the inputs of the cells, fixed
    reductions and the classifier.

    Raises:
        UsageError: the architecture is not in the supernet's space.
    """
    active = one_hot(supernet.space, genotype).active
    assert active is not None
    used = {}
    for name, value in supernet.named_parameters():
        place = _OPERATION.match(name)
        if place:
            cell, edge, operation = map(int, place.groups())
            if operation not in active[supernet.plans[cell].kind][edge]:
                continue
        used[name] = value.numel()
    return used


@dataclass(frozen=True)
class Shares:
    """How many parameters two paths of one supernet use, together and alone.

    Args:
        a: of path A.
        b: of path B.
        shared: of both.
        always: those of the shared ones that every path uses.
    """

    a: int
    b: int
    shared: int
    always: int


def shares(supernet: Supernet, a: Genotype, b: Genotype) -> Shares:
    """Count what paths A and B share, exactly."""
    of_a, of_b = path_parameters(supernet, a), path_parameters(supernet, b)
    both = {name: count for name, count in of_a.items() if name in of_b}
    always = sum(count for name, count in both.items() if not _OPERATION.match(name))
    return Shares(sum(of_a.values()), sum(of_b.values()), sum(both.values()), always)


def train_paths(search: Search, paths: Iterable[Genotype]) -> None:
    """Train the shared weights, one batch on each path, in order; what a path does not use stays as it is.

    The learning rate is that of the current epoch: constant here. Nothing else of the search moves.
    """
    for path in paths:
        images, labels = next(search.weights_batches)
        loss = F.cross_entropy(search.logits(images, one_hot(search.space, path)), labels)
        search.w_optimizer.zero_grad()  # to None: SGD leaves other paths' weights alone, momentum and decay too
        loss.backward()
        torch.nn.utils.clip_grad_norm_(search.supernet.parameters(), search.numbers.clip or math.inf)
        search.w_optimizer.step()


@dataclass(frozen=True)
class Course:
    """How the accuracy of some paths went while shared weights were trained.

    Args:
        batches: (looks,) how many batches had been trained.
        accuracies: (paths, looks) in percent, on the half of alpha.
    """

    batches: tuple[int, ...]
    accuracies: tuple[tuple[float, ...], ...]


def follow(search: Search, schedule: Sequence[Genotype], *, watch: Sequence[Genotype], every: int) -> Course:
    """Train the paths of a schedule, one batch each, and look at the accuracy of others on the way.

    Args:
        search: whose shared weights are trained.
        schedule: the path of each batch.
        watch: paths whose accuracy is measured, before the first batch and then after every `every` batches.
        every: batches between two looks.

    Raises:
        UsageError: `every` is smaller than 1.
    """
    if every < 1:
        raise UsageError(f"At least 1 batch lies between two looks, not {every}.")
    looks = [shared_weight_accuracies(search, watch)]
    batches = list(range(0, len(schedule), every))
    for start in batches:
        train_paths(search, schedule[start : start + every])
        looks.append(shared_weight_accuracies(search, watch))
    ends = (0, *(min(start + every, len(schedule)) for start in batches))
    return Course(ends, tuple(zip(*looks)))


def growth(search: Search, marks: Sequence[int] = MARKS) -> dict[int, list[float]]:
    """Train a population and score every architecture of its space at some epochs.

    Args:
        search: of `population`; it is trained up to the last mark.
        marks: ascending epochs after which to score.

    Returns:
        Mark to accuracies in percent, in the order of `strategies.architectures`.
    """
    every, scores = list(strategies.architectures(_space())), {}
    for mark in marks:
        while search.epoch < mark:
            search.run_epoch(lambda _step, _steps: None)
        scores[mark] = [round(score, 3) for score in shared_weight_accuracies(search, every)]
    return scores


@dataclass(frozen=True)
class Recorded:
    """The stored populations.

    Args:
        marks: epochs after which every architecture was scored.
        genotypes: every architecture of the space, in the order of `strategies.architectures`.
        accuracies: (seeds, marks, architectures) in percent.
        manifest: the command that made it, seeds, seconds, versions.
    """

    marks: tuple[int, ...]
    genotypes: tuple[Genotype, ...]
    accuracies: tuple[tuple[tuple[float, ...], ...], ...]
    manifest: dict[str, Any]


@cache
def recorded(name: str = NAME) -> Recorded:
    """The populations that the command of this module stored.

    Raises:
        UsageError: there is no such file.
    """
    stored = files.read_json(data_folder() / "results" / f"{name}.json")
    runs = tuple(tuple(tuple(scores) for scores in run["accuracies"]) for run in stored["runs"])
    genotypes = tuple(spaces.parse_genotype(text) for text in stored["genotypes"])
    return Recorded(tuple(stored["marks"]), genotypes, runs, stored["manifest"])


def record(
    path: Path,
    *,
    seeds: int,
    epochs: int = EPOCHS,
    marks: Sequence[int] = MARKS,
    numbers: dict[str, Any] | None = None,
    command: str = "",
    report: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> dict[str, Any]:
    """Train populations with the seeds 0, 1, ... and store the scores, after each seed; those that are there stay.

    Raises:
        UsageError: no seed is asked for, or the file is of other settings.
    """
    if seeds < 1:
        raise UsageError(f"At least 1 seed is needed, not {seeds}.")
    first = population(epochs=epochs, numbers=numbers)
    settings = {
        "space": SPACE,
        "nodes": NODES,
        "reduction": REDUCTION,
        "data": DATA,
        "numbers": asdict(first.numbers),
        "marks": list(marks),
        "genotypes": [str(genotype) for genotype in strategies.architectures(_space())],
    }
    stored: dict[str, Any] = files.read_json(path) if path.exists() else {"manifest": {}, **settings, "runs": []}
    for key, value in settings.items():
        if stored.get(key) != value:
            raise UsageError(f"{path} holds populations of other settings ({key} differs): name another file.")
    for seed in range(len(stored["runs"]), seeds):
        start = time.process_time()
        scores = growth(population(seed=seed, epochs=epochs, numbers=numbers), marks)
        seconds = round(time.process_time() - start, 1)
        stored["runs"].append({"seed": seed, "seconds": seconds, "accuracies": list(scores.values())})
        total = sum(run["seconds"] for run in stored["runs"])
        stored["manifest"] = manifest(command=command, seeds=range(seed + 1), seconds=total)
        files.write_json(path, stored)
        report(f"seed {seed}: {seconds:.0f} s of the processor")
    return stored


def main(
    seeds: Annotated[int, typer.Option(help="supernets to train")] = 3,
    name: Annotated[str, typer.Option(help="of the file in data/results/, without its ending")] = NAME,
) -> None:
    """Train supernets on uniform single paths and store the accuracy of every architecture with the shared weights."""
    torch.set_num_threads(1)
    command = f"python -m nasbook.analysis.weight_sharing --seeds {seeds} --name {name}"
    try:
        record(data_folder() / "results" / f"{name}.json", seeds=seeds, command=command)
    except UsageError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
