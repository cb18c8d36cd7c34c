from dataclasses import replace

import pytest
import torch
from torch import nn

from nasbook import datasets, sizes, spaces
from nasbook.analysis import cost
from nasbook.analysis.method_cost import most_saved_mib, of_methods
from nasbook.runtime.errors import UsageError
from nasbook.supernet import Supernet, uniform

SMALL = replace(sizes.get("class").search, batch=8, images=64, layers=3, channels=4)


@pytest.fixture(scope="module")
def space():
    return spaces.get("s2", nodes=2, reduction="fixed")


@pytest.fixture(scope="module")
def costs(space):
    methods = ("darts", "darts-2nd", "rsps")
    found = of_methods(methods, space, datasets.load("street_numbers"), numbers=SMALL, repeats=1)
    assert [each.method for each in found] == list(methods)
    return {each.method: each for each in found}


def test_two_passes_one_after_the_other_hold_no_more_than_one():
    """A graph is let go of at its backward pass; two graphs at once hold twice as much."""
    network = nn.Sequential(nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 128))
    images = torch.randn(1024, 256)
    of_one = (1024 * 256 + 1024 * 512) * 4 / 2**20  # input of the first layer, and output of the ReLU

    def in_turns():
        for _ in range(3):
            network(images).sum().backward()

    def at_once():
        first, second = network(images), network(images)
        (first.sum() + second.sum()).backward()

    assert most_saved_mib(in_turns, network.parameters()) == pytest.approx(of_one)
    assert most_saved_mib(at_once, network.parameters()) == pytest.approx((1024 * 256 + 2 * 1024 * 512) * 4 / 2**20)


def test_the_count_of_a_pass_is_that_of_the_other_instrument(space):
    supernet = Supernet(space, channels=4, layers=3, classes=10)
    images, mixing = torch.randn(4, 3, 16, 16), uniform(space)
    expected = cost.saved_mib(lambda: supernet(images, mixing), supernet.parameters())
    most = most_saved_mib(lambda: supernet(images, mixing).sum().backward(), supernet.parameters())
    assert most == pytest.approx(expected, rel=1e-3)


def test_a_sampled_path_holds_less_than_all_operations(costs):
    assert 0 < costs["rsps"].saved_mib < costs["darts"].saved_mib


def test_first_order_holds_one_pass_at_a_time(costs, space):
    """Its outer and its inner step each run the whole supernet, one after the other."""
    supernet = Supernet(space, channels=4, layers=3, classes=10, stem_stride=2)
    images = torch.randn(8, 3, 16, 16)
    one = cost.saved_mib(lambda: supernet(images, uniform(space)), supernet.parameters())
    assert costs["darts"].saved_mib == pytest.approx(one, rel=0.1)


def test_seconds_are_measured_and_no_accelerator_is_made_up(costs):
    assert all(each.seconds > 0 and each.device_mib is None for each in costs.values())


def test_what_cannot_be_measured_is_refused(space):
    data = datasets.load("street_numbers")
    with pytest.raises(UsageError, match="at least one method"):
        of_methods((), space, data, numbers=SMALL)
    with pytest.raises(UsageError, match="does not run here"):
        of_methods(("enas",), space, data, numbers=SMALL)
