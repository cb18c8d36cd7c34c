"""Every method goes on from a saved state as if nothing had happened, bit for bit, the second stage included."""

import io

import pytest
import torch
from torch.utils._pytree import tree_flatten

from nasbook import datasets, sizes, spaces
from nasbook.search import RECIPES, Search, recipes
from nasbook.selection import derive
from nasbook.supernet.operation_costs import COSTS

# Noise, drop path and augmentation draw random numbers outside the relaxation too; statistics run.
TINY = {"epochs": 2, "images": 64, "batch": 16, "channels": 8, "layers": 3, "stem_stride": 2, "frozen_epochs": 0}
TINY |= {"drop_path": 0.2, "augment": True, "running": True}
MEASURED = ("memory_mib",)  # what no two runs have in common


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, method, space="s4", **changes):
    preset = sizes.get("class").of(spaces.family(space), method).search
    numbers = sizes.override(preset, TINY | changes)
    recipe = recipes.get(method)
    return Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
        dataset,
        recipe=recipe,
        numbers=numbers,
        derive=derive(recipe.selection),
    )


def run(stage, epochs):
    records = [stage.run_epoch(lambda step, steps: None) for _ in range(epochs)]
    return [{key: value for key, value in record.items() if key not in MEASURED} for record in records]


def written(stage):
    """Its state as a file holds it: plain values and tensors."""
    file = io.BytesIO()
    torch.save(stage.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def assert_identical(left, right):
    """Equal to the last bit, and of one type."""
    (values, tree), (others, other_tree) = tree_flatten(left), tree_flatten(right)
    assert tree == other_tree
    for value, other in zip(values, others, strict=True):
        assert type(value) is type(other)
        if isinstance(value, torch.Tensor):
            assert value.dtype == other.dtype
            assert torch.equal(value, other)
        else:
            assert value == other


def assert_goes_on(dataset, method, epochs, at, **changes):
    """Stopped after so many epochs, for each of `at`, and taken up by a search that knows nothing of the first."""
    whole = search(dataset, method, epochs=epochs, **changes)
    states, records = {}, []
    for epoch in range(epochs):
        if epoch in at:
            states[epoch] = written(whole)
        records += run(whole, 1)
    for epoch, state in states.items():
        resumed = search(dataset, method, epochs=epochs, **changes)
        resumed.load_state_dict(state)
        assert_identical(run(resumed, epochs - epoch), records[epoch:])
        assert_identical(resumed.state_dict(), whole.state_dict())
        assert resumed.genotype() == whole.genotype()
    return whole, states


@pytest.mark.parametrize("method", list(RECIPES))
def test_every_method_goes_on_bit_for_bit(dataset, method):
    whole, states = assert_goes_on(dataset, method, 2, [1])
    assert states[1]["steps"] == 2 != whole.steps
    assert whole.recipe.hypergradient == "none" or not torch.equal(states[1]["alpha"]["normal"], whole.alpha["normal"])


@pytest.mark.parametrize(
    ("space", "changes"),
    [("s3", {"operations_end": 2}), ("nas-bench-201", {"layers": 5}), ("nas-bench-1shot1-1", {"operations_end": 2})],
)
def test_before_at_and_after_the_change_of_stage(dataset, space, changes):
    """The second stage begins with the third epoch: at its saved state the supernet is still the narrow one."""
    _, states = assert_goes_on(dataset, "drnas-progressive", 4, [1, 2, 3], space=space, **changes)
    assert [states[epoch]["masks"] is not None for epoch in (1, 2, 3)] == [False, False, True]
    shapes = [sum(value.numel() for value in states[epoch]["supernet"].values()) for epoch in (1, 2, 3)]
    assert shapes[0] == shapes[1] < shapes[2]


def test_pruning_alone_is_taken_up_too(dataset):
    """Without wider channels no supernet is made anew; the masks are all that there is to carry over."""
    assert_goes_on(dataset, "drnas-progressive", 4, [2, 3], space="s3", operations_end=2, partial=2, partial_end=2)


def test_the_baseline_of_a_policy_gradient_is_carried_over(dataset):
    stage = search(dataset, "proxylessnas-r")
    run(stage, 1)
    resumed = search(dataset, "proxylessnas-r")
    assert resumed.baseline is None
    resumed.load_state_dict(written(stage))
    assert 0 < float(stage.baseline) < 1
    assert_identical(resumed.baseline, stage.baseline)


def test_steps_between_two_of_alpha_are_counted_on(dataset):
    """Of two steps an epoch every third moves alpha, so that an epoch ends between two of them."""
    assert_goes_on(dataset, "darts", 3, [1, 2], alpha_every=3)


def test_a_latency_that_was_measured_stays(dataset, monkeypatch):
    """A second measurement would give other numbers, and so another search."""
    clock = iter(range(10**6))
    monkeypatch.setitem(COSTS, "latency", lambda operation, images: float(next(clock)))
    changes = {"cost": "latency", "cost_weight": 1.0}
    whole, states = assert_goes_on(dataset, "proxylessnas", 2, [1], **changes)
    measured_again = search(dataset, "proxylessnas", **changes).penalty.costs["normal"]
    assert not torch.equal(measured_again, whole.penalty.costs["normal"])
    assert torch.equal(states[1]["costs"]["normal"], whole.penalty.costs["normal"])


def test_a_state_that_is_not_taken_up_gives_another_search(dataset):
    """The comparison above can fail: for each part that is left out of what is loaded."""
    stage = search(dataset, "proxylessnas-r")
    run(stage, 1)
    state = written(stage)
    records = run(stage, 1)
    fresh = search(dataset, "proxylessnas-r").state_dict()
    for part in ("supernet", "alpha", "w_optimizer", "alpha_optimizer", "stream", "weights_batches", "baseline"):
        resumed = search(dataset, "proxylessnas-r")
        resumed.load_state_dict(state | {part: fresh[part]})
        after = run(resumed, 1)
        with pytest.raises(AssertionError):
            assert_identical([after, resumed.state_dict()], [records, stage.state_dict()])
