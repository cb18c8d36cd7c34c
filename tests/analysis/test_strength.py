"""The strength of operations, and convolutions forced into a supernet, on tiny searches."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.analysis import forcing, strength
from nasbook.analysis.strength import Strength
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.selection import PerturbationSelection, magnitude
from nasbook.supernet import Mixing

NUMBERS = {
    "epochs": 1,
    "images": 160,
    "batch": 32,
    "channels": 4,
    "layers": 3,
    "tuning_steps": 2,
    "precision": "float64",
}


def trained(space: str = "s2", **changes: Any) -> Search:
    numbers = sizes.override(sizes.get("class").of(spaces.family(space), "darts").search, {**NUMBERS, **changes})
    search = Search(
        spaces.get(space, nodes=numbers.nodes, reduction=numbers.reduction),
        datasets.load("street_numbers"),
        recipe=recipes.get("darts"),
        numbers=numbers,
        derive=magnitude,
        seed=3,
    )
    search.run_epoch(lambda step, steps: None)
    return search


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return bool(one == other)


@pytest.fixture(scope="module")
def search() -> Search:
    return trained()


def test_without_tuning_an_edge_is_simply_one_hot():
    search = trained(tuning_steps=0)
    weights = strength.expected(search)["normal"]
    weights[1] = torch.tensor([0.0, 1.0])
    right = search.validate(Mixing({"normal": weights}), batch_statistics=True)[1]
    assert strength.tuned_accuracy(search, {"normal": {1: (1,)}}) == right
    assert right != search.validate(batch_statistics=True)[1]  # the edge does matter


def test_a_measurement_leaves_nothing_behind_in_the_search(search):
    before = {**search.state_dict()}
    before["supernet"] = {name: value.clone() for name, value in before["supernet"].items()}
    before["alpha"] = {name: value.clone() for name, value in before["alpha"].items()}
    first = strength.strength(search, "normal", 0, repeats=2)
    assert same(search.state_dict(), before)
    assert strength.strength(search, "normal", 0, repeats=2) == first


def test_a_branch_goes_on_as_selection_by_perturbation_would(search):
    numbers = search.numbers
    copied = strength.branch(search, {}, learns=True)
    copied.train(numbers.tuning_steps, lambda step, steps: None)
    by_hand = trained()
    by_hand.w_optimizer = torch.optim.SGD(
        by_hand.supernet.parameters(), numbers.tuning_lr, numbers.w_momentum, weight_decay=numbers.w_decay
    )
    by_hand.train(numbers.tuning_steps, lambda step, steps: None)
    assert same(copied.state_dict()["supernet"], by_hand.state_dict()["supernet"])
    assert same(copied.state_dict()["alpha"], by_hand.state_dict()["alpha"])


def test_alpha_stays_while_an_edge_is_measured_and_another_repeat_sees_other_batches(search):
    decided = {"normal": {0: (1,)}}
    found = []
    for repeat in (0, 1, 1):
        copied = strength.branch(search, decided, repeat=repeat)
        copied.train(2, lambda step, steps: None)
        assert same(copied.state_dict()["alpha"], search.state_dict()["alpha"])
        found.append(copied.state_dict()["supernet"])
    assert same(found[1], found[2])
    assert not same(found[0], found[1])


def test_the_numbers_of_an_edge_are_those_of_the_search(search):
    found = strength.strength(search, "normal", 2, repeats=2)
    assert (found.where, found.operations) == ("0→3", ("skip_connect", "sep_conv_3x3"))
    assert found.weights == pytest.approx(strength.expected(search)["normal"][2].tolist())
    weights = strength.expected(search)["normal"]
    weights[2, 0] = 0.0
    assert found.without[0] == search.validate(Mixing({"normal": weights}), batch_statistics=True)[1]
    assert found.tuned == tuple((one + other) / 2 for one, other in zip(*found.repeats, strict=True))
    assert found.repeats[1][1] == strength.tuned_accuracy(search, {"normal": {2: (1,)}}, repeat=1)


def test_orders_are_compared_by_rank_and_of_equals_the_earlier_is_first():
    found = Strength(
        "normal", "0→2", ("a", "b", "c"), (0.2, 0.5, 0.3), (40.0, 42.0, 41.0), (50.0, 44.0, 47.0), ((), ())
    )
    assert found.correlation(found.weights) == pytest.approx(-1.0)  # 1 - 6 * (4 + 4 + 0) / 24
    assert found.correlation(found.missed) == pytest.approx(1.0)
    assert (found.regret(found.weights), found.regret(found.missed)) == (6.0, 0.0)
    assert (found.picks_best(found.weights), found.picks_best(found.missed)) == (False, True)
    assert found.correlation((0.3, 0.3, 0.3)) == 0.0
    assert found.picks_best((0.3, 0.3, 0.3))


def test_two_repeats_are_compared_with_each_other(search):
    found = Strength("normal", "0→2", ("a", "b", "c"), (), (), (), ((1.0, 2.0, 3.0), (1.0, 3.0, 2.0)))
    assert found.repeatable == pytest.approx(0.5)
    with pytest.raises(UsageError, match="takes two repeats"):
        strength.strength(search, "normal", 0).repeatable  # noqa: B018


def test_edges_are_drawn_by_the_seed():
    space = spaces.get("darts7", nodes=2)
    drawn = {tuple(strength.random_edges(space, 3, seed=seed)) for seed in range(20)}
    assert len(drawn) > 10
    assert all(len(set(edges)) == 3 for edges in drawn)
    assert strength.random_edges(space, 3, seed=1) == strength.random_edges(space, 3, seed=1)
    assert strength.random_edges(space, None, seed=1) == [
        (name, row) for name in ("normal", "reduce") for row in range(5)
    ]
    with pytest.raises(UsageError, match="1 to 10 can be drawn, not 11"):
        strength.random_edges(space, 11, seed=0)


def test_an_edge_that_is_not_there_is_refused(search):
    with pytest.raises(UsageError, match=r"no edge 5 in 'normal': the space has normal \(edges 0 to 4\)"):
        strength.strength(search, "normal", 5)


def test_forcing_tries_every_assignment_once():
    search = trained(tuning_steps=0)
    found = forcing.forced(search)
    assert len(found) == 2**5
    for ways in ((False,) * 5, (True, False, True, True, False)):
        one_hot = torch.tensor([[0.0, 1.0] if held else [1.0, 0.0] for held in ways], dtype=torch.float64)
        right = search.validate(Mixing({"normal": one_hot}).without_zeros(), batch_statistics=True)[1]
        assert found[ways] == right


def test_the_convolution_is_forced_wherever_it_stands_in_the_list():
    assert forcing.convolution_columns(spaces.get("s4", nodes=2, reduction="fixed")) == [1] * 5
    assert forcing.assigned([1, 0, 1], (True, True, False)) == {0: (1,), 1: (0,), 2: (0,)}
    for name, nodes, words in (("s3", 2, "not in s3"), ("s2", 4, "at most 8 edges, not of 14")):
        with pytest.raises(UsageError, match=words):
            forcing.convolution_columns(spaces.get(name, nodes=nodes))


def test_both_selections_say_what_each_edge_would_hold(search):
    weights = strength.expected(search)["normal"]
    assert forcing.by_weight(search) == tuple((weights[:, 1] > weights[:, 0]).tolist())
    before = search.state_dict()["alpha"]["normal"].clone()
    ways, path = forcing.by_perturbation(search)
    stage = PerturbationSelection(strength.branch(search, {}, learns=True))
    records = [stage.run_epoch(lambda step, steps: None) for _ in range(5)]
    assert [each["accuracy"] for each in path] == [record["valid_accuracy"] for record in records]
    assert dict(zip(search.space.groups["normal"].rows, ways, strict=True)) == {
        each["where"]: each["convolution"] for each in path
    }
    assert torch.equal(search.state_dict()["alpha"]["normal"], before)
    assert all(math.isfinite(each["accuracy"]) for each in path)
