"""Progressive learning: what is kept, what is carried into the second stage, and what never runs again."""

import math
from itertools import pairwise

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, progressive, recipes
from nasbook.selection import magnitude
from nasbook.spaces.nas_bench_1shot1 import inputs_of

TINY = {"images": 64, "batch": 16, "channels": 8, "stem_stride": 2, "frozen_epochs": 0}
SPACES = {
    "s3": {"layers": 3, "nodes": 2, "operations_end": 2, "reduction": "searched"},
    "nas-bench-201": {"layers": 5, "operations_end": 3},
    "nas-bench-1shot1-1": {"layers": 3, "operations_end": 2},
}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, space="s3", **changes):
    preset = sizes.get("class").of(spaces.family(space), "drnas-progressive").search
    numbers = sizes.override(preset, {"epochs": 4} | TINY | SPACES[space] | changes)
    return Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
        dataset,
        recipe=recipes.get("drnas-progressive"),
        numbers=numbers,
        derive=magnitude,
    )


def run(stage, epochs):
    return [stage.run_epoch(lambda step, steps: None) for _ in range(epochs)]


def copied(tensors):
    return {name: value.detach().clone() for name, value in tensors.items()}


def test_the_largest_are_kept():
    space = spaces.get("s3", nodes=1)  # two edges of three operations
    alpha = {
        "normal": torch.tensor([[0.3, -1.0, 0.2], [-3.0, -2.0, -1.0]]).requires_grad_(),
        "reduce": torch.tensor([[5.0, 6.0, 7.0], [2.0, 1.0, 3.0]]),
    }
    assert {name: mask.tolist() for name, mask in progressive.kept(space, alpha, 2).items()} == {
        "normal": [[True, False, True], [False, True, True]],
        "reduce": [[False, True, True], [True, False, True]],
    }
    every = progressive.kept(space, alpha, 9)
    assert all(mask.all() for mask in every.values())


def test_rows_of_which_several_columns_are_held_keep_one_more():
    """Space 1 of NAS-Bench-1Shot1: of a node's two parents, or the output's, a choice must be left."""
    space = spaces.get("nas-bench-1shot1-1")
    generator = torch.Generator().manual_seed(0)
    alpha = {name: torch.randn(group.shape, generator=generator) for name, group in space.groups.items()}
    masks = progressive.kept(space, alpha, 2)
    expected = {"operations": 2, "output": 3, inputs_of(3): 3, inputs_of(4): 3}
    assert {name: set(mask.sum(1).tolist()) for name, mask in masks.items()} == {k: {n} for k, n in expected.items()}
    for name, mask in masks.items():
        lowest = torch.where(mask, alpha[name], torch.inf).min(1).values
        assert (torch.where(mask, -torch.inf, alpha[name]).max(1).values < lowest).all()


@pytest.mark.parametrize(("epochs", "before"), [(2, 1), (4, 2), (5, 2)])
def test_the_second_stage_begins_after_half_of_the_epochs(dataset, epochs, before):
    stage = search(dataset, epochs=epochs)
    first = stage.supernet
    run(stage, before)
    assert stage.masks is None
    assert stage.supernet is first
    run(stage, 1)
    assert stage.masks is not None
    assert {edge.settings.partial for _, _, edge in stage.supernet.mixed_edges()} == {2}


@pytest.mark.parametrize("space", list(SPACES))
def test_what_is_carried_over(dataset, space, monkeypatch):
    """Alpha, and bit for bit every weight, momentum and statistic that does not grow; the others as `Repeat` says."""
    grown = {}
    monkeypatch.setattr(
        progressive,
        "repeats",
        lambda *arguments, original=progressive.repeats: grown.update(original(*arguments)) or grown,
    )
    stage = search(dataset, space, running=True)
    run(stage, 2)
    alpha, moments = copied(stage.alpha), [copied(state) for state in stage.alpha_optimizer.state.values()]
    weights, momentum = copied(stage.supernet.state_dict()), copied(stage.momentum())
    masks = progressive.kept(stage.space, stage.alpha, stage.numbers.operations_end)
    progressive.begin(stage, masks)
    assert all(torch.equal(stage.alpha[name], value) for name, value in alpha.items())
    for state, before in zip(stage.alpha_optimizer.state.values(), moments, strict=True):
        assert all(torch.equal(state[name], value) for name, value in before.items())
    assert list(stage.alpha.values()) == stage.alpha_optimizer.param_groups[0]["params"]
    after = stage.supernet.state_dict()
    assert after.keys() == weights.keys()
    assert 0 < len(grown) < len(after)
    for name, value in after.items():
        assert torch.equal(value, grown[name](weights[name]) if name in grown else weights[name]), name
    later = stage.momentum()
    assert later.keys() == momentum.keys() == dict(stage.supernet.named_parameters()).keys()
    for name, value in later.items():
        assert torch.equal(value, grown[name](momentum[name]) if name in grown else momentum[name]), name
    held = [value for group in stage.w_optimizer.param_groups for value in group["params"]]
    assert [id(value) for value in held] == [id(value) for value in stage.supernet.parameters()]
    # of a 1x1 convolution: an old output's momentum is shared among the repeated inputs, so that its sum stays
    name = next(name for name, value in momentum.items() if name in grown and value.shape[1:] == (2, 1, 1))
    assert later[name].shape == (4, 4, 1, 1)
    torch.testing.assert_close(later[name][:2].sum(1), momentum[name].sum(1))


def test_the_supernet_stays_where_its_channels_do(dataset):
    stage = search(dataset, partial=2, partial_end=2)
    supernet, optimizer = stage.supernet, stage.w_optimizer
    run(stage, 3)
    assert stage.masks is not None
    assert stage.supernet is supernet
    assert stage.w_optimizer is optimizer


def watch_operations(stage):
    """(group, row, operation) of every operation that runs from now on."""
    ran = set()
    for group, row, edge in stage.supernet.mixed_edges():
        for index, operation in enumerate(edge.operations):
            operation.register_forward_hook(lambda *_, place=(group, row, index): ran.add(place))
    return ran


@pytest.mark.parametrize("space", list(SPACES))
def test_pruned_operations_never_run_again(dataset, space, monkeypatch):
    stage, ran = search(dataset, space, epochs=5), []
    monkeypatch.setattr(
        progressive,
        "begin",
        lambda *arguments, original=progressive.begin: (original(*arguments), ran.append(watch_operations(stage))),
    )
    everything = watch_operations(stage)
    records = run(stage, 2)
    alpha = copied(stage.alpha)
    records += run(stage, 3)
    expected = progressive.kept(stage.space, alpha, stage.numbers.operations_end)
    assert stage.masks.keys() == expected.keys()
    assert all(torch.equal(mask, expected[name]) for name, mask in stage.masks.items())
    places = {(group, row, k) for group, row, edge in stage.supernet.mixed_edges() for k in range(len(edge.names))}
    run_at_all = {(g, row, k) for g, row, k in places if stage.space.groups[g].operations[row][k] != "none"}
    assert everything == run_at_all
    assert ran == [{(group, row, k) for group, row, k in run_at_all if expected[group][row, k]}]
    assert ran[0] < run_at_all
    for record in records[2:]:
        for name, rows in record["weights"].items():
            weights = torch.tensor(rows)
            assert torch.equal(weights > 0, expected[name])
            torch.testing.assert_close(weights.sum(1), torch.ones(len(rows)))
        held = stage.space.chosen(stage.space.parse(record["genotype"]))
        for name, rows in held.items():
            assert all(expected[name][row, k] for row, columns in enumerate(rows) for k in columns)


def test_the_learning_rate_goes_on(dataset):
    rates = [record["w_lr"] for record in run(search(dataset, epochs=6, w_lr=0.1, w_lr_end=0.0), 6)]
    assert rates == pytest.approx([0.05 * (1 + math.cos(math.pi * epoch / 6)) for epoch in range(6)])


def test_alpha_rests_in_the_first_epochs_of_each_stage(dataset):
    stage = search(dataset, epochs=7, frozen_epochs=1)  # stages of three and of four epochs
    alpha = [copied(stage.alpha)]
    weights = [copied(stage.supernet.state_dict())["classifier.weight"]]
    for _ in range(7):
        run(stage, 1)
        alpha.append(copied(stage.alpha))
        weights.append(copied(stage.supernet.state_dict())["classifier.weight"])
    moved = [any(not torch.equal(new[name], value) for name, value in old.items()) for old, new in pairwise(alpha)]
    assert moved == [False, True, True, False, True, True, True]
    assert not any(torch.equal(old, new) for old, new in pairwise(weights))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"operations_end": None}, "partial_end belongs to a second stage"),
        ({"operations_end": 1}, "at least 2 operations"),
        ({"partial": 2, "partial_end": 4}, r"fewer channels \(1/4\) than the first \(1/2\)"),
        ({"epochs": 1}, "at least 2 epochs"),
        ({"partial": 4, "partial_end": 3}, "second stage 8 channels cannot be divided into 3 equal parts"),
        ({"partial": 3, "partial_end": 2}, "8 channels cannot be divided into 3 equal parts"),
    ],
)
def test_stages_that_cannot_be_are_refused_before_anything_runs(dataset, changes, says):
    with pytest.raises(UsageError, match=says):
        search(dataset, **changes)
