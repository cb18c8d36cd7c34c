"""Pictures of methods show the accuracies that they are given, and name the gap between them."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from nasbook.figures import methods
from nasbook.runtime.errors import UsageError


def history(supernet, cell):
    pairs = enumerate(zip(supernet, cell, strict=True), start=1)
    return [{"epoch": epoch, "valid_accuracy": one, "derived_accuracy": other} for epoch, (one, other) in pairs]


HISTORIES = {"DARTS": history([20, 50, 60], [15, 25, 20]), "GDAS": history([10, 30], [12, 30])}
RUNS = [
    {"darts_supernet": 60.0, "darts_one_hot": 20.0, "gdas_supernet": 50.0, "gdas_one_hot": 49.0},
    {"darts_supernet": 70.0, "darts_one_hot": 10.0, "gdas_supernet": 56.0, "gdas_one_hot": 53.0},
]


def test_each_search_has_a_panel_with_both_courses():
    picture = methods.over_epochs(HISTORIES)
    assert [ax.get_title() for ax in picture.axes] == ["DARTS", "GDAS"]
    for ax, given in zip(picture.axes, HISTORIES.values(), strict=True):
        supernet, cell = ax.lines
        np.testing.assert_array_equal(supernet.get_xdata(), [record["epoch"] for record in given])
        np.testing.assert_array_equal(supernet.get_ydata(), [record["valid_accuracy"] for record in given])
        np.testing.assert_array_equal(cell.get_ydata(), [record["derived_accuracy"] for record in given])
        assert to_hex(supernet.get_color()) != to_hex(cell.get_color())
        assert supernet.get_linestyle() != cell.get_linestyle()
    assert len({ax.get_ylim() for ax in picture.axes}) == 1  # panels can be compared
    assert "DARTS: the supernet's rises from 20 to 60 %, the derived cell's rises from 15 to 20 %." in picture.alt
    assert "GDAS: the supernet's rises from 10 to 30 %" in picture.alt


@pytest.mark.parametrize("given", [{}, {"DARTS": []}])
def test_without_an_epoch_there_is_nothing_to_draw(given):
    with pytest.raises(UsageError, match="no search with a finished epoch"):
        methods.over_epochs(given)


def test_a_search_without_the_instrument_is_refused():
    with pytest.raises(UsageError, match="derived-accuracy"):
        methods.over_epochs({"DARTS": [{"epoch": 1, "valid_accuracy": 10.0}]})


def test_bars_are_means_and_points_are_runs():
    picture = methods.gaps(RUNS, ["darts", "gdas"])
    (ax,) = picture.axes
    supernet, cell = ax.containers
    assert [bar.get_height() for bar in supernet] == [65.0, 53.0]
    assert [bar.get_height() for bar in cell] == [15.0, 51.0]
    assert sorted(tuple(line.get_ydata()) for line in ax.lines) == [(10, 53), (20, 49), (60, 50), (70, 56)]
    for line in ax.lines:  # each point stands over its bar
        bars = supernet if line.get_ydata()[0] > 30 else cell
        for x, bar in zip(line.get_xdata(), bars, strict=True):
            assert bar.get_x() < x < bar.get_x() + bar.get_width()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["darts", "gdas"]
    assert "means of 2 runs: darts 65 and 15 and gdas 53 and 51" in picture.alt
    assert "largest for darts, 50 points, and smallest for gdas, 2" in picture.alt


def test_the_order_is_the_readers():
    (ax,) = methods.gaps(RUNS[:1], ["gdas", "darts"]).axes
    assert [bar.get_height() for bar in ax.containers[0]] == [50.0, 60.0]


@pytest.mark.parametrize(
    ("runs", "names", "says"),
    [
        ([], ["darts"], "at least one run"),
        (RUNS, [], "at least one run"),
        (RUNS, ["darts", "snas"], "did not measure snas"),
    ],
)
def test_what_was_not_measured_is_refused(runs, names, says):
    with pytest.raises(UsageError, match=says):
        methods.gaps(runs, names)
