"""Paths of one supernet: which parameters they use, what training one leaves alone, and the stored populations."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from nasbook import spaces, strategies
from nasbook.analysis import weight_sharing
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.supernet import Supernet, one_hot

SMALL = {"images": 160, "batch": 16, "channels": 2, "layers": 3}


@pytest.fixture
def search():
    return weight_sharing.population(numbers=SMALL)


@pytest.fixture
def every(search):
    return list(strategies.architectures(search.space))


@pytest.mark.parametrize("reduction", ["fixed", "searched"])
@pytest.mark.parametrize("name", ["s1", "s3"])
def test_the_parameters_of_a_path_are_those_that_get_a_gradient(name, reduction):
    space = spaces.get(name, nodes=2, reduction=reduction)
    supernet = Supernet(space, channels=4, layers=5, classes=3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        genotype = space.sample(generator)
        supernet.zero_grad()
        logits = supernet(torch.randn(4, 3, 8, 8, generator=generator), one_hot(space, genotype))
        F.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
        with_gradient = {key: value.numel() for key, value in supernet.named_parameters() if value.grad is not None}
        assert weight_sharing.path_parameters(supernet, genotype) == with_gradient


def test_shares_of_known_pairs(search, every):
    supernet = search.supernet
    convolutions, skips = every[-1], every[0]
    same = weight_sharing.shares(supernet, convolutions, convolutions)
    assert same.a == same.b == same.shared > same.always
    apart = weight_sharing.shares(supernet, convolutions, skips)
    assert apart.b == apart.shared == apart.always  # a skip has no parameters at stride 1
    turned = weight_sharing.shares(supernet, skips, convolutions)
    assert (turned.a, turned.b, turned.shared) == (apart.b, apart.a, apart.shared)
    total = sum(value.numel() for value in supernet.parameters())
    used = set().union(*(weight_sharing.path_parameters(supernet, genotype) for genotype in every))
    assert sum(value.numel() for name, value in supernet.named_parameters() if name in used) == total


def test_training_a_path_moves_its_parameters_and_no_others(search, every):
    a, b = every[15], every[33]
    weight_sharing.train_paths(search, [b] * 2)  # momentum of B must not move it later
    before = {name: value.detach().clone() for name, value in search.supernet.named_parameters()}
    weight_sharing.train_paths(search, [a] * 3)
    used = weight_sharing.path_parameters(search.supernet, a)
    moved = {name for name, value in search.supernet.named_parameters() if not torch.equal(value, before[name])}
    assert moved == set(used)


def test_following_looks_where_it_says_and_trains_as_train_paths_does(search, every):
    course = weight_sharing.follow(search, [every[3], every[9]] * 3 + [every[3]], watch=every[:2], every=3)
    assert course.batches == (0, 3, 6, 7)
    assert [len(row) for row in course.accuracies] == [4, 4]
    assert all(0 <= value <= 100 for row in course.accuracies for value in row)
    again = weight_sharing.population(numbers=SMALL)
    weight_sharing.train_paths(again, [every[3], every[9]] * 3 + [every[3]])
    for left, right in zip(search.supernet.parameters(), again.supernet.parameters(), strict=True):
        assert torch.equal(left, right)
    with pytest.raises(UsageError, match="At least 1 batch"):
        weight_sharing.follow(search, every[:1], watch=every[:1], every=0)


def test_training_a_path_lowers_its_loss():
    search = weight_sharing.population(numbers={**SMALL, "batch": 40, "w_lr": 0.02})
    path = next(strategies.architectures(search.space))
    before = search.validate(one_hot(search.space, path))[0]
    weight_sharing.train_paths(search, [path] * 40)
    images, labels = next(search.weights_batches)
    with torch.no_grad():
        after = F.cross_entropy(search.logits(images, one_hot(search.space, path)), labels)
    assert after < before - 0.1


def test_growth_scores_every_architecture_at_its_marks(search):
    scores = weight_sharing.growth(search, marks=(0, 1))
    assert list(scores) == [0, 1]
    assert [len(values) for values in scores.values()] == [search.space.size()] * 2
    assert search.epoch == 1
    assert scores[0] != scores[1]


def test_a_record_is_continued_and_seeds_are_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(weight_sharing, "data_folder", lambda: tmp_path)
    path, told = tmp_path / "results" / "small.json", []
    settings = {"epochs": 1, "marks": (0, 1), "numbers": SMALL, "report": told.append}
    weight_sharing.record(path, seeds=1, **settings)
    first = files.read_json(path)
    both = weight_sharing.record(path, seeds=2, command="make it", **settings)
    assert len(told) == 2
    assert both["runs"][0] == first["runs"][0]
    assert both["runs"][0]["accuracies"] != both["runs"][1]["accuracies"]
    assert both["manifest"]["seeds"] == [0, 1]
    assert both["manifest"]["command"] == "make it"
    read = weight_sharing.recorded("small")
    assert read.marks == (0, 1)
    assert read.genotypes == tuple(strategies.architectures(weight_sharing.population(numbers=SMALL).space))
    assert list(read.accuracies[1][1]) == both["runs"][1]["accuracies"][1]
    with pytest.raises(UsageError, match="marks differs"):
        weight_sharing.record(path, seeds=3, **{**settings, "marks": (1,)})
    with pytest.raises(UsageError, match="At least 1 seed"):
        weight_sharing.record(path, seeds=0, **settings)


def test_what_is_stored_is_what_the_command_makes_now():
    read = weight_sharing.recorded()
    assert read.manifest["command"].startswith("python -m nasbook.analysis.weight_sharing --seeds")
    assert len(read.accuracies) == len(read.manifest["seeds"]) >= 3
    assert read.marks == weight_sharing.MARKS
    search = weight_sharing.population(seed=1)
    assert read.genotypes == tuple(strategies.architectures(search.space))
    assert {len(scores) for run in read.accuracies for scores in run} == {48}
    untrained = weight_sharing.shared_weight_accuracies(search, read.genotypes[:3])
    assert untrained == pytest.approx(list(read.accuracies[1][0][:3]), abs=0.5)


def test_a_population_takes_numbers():
    changed = weight_sharing.population(epochs=7, numbers={"w_lr": 0.1}).numbers
    usual = weight_sharing.population().numbers
    assert replace(changed, epochs=usual.epochs, w_lr=usual.w_lr) == usual
