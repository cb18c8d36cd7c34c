"""The expected cost of an architecture under operation weights."""

from __future__ import annotations

import pytest
import torch

from nasbook import datasets, sizes, spaces, supernet
from nasbook.analysis import expected_cost

NUMBERS = sizes.get("class").search


def test_by_hand():
    costs = {"normal": torch.tensor([[1.0, 3.0], [0.0, 4.0]], dtype=torch.float64)}
    assert expected_cost.expected({"normal": [[0.5, 0.5], [0.5, 0.5]]}, costs) == 1
    assert expected_cost.expected({"normal": [[1.0, 0.0], [0.0, 1.0]]}, costs) == pytest.approx(5 / 4)
    assert expected_cost.expected({"normal": torch.eye(2, requires_grad=True)}, costs) == pytest.approx(5 / 4)


def test_prices_of_two_architectures_differ_as_their_networks_do():
    """The networks of two cells differ in their operations alone, so their multiply-adds differ by the prices'."""
    space = spaces.get("darts7", nodes=NUMBERS.nodes, reduction="fixed")
    data = datasets.load("street_numbers")
    costs = expected_cost.multiply_adds(space, data, NUMBERS)["normal"]
    assert costs.shape == space.normal.shape
    generator = torch.Generator().manual_seed(0)
    networks, prices = [], []
    for _ in range(4):
        genotype = space.sample(generator)
        size = {"channels": NUMBERS.channels, "layers": NUMBERS.layers, "stem_stride": NUMBERS.stem_stride}
        networks.append(supernet.describe(genotype, classes=data.classes, image=data.image, **size)["macs"])
        chosen = space.chosen(genotype)["normal"]
        prices.append(sum(float(costs[row, column]) for row, columns in enumerate(chosen) for column in columns))
    assert len(set(networks)) > 1
    assert [each - networks[0] for each in networks] == pytest.approx([each - prices[0] for each in prices])


def test_nothing_outside_is_drawn_from():
    space, data = spaces.get("s2", nodes=2, reduction="fixed"), datasets.load("street_numbers")
    before = torch.get_rng_state()
    expected_cost.multiply_adds(space, data, NUMBERS)
    assert torch.equal(torch.get_rng_state(), before)
