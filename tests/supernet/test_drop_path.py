"""Drop path: what is left out and how often, in the supernet and over a search."""

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.runtime.random import RandomStream
from nasbook.search import Search, recipes
from nasbook.selection import magnitude
from nasbook.spaces.operations import Normalising
from nasbook.supernet import EdgeSettings, MixedEdge, Supernet, one_hot
from nasbook.supernet.drop_path import drop_path

ALMOST = 1 - 1e-9  # what may be dropped is


def test_whole_images_are_zeroed_and_the_mean_stays():
    images = torch.rand(4000, 2, 3, 3, dtype=torch.float64) + 1
    with RandomStream(0).scope():
        dropped = drop_path(images, 0.25)
    kept = dropped.flatten(1).any(1)
    torch.testing.assert_close(dropped[kept], images[kept] / 0.75)
    assert not dropped[~kept].any()
    deviation = (0.25 * 0.75 / 4000) ** 0.5
    assert abs(kept.double().mean().item() - 0.75) < 4 * deviation
    assert dropped.mean().item() == pytest.approx(images.mean().item(), rel=4 * deviation / 0.75)


def edge(name, stride=1):
    return MixedEdge((name,), 4, stride, Normalising(affine=False, running=False))


@pytest.mark.parametrize("partial", [1, 2])
def test_a_mixed_edge_is_dropped_as_a_whole_with_one_mask_per_image(partial):
    """The rule of RobustDARTS (src/search/model_search.py: Cell.forward) and of SNAS: the skip is dropped too."""
    names, weights = ("skip_connect", "sep_conv_3x3", "max_pool_3x3"), torch.tensor([0.5, 0.3, 0.2])
    settings = EdgeSettings(partial)
    both = MixedEdge(names, 4, 1, Normalising(affine=False, running=False), settings=settings)
    images = torch.randn(4000, 4, 4, 4)
    with RandomStream(0).scope(), torch.no_grad():
        whole, mixed = both(images, weights), both(images, weights, None, 0.4)
    dropped = ~mixed.flatten(1).any(1)
    torch.testing.assert_close(mixed[~dropped], whole[~dropped] / 0.6)
    assert abs(dropped.double().mean().item() - 0.4) < 4 * (0.4 * 0.6 / 4000) ** 0.5


@pytest.mark.parametrize(
    ("name", "stride"), [("skip_connect", 1), ("skip_connect", 2), ("sep_conv_3x3", 1), ("noise", 1)]
)
def test_every_operation_is_dropped(name, stride):
    images = torch.randn(8, 4, 6, 6)
    assert not edge(name, stride)(images, torch.tensor([0.5]), None, ALMOST).any()
    assert edge(name, stride)(images, torch.tensor([0.5]), None, 0.0).any()


def test_an_edge_on_which_nothing_runs_has_nothing_to_drop():
    assert edge("none")(torch.randn(8, 4, 6, 6), torch.tensor([1.0]), None, 0.4) is None


def test_a_supernet_drops_in_training_only():
    space = spaces.get("s2", nodes=2, reduction="fixed")
    supernet = Supernet(space, channels=4, layers=3, classes=10, stem_stride=2)
    mixing = one_hot(space, space.genotype({"normal": (("sep_conv_3x3", 0), ("sep_conv_3x3", 1)) * 2}))
    images = torch.randn(8, 3, 16, 16)
    with torch.no_grad():
        whole = supernet(images, mixing)
        assert torch.equal(supernet(images, mixing, ALMOST), supernet.classifier.bias.expand(8, 10))
        assert not torch.equal(whole, supernet.classifier.bias.expand(8, 10))
        supernet.eval()
        assert torch.equal(supernet(images, mixing, ALMOST), whole)  # no running statistics: the modes agree


@pytest.mark.parametrize("drop_path", [0.0, 0.4])
def test_a_search_raises_the_probability_linearly_and_measures_without(drop_path):
    changes = {"epochs": 4, "images": 64, "batch": 32, "channels": 2, "layers": 3, "drop_path": drop_path}
    search = Search(
        spaces.get("s2", nodes=2, reduction="fixed"),
        datasets.load("street_numbers"),
        recipe=recipes.get("darts"),
        numbers=sizes.override(sizes.get("class").search, changes),
        derive=magnitude,
    )
    seen = []
    search.supernet.register_forward_pre_hook(lambda module, inputs: seen.append((module.training, inputs[2])))
    found = []
    for _ in range(4):
        search.run_epoch(lambda step, steps: None)
        found.append(sorted({round(each, 12) for training, each in seen if training}))
        assert {each for training, each in seen if not training} == {0.0}
        seen.clear()
    assert found == [[pytest.approx(drop_path * epoch / 4)] for epoch in range(4)]
    search.validate(batch_statistics=True)
    assert set(seen) == {(True, 0.0)}
