"""Every method searches NAS-Bench-1Shot1 through the same loop, with the same options and instruments."""

import pytest
import torch

from nasbook import datasets, experiment, instruments, sizes, spaces
from nasbook.runtime.errors import UsageError
from nasbook.search import RECIPES, Search, recipes
from nasbook.selection import SELECTIONS, magnitude, shared_weight_accuracies

NAMES = [f"nas-bench-1shot1-{number}" for number in (1, 2, 3)]
TINY = {"epochs": 1, "images": 64, "batch": 16, "channels": 2}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, name, method="darts", record=(), **changes):
    space = spaces.get(name)
    numbers = sizes.override(sizes.get("class").of(space.family).search, TINY | changes)
    recipe, measured = recipes.get(method), instruments.named(record)
    return Search(space, dataset, recipe=recipe, numbers=numbers, derive=magnitude, instruments=measured)


def run(stage):
    """To its end."""
    while stage.epoch < stage.epochs:
        stage.run_epoch(lambda step, of: None)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", RECIPES)
def test_every_method_takes_two_steps(dataset, name, method):
    stage = search(dataset, name, method)
    w = [value.detach().clone() for value in stage.supernet.parameters()]
    alpha = {group: value.detach().clone() for group, value in stage.alpha.items()}
    steps = []
    record = stage.run_epoch(lambda step, of: steps.append((step, of)))
    assert steps == [(1, 2), (2, 2)]
    assert any(not torch.equal(old, new) for old, new in zip(w, stage.supernet.parameters(), strict=True))
    moved = {group for group, value in stage.alpha.items() if not torch.equal(value, alpha[group])}
    assert moved == (set() if RECIPES[method].hypergradient == "none" else set(stage.space.groups))
    stage.space.parse(record["genotype"])


def test_a_single_path_gives_each_node_its_parents_with_weight_one(dataset):
    stage = search(dataset, NAMES[1], "rsps")
    mixing = stage.mixing()
    assert {group: values.sum(1).tolist() for group, values in mixing.weights.items()} == {
        "operations": [1, 1, 1, 1],
        "output": [3],
        "inputs 2": [1],
        "inputs 3": [2],
        "inputs 4": [2],
    }
    stage.run_epoch(lambda step, of: None)
    best = SELECTIONS["ranking"](stage, run)
    stage.space.check(best)
    (accuracy,) = shared_weight_accuracies(stage, [best])
    others = [stage.space.sample(torch.Generator().manual_seed(stage.seed))]
    assert accuracy >= shared_weight_accuracies(stage, others)[0]  # the first that is drawn is a candidate


def test_options_and_instruments_work(dataset):
    stage = search(dataset, NAMES[0], record=("eigenvalue", "skip-weight", "derived-accuracy"), drop_path=0.2)
    record = stage.run_epoch(lambda step, of: None)
    assert record["skip_weight"] is None  # the space has no skip connection
    assert 0 <= record["derived_accuracy"] <= 100
    assert instruments.hessian(stage, batches=1, batch=16).mean.shape == (24, 24)
    assert record["eigenvalue"] == record["eigenvalue"]  # a number, not NaN


def test_a_whole_run_and_its_outcome(dataset):
    outcome = experiment.search(
        space=NAMES[2],
        data=dataset,
        device="cpu",
        numbers=TINY,
        train_numbers={"epochs": 1, "images": 64, "channels": 8},
    )
    spaces.get(NAMES[2]).check(outcome.genotype)
    assert str(outcome.genotype) == outcome.result["genotype"] == outcome.history[-1]["genotype"]
    again = experiment.train(
        outcome.genotype, data=dataset, device="cpu", numbers={"epochs": 1, "images": 64, "channels": 8}
    )
    assert again.result["params"] == outcome.result["params"]
    assert again.result["test_accuracy"] == outcome.result["test_accuracy"]


def test_at_paper_size_the_networks_are_those_of_the_benchmarks():
    paper = sizes.get("paper").of("nas-bench-1shot1")
    assert (paper.search.channels, paper.search.layers, paper.search.batch, paper.search.epochs) == (16, 9, 96, 50)
    assert (paper.train.channels, paper.train.layers, paper.train.batch, paper.train.epochs) == (128, 9, 256, 108)


def test_what_does_not_fit_is_said_before_anything_runs(dataset):
    for numbers, train_numbers, says in (
        ({"layers": 4}, {}, "3 stacks"),
        ({}, {"layers": 5}, "3 stacks"),
        ({}, {"auxiliary": 0.4}, "auxiliary classifier"),
    ):
        with pytest.raises(UsageError, match=says):
            experiment.search(
                space=NAMES[0],
                data=dataset,
                device="cpu",
                numbers={**TINY, **numbers},
                train_numbers=train_numbers,
                listeners=[lambda event: pytest.fail("something ran")],
            )
