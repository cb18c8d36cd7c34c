"""Decisions by hand: the same numbers as the selection by perturbation, and every one can be taken back."""

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.selection import PerturbationSelection, magnitude
from nasbook.selection.by_hand import SelectionByHand

NUMBERS = {"epochs": 1, "images": 128, "batch": 16, "channels": 2, "layers": 3, "tuning_steps": 2, "running": True}


def search(seed=0):
    numbers = sizes.override(sizes.get("class").of("darts", "darts").search, NUMBERS)
    space = spaces.get("s2", nodes=2, reduction="fixed")
    made = Search(
        space,
        datasets.load("street_numbers"),
        recipe=recipes.get("darts"),
        numbers=numbers,
        derive=magnitude,
        seed=seed,
    )
    made.run_epoch(lambda step, steps: None)
    return made


@pytest.fixture(scope="module")
def automatic():
    """What the selection by perturbation decides, and its cell."""
    selection = PerturbationSelection(search())
    records = [selection.run_epoch(lambda step, steps: None) for _ in range(selection.epochs)]
    return [made for record in records for made in record["decisions"]], selection.architecture()


def test_what_perturbation_keeps_gives_what_perturbation_gives(automatic):
    hand = SelectionByHand(search())
    while (coming := hand.next()) is not None:
        names = [tuple(coming["options"][each] for each in kept) for kept in hand.options(len(hand.picks))]
        hand.go_to((*hand.picks, names.index(tuple(coming["by_perturbation"]))))
    made, cell = automatic
    for mine, recorded in zip(hand.made, made, strict=True):
        for key in ("kind", "where", "options", "weights", "losses", "accuracies", "before", "after"):
            assert mine[key] == recorded[key]
        assert sorted(mine["kept"]) == sorted(recorded["kept"])
        assert mine["after_by_perturbation"] == pytest.approx(mine["after"])
    assert hand.architecture() == cell


def test_a_decision_taken_back_restores_everything():
    hand = SelectionByHand(search(), images=32)
    assert len(hand.search.alpha_half) == 32
    first = dict(hand.next())
    weights = {name: value.clone() for name, value in hand.search.supernet.state_dict().items()}
    hand.go_to((0, 1, 0))
    again = [dict(each) for each in hand.made]
    assert any(not torch.equal(value, weights[name]) for name, value in hand.search.supernet.state_dict().items())
    hand.go_to(())
    assert hand.made == []
    assert hand.next() == first
    assert all(torch.equal(value, weights[name]) for name, value in hand.search.supernet.state_dict().items())
    hand.go_to((0, 0))
    hand.go_to((0, 1, 0))
    assert hand.made == again


def test_a_decision_says_what_the_others_would_have_cost():
    hand = SelectionByHand(search(), images=32, tuning_steps=0)
    coming = hand.next()
    first = coming["options"].index(coming["by_weight"][0])
    for pick in (0, 1):
        hand.go_to((pick,))
        (made,) = hand.made
        assert made["kept"] == [coming["options"][pick]]
        if pick == first:
            assert made["after_by_weight"] == pytest.approx(made["after"])
        if made["kept"] == made["by_perturbation"]:
            assert made["after_by_perturbation"] == pytest.approx(made["after"])


def test_nodes_choose_their_edges_last_and_alpha_has_no_say():
    hand = SelectionByHand(search(), images=32, tuning_steps=0)
    count = len(hand.choices)
    hand.go_to((0,) * (count - 1))
    coming = hand.next()
    assert (coming["kind"], coming["by_weight"], len(coming["by_perturbation"])) == ("edges", None, 2)
    assert hand.options(count - 1) == [(0, 1), (0, 2), (1, 2)]
    hand.go_to((0,) * count)
    assert hand.next() is None
    assert hand.made[-1]["kept"] == ["0→3", "1→3"]
    assert hand.made[-1]["after_by_weight"] is None
    assert [source for _, source in hand.architecture().normal] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("picks", "message"),
    [((0,) * 7, "There are 6 decisions"), ((2,), "keeps one of 2"), ((0, -1), "keeps one of 2")],
)
def test_picks_that_there_are_not_are_refused(picks, message):
    hand = SelectionByHand(search(), images=32, tuning_steps=0)
    hand.go_to((1,))
    with pytest.raises(UsageError, match=message):
        hand.go_to(picks)
    assert hand.picks == (1,)
