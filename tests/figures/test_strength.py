"""Pictures of strength show the numbers that they are given, and say them."""

from itertools import product

import numpy as np
import pytest

from nasbook import spaces
from nasbook.analysis.strength import Strength
from nasbook.figures import strength
from nasbook.runtime.errors import UsageError

SPACE = spaces.get("s2", nodes=2, reduction="fixed")
NAMES = ("max_pool_3x3", "skip_connect", "sep_conv_3x3")
# By weight: skip, sep, max. Once alone: sep, max, skip. The supernet misses sep most.
EDGE = Strength(
    "normal", "0→2", NAMES, (0.2, 0.5, 0.3), (44.0, 43.0, 40.0), (47.0, 44.0, 50.0), ((46, 44, 51), (48, 44, 49))
)
OTHER = Strength("reduce", "1→2", NAMES, (0.5, 0.2, 0.3), (40.0, 44.0, 43.0), (50.0, 44.0, 47.0), ((50, 44, 47),))


@pytest.fixture
def found():
    """A convolution is worth two points, and one more on the last edge."""
    ways = ["".join(each) for each in product("01", repeat=5)]
    path = [
        {"where": where, "convolution": where != "0→3", "accuracy": 40.0 + k}
        for k, where in enumerate(SPACE.normal.rows)
    ]
    accuracies = {each: 40.0 + 2 * each.count("1") + (each[4] == "1") for each in ways}
    return {"assignments": accuracies, "magnitude": "01000", "pt": "11011", "pt_path": path}


def heights(ax):
    return [patch.get_height() for patch in ax.patches]


def test_bars_are_weights_above_and_accuracies_below():
    picture = strength.bars([EDGE, OTHER])
    above, beside, below, last = picture.axes
    assert heights(above) == list(EDGE.weights)
    assert heights(beside) == list(OTHER.weights)
    assert heights(below) == list(EDGE.tuned)
    assert heights(last) == list(OTHER.tuned)
    assert [line.get_ydata().tolist() for line in below.lines] == [[46, 44, 51], [48, 44, 49]]
    for ax, thick in ((above, 1), (below, 1), (last, 0)):  # the operation of the largest weight is outlined
        widths = [patch.get_linewidth() for patch in ax.patches]
        assert widths.index(max(widths)) == thick
    (star,) = [text for text in below.texts if text.get_text() == "★"]
    assert star.xy == (2, 51)
    assert [label.get_text() for label in below.get_xticklabels()] == ["max 3×3", "skip", "sep 3×3"]
    assert above.get_title() == "edge 0→2"
    assert beside.get_title() == "edge 1→2, reduce"
    low, high = below.get_ylim()
    assert low < 44
    assert high > 51
    assert "by weight skip, sep 3×3 and max 3×3, from 0.50 to 0.20" in picture.alt
    assert "sep 3×3 is most accurate with 50.0 % and skip least with 44.0 %; rank correlation -0.50" in picture.alt


@pytest.mark.parametrize("count", [0, 5])
def test_bars_are_of_one_to_four_edges(count):
    with pytest.raises(UsageError, match=f"not of {count}"):
        strength.bars([EDGE] * count)


def test_agreement_draws_each_operation_less_the_mean_of_its_edge():
    picture = strength.agreement([EDGE, OTHER])
    left, right = picture.axes
    lines = {line.get_label(): line for line in left.lines}
    np.testing.assert_allclose(lines["skip"].get_xdata(), [0.5, 0.2])
    np.testing.assert_allclose(lines["skip"].get_ydata(), [44 - 47, 44 - 47])
    missed = {line.get_label(): line for line in right.lines}
    mean = (44 + 43 + 40) / 3
    np.testing.assert_allclose(missed["sep 3×3"].get_xdata(), [mean - 40, mean - 43])
    assert left.get_title() == "mean rank correlation within an edge +0.25"  # -0.5 and 1
    assert right.get_title() == "mean rank correlation within an edge +0.75"  # 0.5 and 1
    assert "2 edges" in picture.alt
    with pytest.raises(UsageError, match="no edge"):
        strength.agreement([])


def test_forced_convolutions_are_all_drawn_and_the_chosen_ones_ringed(found):
    picture = strength.forced(found)
    left, right = picture.axes
    lines = {line.get_label(): line for line in left.lines}
    np.testing.assert_allclose(lines["mean over all ways"].get_ydata(), [40 + 2.2 * k for k in range(6)])
    assert (lines["chosen by weight"].get_xdata(), lines["chosen by weight"].get_ydata()) == ([1], [42.0])
    assert (lines["chosen by perturbation"].get_xdata(), lines["chosen by perturbation"].get_ydata()) == ([4], [49.0])
    assert sum(len(line.get_xdata()) == 32 for line in left.lines) == 1
    kept = {line.get_label(): line for line in right.lines}
    np.testing.assert_array_equal(kept["the other kept"].get_xdata(), [3])
    np.testing.assert_array_equal(kept["convolution kept"].get_ydata(), [40, 41, 43, 44])
    assert [label.get_text() for label in right.get_xticklabels()] == list(SPACE.normal.rows)
    assert "rises from 40.0 to 51.0 % from none to all" in picture.alt
    assert "chosen by weight: 1 convolution, 42.0 %" in picture.alt
    assert "4 of 5 for a convolution, the supernet's accuracy rises from 40.0 to 44.0 %" in picture.alt


def test_one_more_can_be_ringed(found):
    picture = strength.assignments(found, at="00001")
    (line,) = [line for line in picture.axes[0].lines if line.get_label() == "shown"]
    assert (line.get_xdata(), line.get_ydata()) == ([1], [43.0])
    assert "shown: 1 convolution, 43.0 %" in picture.alt


def test_chosen_cells_stand_side_by_side():
    picture = strength.chosen(SPACE, {"by weight": "00000", "by perturbation": "11011"})
    assert [ax.get_title() for ax in picture.axes] == ["by weight", "by perturbation"]
    assert "By weight: The normal cell" in picture.alt
    assert "It holds skip 5×." in picture.alt
    assert "It holds sep 3×3 4× and skip 1×." in picture.alt


@pytest.mark.parametrize("text", ["0110", "01102", ""])
def test_a_choice_has_one_sign_an_edge(text):
    with pytest.raises(UsageError, match="one 0 or 1 for each of the 5 edges"):
        strength.assignment(SPACE, text)
