"""The sum over parts equals the cost of the whole network."""

from __future__ import annotations

import pytest
import torch

from nasbook import spaces, supernet
from nasbook.runtime.errors import UsageError
from nasbook.widgets.network_cost import network_cost


@pytest.mark.parametrize(
    ("name", "nodes", "reduction"),
    [("darts", 4, "searched"), ("s1", 3, "searched"), ("s2", 2, "fixed"), ("s4", 1, "searched"), ("toy", 1, "fixed")],
)
@pytest.mark.parametrize(("channels", "layers"), [(4, 2), (8, 5), (6, 8)])
def test_it_is_what_describe_says(name: str, nodes: int, reduction: str, channels: int, layers: int) -> None:
    genotype = spaces.get(name, nodes=nodes, reduction=reduction).sample(torch.Generator().manual_seed(layers))
    whole = supernet.describe(genotype, channels=channels, layers=layers, classes=10)
    assert network_cost(genotype, channels=channels, layers=layers) == whole


def test_every_published_cell_at_published_size_has_its_printed_parameters() -> None:
    for name in spaces.published_names():
        entry = spaces.published(name)
        params = network_cost(entry.genotype, channels=36, layers=20)["params"]
        if entry.params_million is not None:
            decimals = len(str(entry.params_million).partition(".")[2])
            assert params / 1e6 == pytest.approx(entry.params_million, abs=0.6 * 10**-decimals), name


def test_other_images_and_classes() -> None:
    genotype = spaces.published("AmoebaNet").genotype
    whole = supernet.describe(genotype, channels=4, layers=3, classes=7, image=(1, 16, 8))
    assert network_cost(genotype, channels=4, layers=3, classes=7, image=(1, 16, 8)) == whole
    with pytest.raises(UsageError, match="halved"):
        network_cost(genotype, channels=4, layers=3, image=(3, 15, 15))
