"""Methods on one space: seeds, means and intervals as given; two orders with a line for each method."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from nasbook.claims.comparison import Standing
from nasbook.figures import comparison, style
from nasbook.runtime.errors import UsageError


def standing(method, accuracies, published=None, study="one"):
    return Standing(method, study, "s2", dict(enumerate(accuracies)), published)


FOUND = (
    standing("gdas", [80.0, 84.0], 93.2),
    standing("random", [70.0, 71.0]),
    standing("darts", [60.0, 20.0, 22.0], 54.3),
    standing("drnas", [30.0], 94.4),
)


def test_each_row_has_its_seeds_its_mean_and_its_interval():
    picture = comparison.standings(FOUND, title="S2")
    (ax,) = picture.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["gdas", "random", "darts", "drnas"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the best on top
    for place, each in enumerate(FOUND):
        lines = [line for line in ax.lines if len(line.get_ydata()) and set(line.get_ydata()) == {place}]
        seeds = next(line for line in lines if line.get_marker() == "|")
        np.testing.assert_array_equal(seeds.get_xdata(), list(each.accuracies.values()))
        mean = next(line for line in lines if line.get_marker() in ("o", "D"))
        assert float(np.ravel(mean.get_xdata())[0]) == each.interval.mean
        assert (mean.get_marker() == "D") == each.control
        spans = [line.get_xdata() for line in lines if line.get_marker() == "None"]
        if each.interval.spread is None:
            assert not spans  # one seed says nothing about the spread
        else:
            assert list(spans[0]) == [max(0.0, each.interval.low), min(100.0, each.interval.high)]
    assert "S2: test accuracy in percent" in picture.alt
    assert "gdas 82 ± 25, random 70 ± 6, darts 34 ± 56 and drnas 30." in picture.alt


def test_a_name_of_two_studies_says_which():
    rows = (standing("darts", [1.0, 2.0]), standing("gdas", [1.0, 1.5]), standing("darts", [0.5, 1.0], study="other"))
    assert comparison.labels(rows) == ["darts (one)", "gdas", "darts (other)"]


def test_orders_connect_each_method_with_itself_and_tell_which_fell():
    picture = comparison.orders(FOUND)
    (ax,) = picture.axes
    # published: drnas, gdas, darts; here: gdas, darts, drnas
    lines = {tuple(line.get_ydata()): line for line in ax.lines}
    assert set(lines) == {(0, 2), (1, 0), (2, 1)}
    assert to_hex(lines[0, 2].get_color()) == style.VERMILLION.lower()
    assert to_hex(lines[1, 0].get_color()) == style.BLUE.lower()
    assert lines[0, 2].get_linestyle() != lines[1, 0].get_linestyle()
    assert {text.get_text() for text in ax.texts} >= {"drnas  94.4", "30.0  drnas", "gdas  93.2", "82.0  gdas"}
    assert "published drnas, gdas and darts; here gdas, darts and drnas" in picture.alt


def test_nothing_to_draw_is_refused():
    with pytest.raises(UsageError, match="no method with measured cells"):
        comparison.standings(())
    with pytest.raises(UsageError, match="at least two methods"):
        comparison.orders(FOUND[:2])
