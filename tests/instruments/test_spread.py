"""What is still open in a search: draws have the distribution that they should, and their accuracies are right."""

import math
from collections import Counter

import pytest
import torch

from nasbook.instruments import accuracies, drawn_cell, named, spread
from nasbook.runtime.errors import UsageError
from nasbook.supernet import one_hot


def test_accuracies_count_right_answers_on_the_same_images(make_search):
    """On the whole half they are what validation by batch statistics finds, whose batches hold four times 32 images."""
    search = make_search(images=256)
    search.run_epoch(lambda step, steps: None)
    cell = one_hot(search.space, search.space.sample(torch.Generator().manual_seed(0)))
    found = accuracies(search, [search.mixing(), cell], images=128)
    assert found == tuple(search.validate(each, batch_statistics=True)[1] for each in (search.mixing(), cell))
    assert len(set(found)) == 2


def test_a_search_without_chance_has_one_mixture_and_many_cells(make_search):
    search = make_search("darts")
    found = spread(search, samples=6, images=64)
    assert len(found.mixtures) == len(found.cells) == 6
    assert len(set(found.mixtures)) == 1
    assert len(set(found.cells)) > 1
    weights = search.relaxation.expected(search.alpha, 0.0)["normal"].detach()
    assert found.entropy == pytest.approx(-(weights * weights.log()).sum(1).mean().item())
    assert found.entropy <= math.log(2)
    assert spread(search, samples=6, images=64) == found
    assert spread(search, samples=6, images=64, seed=1) != found


def test_a_random_relaxation_has_many_mixtures_until_it_has_decided(make_search):
    search = make_search("drnas", space="nas-bench-201", nodes=None, layers=5, alpha_scale=1e-3)
    found = spread(search, images=64)
    assert len(set(found.mixtures)) > 1
    assert len(set(found.cells)) > 1
    assert found.entropy == pytest.approx(math.log(5), abs=1e-3)
    with torch.no_grad():
        search.alpha["normal"].fill_(-30.0)[:, 1] = 1000.0
    decided = spread(search, images=64)
    assert len(set(decided.mixtures)) == len(set(decided.cells)) == 1
    assert decided.entropy < 1e-6


def test_operations_are_drawn_as_often_as_they_weigh(make_search):
    search = make_search(space="nas-bench-201", nodes=None, layers=5)
    chances = torch.tensor([0.5, 0.05, 0.25, 0.2, 0.0], dtype=torch.float64)
    weights = {"normal": chances.expand(6, -1)}
    generator = torch.Generator().manual_seed(0)
    draws = 500
    counts = Counter(name for _ in range(draws) for name in drawn_cell(search, weights, generator).operations)
    names = search.space.groups["normal"].operations[0]
    for name, chance in zip(names, chances.tolist(), strict=True):
        error = math.sqrt(chance * (1 - chance) / (6 * draws))
        assert counts[name] / (6 * draws) == pytest.approx(chance, abs=4 * error)


def test_the_record_holds_the_spread(make_search):
    search = make_search("drnas", space="s3")
    found = spread(search, images=64)
    assert named(["spread"])["spread"](search) == {
        "mean_entropy": found.entropy,
        "mixture_accuracies": list(found.mixtures),
        "cell_accuracies": list(found.cells),
    }


def test_no_more_images_than_there_are(make_search):
    with pytest.raises(UsageError, match="cannot be drawn"):
        spread(make_search(), images=10_000)
