"""Evaluators, where a strategy's scores come from: training from scratch, or a stored table that answers at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from nasbook import experiment, spaces
from nasbook.datasets import Dataset
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder
from nasbook.spaces import Genotype, SearchSpace
from nasbook.strategies.base import Evaluator


@dataclass(frozen=True)
class Row:
    """One architecture of a stored table: one entry a training seed, accuracies in percent."""

    genotype: Genotype
    valid: tuple[float, ...]
    test: tuple[float, ...]
    params: int
    macs: int
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class Table:
    """A whole space, every architecture trained from scratch and stored.

    Called with an architecture, it is an evaluator: the validation accuracy in percent, mean over the training seeds.

    Args:
        name: of the file in `data/results/`.
        space: the space that it covers.
        rows: by architecture, each node's pairs sorted by source.
        numbers: of each training (see `nasbook.sizes.TrainNumbers`): `from_scratch(numbers=...)` trains likewise.
        manifest: the command that made it, versions, seeds, date, numbers, seconds.
    """

    name: str
    space: SearchSpace
    rows: Mapping[Genotype, Row]
    numbers: Mapping[str, Any]
    manifest: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.rows)

    def __call__(self, genotype: Genotype) -> float:
        """The mean validation accuracy of an architecture over its trainings, in percent."""
        return _mean(self.row(genotype).valid)

    def row(self, genotype: Genotype) -> Row:
        """What is stored of an architecture.

        Raises:
            UsageError: it is not in the table.
        """
        try:
            return self.rows[genotype.canonical()]
        except KeyError:
            raise UsageError(f"The table {self.name} does not hold {genotype}; it covers {self.space.name}.") from None

    def test(self, genotype: Genotype) -> float:
        """The test accuracy in percent, mean over the training seeds: for reports, never for a strategy."""
        return _mean(self.row(genotype).test)

    def one_training(self, generator: torch.Generator) -> Evaluator:
        """An evaluator as noisy as a real one: each call gives the accuracy of one training, drawn at random."""

        def evaluate(genotype: Genotype) -> float:
            valid = self.row(genotype).valid
            return valid[int(torch.randint(len(valid), (), generator=generator))]

        return evaluate


def tabulated(name: str) -> Table:
    """A stored table as an evaluator that answers at once.

    Args:
        name: of a file in `data/results/`, without its ending; `python -m nasbook.strategies.evaluate_space` makes one.

    Raises:
        UsageError: there is no such table, or it does not hold every architecture of its space.
    """
    return read_table(files.read_json(data_folder() / "results" / f"{name}.json"), name)


def read_table(stored: Any, name: str) -> Table:
    """A table from its stored form.

    Raises:
        UsageError: it is malformed, or does not hold every architecture of its space.
    """
    try:
        space = spaces.get(stored["space"], nodes=stored["nodes"], reduction=stored["reduction"])
        rows = [_row(space, entry) for entry in stored["architectures"]]
        numbers, manifest, seeds = stored["numbers"], stored["manifest"], len(stored["manifest"]["seeds"])
    except (KeyError, TypeError):
        raise UsageError(f"The stored table {name} is malformed: make it again.") from None
    by_genotype = {row.genotype: row for row in rows if len(row.valid) == seeds}
    if len(by_genotype) != space.size():
        raise UsageError(f"The table {name} holds {len(by_genotype)} of {space.size()} architectures: finish it first.")
    return Table(name, space, by_genotype, numbers, manifest)


def from_scratch(
    *, data: str | Dataset | None = None, size: str = "class", seed: int = 0, numbers: Mapping[str, Any] | None = None
) -> Evaluator:
    """The honest evaluator: train each architecture from scratch and give its validation accuracy in percent.

    Args:
        data, size, seed, numbers: as in `nasbook.experiment.train`; the data set must have validation images.
    """

    def evaluate(genotype: Genotype) -> float:
        outcome = experiment.train(genotype, data=data, size=size, seed=seed, device="cpu", numbers=dict(numbers or {}))
        return valid_accuracy(outcome)

    return evaluate


def valid_accuracy(outcome: experiment.Outcome) -> float:
    """The validation accuracy in percent after the last epoch of a training.

    Raises:
        UsageError: the data set has no validation images.
    """
    last = outcome.training[-1]
    if "valid_accuracy" not in last:
        raise UsageError(f"{outcome.result['data']} has no validation images, so architectures cannot be scored on it.")
    return float(last["valid_accuracy"])


def _row(space: SearchSpace, entry: dict[str, Any]) -> Row:
    return Row(
        genotype=space.parse(entry["genotype"]).canonical(),
        valid=tuple(entry["valid"]),
        test=tuple(entry["test"]),
        params=entry["params"],
        macs=entry["macs"],
        seconds=tuple(entry["seconds"]),
    )


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)
