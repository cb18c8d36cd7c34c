"""Convolutions on chosen edges, looked up without a browser."""

from itertools import product

import pytest

from nasbook import spaces
from nasbook.claims import Run
from nasbook.runtime.errors import UsageError
from nasbook.widgets.forced_convolutions import ForcedConvolutions, ForcedState, answer, compute

SPACE = spaces.get("s2", nodes=2, reduction="fixed")


def make_values(best_edge, heaviest):
    """A convolution is worth two points, and one more on one edge; alpha gives another edge the most weight."""
    accuracies = {
        text: 40.0 + 2 * text.count("1") + (text[best_edge] == "1") for text in map("".join, product("01", repeat=5))
    }
    strengths = []
    for edge, where in enumerate(SPACE.normal.rows):
        convolution = 0.3 + 0.1 * (edge == heaviest)
        strengths.append(
            {
                "group": "normal",
                "where": where,
                "operations": ["skip_connect", "sep_conv_3x3"],
                "weights": [1 - convolution, convolution],
            }
        )
    return {"assignments": accuracies, "magnitude": "00000", "pt": "11011", "pt_path": [], "strengths": strengths}


@pytest.fixture
def runs():
    return [Run(4, make_values(4, 1)), Run(5, make_values(2, 2))]


@pytest.fixture
def shown(runs):
    return ForcedConvolutions(runs)


def test_it_opens_with_what_alpha_chooses(shown):
    assert shown.state() == "seed=4 edges=00000"
    assert [control.value for control in shown._edges] == ["0"] * 5


def test_buttons_and_traits_follow_each_other(shown):
    shown._edges[4].value = "1"
    assert shown.edges == "00001"
    assert "43.0 %" in shown._shown.value
    shown.edges = "11000"
    assert [control.value for control in shown._edges] == ["1", "1", "0", "0", "0"]
    shown._seed.value = 5
    assert shown.state() == "seed=5 edges=11000"
    assert all(control.description and control.tooltip for control in (shown._seed, *shown._edges))


def test_the_selections_have_buttons(shown):
    by_alpha, by_perturbation = shown.children[1].children[1:]
    by_perturbation.click()
    assert shown.edges == "11011"
    by_alpha.click()
    assert shown.edges == "00000"


def test_a_choice_is_looked_up_and_ranked(runs):
    found = compute(runs[0].values, SPACE, ForcedState(4, "11110"))
    better = [
        text
        for text in runs[0].values["assignments"]
        if text.count("1") == 5 or (text.count("1") == 4 and text[4] == "1")
    ]
    assert (found.accuracy, found.rank, found.ways) == (48.0, 1 + len(better), 32)
    assert found.cell.count("sep_conv_3x3", "normal") == 4
    assert found.chosen == {"alpha": ("00000", 40.0), "perturbation": ("11011", 49.0)}
    assert "number 6 of 32" in found.sentence()


def test_the_task_has_an_answer(runs):
    apart, same = (answer(run.values, SPACE) for run in runs)
    assert (apart.worth_most, apart.largest_weight, apart.same) == ("2→3", "1→2", False)
    assert (same.worth_most, same.largest_weight, same.same) == ("0→3", "0→3", True)
    widget = ForcedConvolutions(runs, state="seed=5 edges=10000")
    assert widget.answer() == same


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("here", "A state reads like 'seed=4 edges=00000'"),
        ("seed=9 edges=00000", "no seed 9; there is 4, 5"),
        ("seed=4 edges=012", "one 0 or 1 for each"),
    ],
)
def test_a_state_that_is_not_there_is_refused_and_changes_nothing(shown, runs, text, message):
    with pytest.raises(UsageError, match=message):
        shown.restore(text)
    with pytest.raises(UsageError, match=message):
        ForcedConvolutions(runs, state=text)
    assert shown.state() == "seed=4 edges=00000"


def test_the_picture_has_the_cell_and_its_place_among_all(shown):
    shown.restore("seed=4 edges=00001")
    picture = shown.figure()
    assert "It holds skip 4× and sep 3×3 1×." in picture.alt
    assert "shown: 1 convolution, 43.0 %" in picture.alt
    assert shown.result().sentence() in picture.alt
