"""The counted calls of each method's step are those of its paper."""

from __future__ import annotations

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.analysis import operation_calls
from nasbook.analysis.operation_calls import ALPHA, PLAY, WEIGHTS
from nasbook.search import Search, recipes
from nasbook.selection import derive


@pytest.fixture(scope="module")
def data():
    return datasets.load("street_numbers")


def search(method, data):
    numbers = sizes.get("class").of("darts", method).search
    numbers = sizes.override(numbers, {"frozen_epochs": 0, "batch": 4, "images": 16, "layers": 3})
    recipe = recipes.get(method)
    space = spaces.get("darts7", nodes=numbers.nodes, reduction=numbers.reduction)
    return Search(space, data, recipe=recipe, numbers=numbers, derive=derive(recipe.selection), seed=0)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("darts", {ALPHA: (1, 7), WEIGHTS: (1, 7)}),
        ("pc-darts", {ALPHA: (1, 7), WEIGHTS: (1, 7)}),
        ("rsps", {WEIGHTS: (1, 1)}),
        ("gdas", {ALPHA: (1, 1), WEIGHTS: (1, 1)}),
        ("dsnas", {ALPHA: (1, 1)}),
        ("proxylessnas", {ALPHA: (1, 7), WEIGHTS: (1, 1)}),
        ("proxylessnas-two-paths", {ALPHA: (1, 2), WEIGHTS: (1, 1)}),
        ("proxylessnas-r", {PLAY: (4, 1), WEIGHTS: (1, 1)}),
        ("nasp", {ALPHA: (1, 7), WEIGHTS: (1, 1)}),
    ],
)
def test_operations_of_the_busiest_edge(method, expected, data):
    assert operation_calls.summary(operation_calls.of_step(search(method, data))) == expected


def test_every_edge_runs_one_operation_with_gdas_and_two_edges_a_node_with_nasp(data):
    gdas, nasp = (operation_calls.of_step(search(method, data))[-1] for method in ("gdas", "nasp"))
    assert set(gdas.calls) == {1}
    assert len(nasp.calls) == 5  # two nodes in one normal cell
    assert sum(nasp.calls) == 4


def test_partial_channels_are_seen(data):
    assert {share for each in operation_calls.of_step(search("pc-darts", data)) for share in each.channels} == {0.25}
    assert {share for each in operation_calls.of_step(search("darts", data)) for share in each.channels} == {1.0}


def test_counting_changes_nothing_and_leaves_no_hook(data):
    counted, plain = search("gdas", data), search("gdas", data)
    operation_calls.of_step(counted)
    with plain.stream.scope():
        plain.step()
    for one, other in zip(counted.supernet.parameters(), plain.supernet.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not counted.supernet._forward_pre_hooks
    assert not any(module._forward_pre_hooks for module in counted.supernet.modules())
