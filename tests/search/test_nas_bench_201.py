"""Every method searches NAS-Bench-201 through the same loop, with the same options and instruments."""

import pytest
import torch

from nasbook import datasets, experiment, instruments, sizes, spaces
from nasbook.runtime.errors import UsageError
from nasbook.search import RECIPES, Search, recipes
from nasbook.selection import SELECTIONS, magnitude
from nasbook.supernet import Mixing

SPACE = spaces.get("nas-bench-201")
TINY = {"epochs": 1, "images": 128, "batch": 32, "channels": 2, "layers": 5, "stem_stride": 2, "tuning_steps": 1}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, method="darts", record=(), **changes):
    numbers = sizes.override(sizes.get("class").of(SPACE.family).search, TINY | changes)
    return Search(
        SPACE,
        dataset,
        recipe=recipes.get(method),
        numbers=numbers,
        derive=magnitude,
        instruments=instruments.named(record),
    )


def run(stage):
    """To its end."""
    while stage.epoch < stage.epochs:
        stage.run_epoch(lambda step, of: None)


@pytest.mark.parametrize("method", RECIPES)
def test_every_method_takes_two_steps(dataset, method):
    stage = search(dataset, method)
    w = [value.detach().clone() for value in stage.supernet.parameters()]
    alpha = stage.alpha["normal"].detach().clone()
    steps = []
    stage.run_epoch(lambda step, of: steps.append((step, of)))
    assert steps == [(1, 2), (2, 2)]
    assert any(not torch.equal(old, new) for old, new in zip(w, stage.supernet.parameters(), strict=True))
    assert torch.equal(alpha, stage.alpha["normal"]) == (RECIPES[method].hypergradient == "none")
    SPACE.check(SELECTIONS[stage.recipe.selection](stage, run))


def test_none_learns_although_it_never_runs(dataset):
    """Its weight has no gradient; its parameter has, through the softmax: -weight * sum of (weight * gradient)."""
    stage = search(dataset)
    images, labels = torch.randn(16, 3, 32, 32), torch.arange(16) % 10
    weights = stage.mixing().weights["normal"]
    loss = torch.nn.functional.cross_entropy(stage.logits(images, Mixing({"normal": weights})), labels)
    in_weights, in_alpha = torch.autograd.grad(loss, [weights, stage.alpha["normal"]])
    assert (in_weights[:, 0] == 0).all()
    expected = -weights[:, 0] * (weights * in_weights).sum(1)
    torch.testing.assert_close(in_alpha[:, 0], expected.detach(), rtol=1e-3, atol=1e-8)
    assert (in_alpha[:, 0] != 0).all()


def test_options_and_instruments_work(dataset):
    stage = search(dataset, record=("eigenvalue", "skip-weight", "derived-accuracy"), drop_path=0.2)
    record = stage.run_epoch(lambda step, of: None)
    assert record["skip_weight"] == pytest.approx(sum(row[1] for row in record["weights"]["normal"]) / 6, abs=1e-6)
    assert 0 <= record["derived_accuracy"] <= 100
    assert record["eigenvalue"] == record["eigenvalue"]  # a number, not NaN
    assert SPACE.parse(record["genotype"]).family == "nas-bench-201"


def test_at_paper_size_the_networks_are_those_of_the_benchmark():
    paper = sizes.get("paper").of(SPACE.family)
    assert (paper.search.channels, paper.search.layers) == (paper.train.channels, paper.train.layers) == (16, 17)


def test_what_does_not_fit_is_said_before_anything_runs(dataset):
    for numbers, train_numbers, says in (
        ({"layers": 6}, {}, r"3N \+ 2 layers"),
        ({}, {"layers": 4}, r"3N \+ 2 layers"),
        ({}, {"auxiliary": 0.4}, "auxiliary classifier"),
    ):
        with pytest.raises(UsageError, match=says):
            experiment.search(
                space=SPACE.name,
                data=dataset,
                device="cpu",
                numbers={name: TINY[name] for name in TINY if name != "tuning_steps"} | numbers,
                train_numbers=train_numbers,
                listeners=[lambda event: pytest.fail("something ran")],
            )
