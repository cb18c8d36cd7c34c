"""One level or two: what each search is trained on."""

from dataclasses import replace

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.analysis.levels import Level, search_level
from nasbook.runtime.errors import UsageError

SPACE = spaces.get("s2", nodes=1, reduction="fixed")


@pytest.fixture(scope="module")
def data():
    return datasets.load("street_numbers")


def numbers(**changes):
    small = {"images": 64, "epochs": 1, "batch": 16, "channels": 4, "layers": 3, "alpha_lr": 0.05}
    return sizes.override(sizes.get("class").search, {**small, **changes})


def test_only_the_bilevel_search_hears_the_other_half(data):
    """Other labels on alpha's half change the bilevel search and leave the single-level one bit for bit."""
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))
    other = data.train.labels.clone()
    other[order[32:64]] = (other[order[32:64]] + 1) % 10
    changed = replace(data, train=replace(data.train, labels=other))
    for single, same in ((True, True), (False, False)):
        before, after = (search_level(SPACE, each, numbers(), single=single) for each in (data, changed))
        assert torch.equal(before.weights, after.weights) == same


def test_single_level_memorises_sooner(data):
    fit = numbers(images=192, epochs=14, batch=32, channels=8, layers=3)
    space = spaces.get("s2", nodes=2, reduction="fixed")
    bilevel, single = (search_level(space, data, fit, single=single, seed=1) for single in (False, True))
    assert single.train_loss < bilevel.train_loss
    assert single.decided < bilevel.decided


def test_how_decided_the_weights_are():
    weights = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    assert Level(0.0, 0.0, 0.0, weights).decided == 0.25


def test_validation_images_are_needed(data):
    with pytest.raises(UsageError, match="no validation images"):
        search_level(SPACE, replace(data, valid=None), numbers(), single=True)
