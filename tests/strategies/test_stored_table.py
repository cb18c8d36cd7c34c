"""The stored table of S2 with two nodes: whole, with its command, and of the networks that it names."""

from __future__ import annotations

import pytest
import torch

from nasbook import spaces, strategies
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder
from nasbook.supernet import Network, parameters

STORED = "s2_2nodes_fixed"


def test_the_stored_table_covers_its_space_and_says_how_it_was_made() -> None:
    table = strategies.tabulated(STORED)
    assert len(table) == table.space.size() == 48
    assert table.manifest["command"].startswith("python -m nasbook.strategies.evaluate_space s2")
    seeds = len(table.manifest["seeds"])
    for genotype in strategies.architectures(table.space):
        row = table.row(genotype)
        assert len(row.valid) == len(row.test) == seeds
        assert all(10 < accuracy < 100 for accuracy in (*row.valid, *row.test))
    outside = spaces.get("s1", nodes=2, reduction="fixed").sample(torch.Generator().manual_seed(1))
    with pytest.raises(UsageError, match="does not hold"):
        table(outside)


def test_the_stored_table_counts_the_parameters_that_the_networks_have() -> None:
    table = strategies.tabulated(STORED)
    numbers = files.read_json(data_folder() / "results" / f"{STORED}.json")["numbers"]
    for genotype in list(strategies.architectures(table.space))[::11]:
        network = Network(
            genotype,
            channels=numbers["channels"],
            layers=numbers["layers"],
            classes=10,
            stem_stride=numbers["stem_stride"],
        )
        assert table.row(genotype).params == parameters(network)


def test_one_training_is_as_noisy_as_the_seeds() -> None:
    table = strategies.tabulated(STORED)
    genotype = table.space.sample(torch.Generator().manual_seed(0))
    evaluate = table.one_training(torch.Generator().manual_seed(0))
    assert {evaluate(genotype) for _ in range(40)} == set(table.row(genotype).valid)
