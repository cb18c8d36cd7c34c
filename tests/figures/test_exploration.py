"""What is still open, and curvature at equal accuracy: what is drawn is what was recorded, and the words say it."""

import numpy as np
import pytest

from nasbook.figures import exploration
from nasbook.runtime.errors import UsageError

LIMIT = 60_000  # bytes


def record(epoch, entropy, mixtures, cells, supernet, derived):
    return {
        "epoch": epoch,
        "mean_entropy": entropy,
        "mixture_accuracies": mixtures,
        "cell_accuracies": cells,
        "valid_accuracy": supernet,
        "derived_accuracy": derived,
    }


NARROWING = [record(1, 1.6, [10, 20, 30], [5, 15, 40], 22.0, 12.0), record(2, 0.8, [50, 52, 54], [44, 48, 52], 55, 51)]
STEADY = [record(1, 1.6, [20, 20, 20], [5, 10, 30], 20.0, 9.0), record(2, 1.5, [40, 40, 40], [5, 15, 25], 40, 10)]


def lines_of(ax):
    return {line.get_label(): line for line in ax.lines}


def heights(collection):
    """Lowest and highest y of a band, epoch by epoch."""
    (path,) = collection.get_paths()
    x, y = path.vertices.T
    return [(y[x == each].min(), y[x == each].max()) for each in sorted(set(x))]


def test_bands_go_from_the_worst_to_the_best_draw():
    picture = exploration.narrowing({"DARTS": STEADY, "DrNAS": NARROWING})
    left, first, second = picture.axes
    entropies = {name: list(line.get_ydata()) for name, line in lines_of(left).items()}
    assert entropies == {"DARTS": [1.6, 1.5], "DrNAS": [1.6, 0.8]}
    assert [heights(band) for band in second.collections] == [[(10, 30), (50, 54)], [(5, 40), (44, 52)]]
    assert [heights(band) for band in first.collections] == [[(20, 20), (40, 40)], [(5, 30), (5, 25)]]
    drawn = {name: list(line.get_ydata()) for name, line in lines_of(second).items()}
    assert drawn == {
        "drawn mixtures": [20, 52],
        "drawn cells": [20, 48],
        "supernet": [22, 55],
        "derived cell": [12, 51],
    }
    assert first.get_ylim() == second.get_ylim()
    assert (first.get_title(), second.get_title()) == ("DARTS", "DrNAS")
    for words in (
        "Over 2 epochs",
        "DARTS falls from 1.60 to 1.50 and DrNAS falls from 1.60 to 0.80 nats",
        "DARTS: the mean of drawn mixtures rises from 20.0 to 40.0, their range stays at 0.0",
        "the mean of drawn cells rises from 20.0 to 48.0, their range falls from 35.0 to 8.0",
        "the derived cell rises from 12.0 to 51.0.",
    ):
        assert words in picture.alt
    assert len(picture.png()) < LIMIT


def test_nothing_open_is_not_drawn():
    for histories in ({}, {"DARTS": []}):
        with pytest.raises(UsageError, match="at least one search, and of at least one epoch"):
            exploration.narrowing(histories)


SEARCHES = {
    "DARTS": [
        {"valid_accuracy": [20.0, 40.0], "eigenvalue": [0.1, 0.4]},
        {"valid_accuracy": [25.0, 50.0], "eigenvalue": [0.1, 0.3]},
    ],
    "DrNAS": [{"valid_accuracy": [15.0, 30.0, 35.0], "eigenvalue": [0.05, 0.06, 0.07]}],
}


def test_every_search_is_a_line_with_a_ring_at_its_end():
    picture = exploration.at_equal_accuracy(SEARCHES, "eigenvalue", ylabel="eigenvalue in α")
    (ax,) = picture.axes
    lines = [line for line in ax.lines if len(line.get_xdata()) > 1]
    rings = [line for line in ax.lines if len(line.get_xdata()) == 1]
    expected = [each for searches in SEARCHES.values() for each in searches]
    for line, ring, each in zip(lines, rings, expected, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), each["valid_accuracy"])
        np.testing.assert_array_equal(line.get_ydata(), each["eigenvalue"])
        assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (each["valid_accuracy"][-1], each["eigenvalue"][-1])
        assert line.get_color() == ring.get_markeredgecolor()
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["DARTS", "DrNAS"]
    assert picture.alt == (
        "Eigenvalue in α against the accuracy of the supernet: DARTS (2 runs) ends at 40.0 to 50.0 % with 0.300 to "
        "0.400 and DrNAS (1 run) ends at 35.0 % with 0.070."
    )


@pytest.mark.parametrize(
    ("searches", "says"),
    [
        ({}, "at least one search of each method"),
        ({"DARTS": []}, "at least one search of each method"),
        ({"DARTS": [{"valid_accuracy": [], "eigenvalue": []}]}, "has not one 'eigenvalue'"),
        ({"DARTS": [{"valid_accuracy": [1.0, 2.0], "eigenvalue": [1.0]}]}, "has not one 'eigenvalue'"),
        ({"DARTS": [{"valid_accuracy": [1.0]}]}, "has not one 'eigenvalue'"),
    ],
)
def test_searches_without_the_quantity_are_refused(searches, says):
    with pytest.raises(UsageError, match=says):
        exploration.at_equal_accuracy(searches, "eigenvalue", ylabel="eigenvalue")
