"""Training from scratch: the recipe, exact continuation, and what is measured on which images."""

import math

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.evaluation import Training
from nasbook.runtime.errors import DivergedError, UsageError
from nasbook.supernet import describe

TINY = {"epochs": 2, "images": 128, "batch": 32, "channels": 4, "layers": 3}
SPACE = spaces.get("s2", nodes=2)


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def training(dataset, seed=0, genotype=None, **changes):
    genotype = genotype or SPACE.sample(torch.Generator().manual_seed(1))
    numbers = sizes.override(sizes.get("class").train, TINY | changes)
    return Training(genotype, dataset, numbers=numbers, seed=seed)


def run(stage, epochs=None):
    return [stage.run_epoch(lambda step, steps: None) for _ in range(epochs or stage.epochs)]


def flat(stage):
    return torch.cat([value.detach().flatten() for value in stage.network.parameters()])


def test_training_learns_and_reports(dataset):
    stage = training(dataset, epochs=3, images=1024)
    records = run(stage)
    assert records[-1]["train_loss"] < records[0]["train_loss"]
    result = stage.result()
    assert set(result) == {"test_accuracy", "params", "macs"}
    cost = describe(stage.architecture, channels=4, layers=3, classes=10, image=dataset.image, stem_stride=2)
    assert {key: result[key] for key in cost} == cost


@pytest.mark.parametrize("changes", [{}, {"augment": True, "cutout": 4}, {"drop_path": 0.5}])
def test_a_loaded_training_goes_on_bit_for_bit(dataset, changes):
    whole = training(dataset, epochs=3, **changes)
    expected = run(whole)
    first = training(dataset, epochs=3, **changes)
    run(first, 1)
    state = first.state_dict()
    resumed = training(dataset, epochs=3, **changes)
    resumed.load_state_dict(state)
    assert run(resumed, 2) == expected[1:]
    assert torch.equal(flat(resumed), flat(whole))


def test_seeds(dataset):
    one, same, other = training(dataset), training(dataset), training(dataset, seed=1)
    for stage in (one, same, other):
        run(stage)
    assert torch.equal(flat(one), flat(same))
    assert not torch.equal(flat(one), flat(other))


def test_the_learning_rate_falls_from_its_start_by_a_cosine_to_zero(dataset):
    rates = [record["lr"] for record in run(training(dataset, epochs=4, lr=0.1))]
    assert rates == pytest.approx([0.1 * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)])


def test_drop_path_starts_at_zero_and_rises_linearly(dataset, monkeypatch):
    stage = training(dataset, epochs=4, drop_path=0.2)
    seen = []
    forward = stage.network.forward

    def spy(images, drop_probability=0.0):
        if stage.network.training:
            seen.append(drop_probability)
        return forward(images, drop_probability)

    monkeypatch.setattr(stage.network, "forward", spy)
    run(stage)
    assert sorted(set(seen)) == pytest.approx([0.0, 0.05, 0.1, 0.15])


def test_optimiser_and_stream_are_built_by_the_numbers(dataset):
    numbers = {"lr": 0.07, "momentum": 0.8, "decay": 0.01, "augment": True, "cutout": 4}
    for nesterov in (True, False):
        stage = training(dataset, **numbers, nesterov=nesterov)
        (group,) = stage.optimizer.param_groups
        found = (group["lr"], group["momentum"], group["weight_decay"], group["nesterov"])
        assert found == (0.07, 0.8, 0.01, nesterov)
    assert (stage.batches.augment, stage.batches.cutout, stage.batches.batch) == (True, 4, 32)
    plain = training(dataset).batches
    assert (plain.augment, plain.cutout) == (False, 0)


def test_the_gradient_is_clipped(dataset):
    stage = training(dataset, epochs=1, clip=1e-3)
    run(stage)
    squares = sum(value.grad.double().square().sum() for value in stage.network.parameters())
    assert squares.sqrt().item() == pytest.approx(1e-3, rel=1e-3)


def test_the_weight_of_the_auxiliary_loss_is_the_number(dataset, monkeypatch):
    weights = []

    def spy(outputs, labels, weight):
        weights.append(weight)
        return torch.nn.functional.cross_entropy(outputs[0], labels)

    monkeypatch.setattr("nasbook.evaluation.training.loss_with_auxiliary", spy)
    run(training(dataset, epochs=1))
    assert set(weights) == {0.0}


def test_what_is_measured_where_and_in_which_mode(dataset):
    """Accuracy counted by hand in evaluation mode: the record's on validation images, the result's on test images."""
    stage = training(dataset)
    record = run(stage)[-1]
    by_hand = {}
    stage.network.eval()
    for kind in ("valid", "test"):
        images = getattr(dataset, kind)
        with torch.no_grad():
            logits = stage.network(dataset.normalisation(images.pixels))
        by_hand[kind] = 100 * (logits.argmax(1) == images.labels).double().mean().item()
    stage.network.train()
    assert by_hand["valid"] != by_hand["test"]
    assert record["valid_accuracy"] == pytest.approx(by_hand["valid"], abs=0.1)
    assert stage.result()["test_accuracy"] == pytest.approx(by_hand["test"], abs=0.1)
    assert stage.network.training


def test_measuring_changes_nothing(dataset):
    plain, measured = training(dataset), training(dataset)
    run(plain)
    run(measured, 1)
    assert measured.measure(dataset.test) == measured.measure(dataset.test)
    run(measured, 1)
    assert torch.equal(flat(plain), flat(measured))


def test_the_test_images_are_not_looked_at_while_training(dataset, monkeypatch):
    stage = training(dataset)
    looked = []
    measure = stage.measure
    monkeypatch.setattr(stage, "measure", lambda images: (looked.append(images), measure(images))[1])
    run(stage)
    assert all(images is dataset.valid for images in looked)


def test_divergence_stops_with_advice(dataset):
    with pytest.raises(DivergedError, match="smaller lr"):
        run(training(dataset, lr=1e8, clip=1e30, epochs=20))


@pytest.mark.parametrize(
    ("changes", "says"), [({"images": 16}, "fewer than one batch"), ({"images": 10**9}, "the data set has")]
)
def test_refusals(dataset, changes, says):
    with pytest.raises(UsageError, match=says):
        training(dataset, **changes)


def test_the_auxiliary_head_is_refused_for_small_images(dataset):
    with pytest.raises(UsageError, match="8x8"):
        run(training(dataset, auxiliary=0.4))
