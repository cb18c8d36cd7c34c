"""Pictures of training shared weights: what is drawn is the data, and the words say it."""

import pytest

from nasbook.figures import sharing
from nasbook.runtime.errors import UsageError


def test_a_course_draws_both_paths_and_the_turn():
    picture = sharing.course((0, 8, 16, 24), [(9, 30, 37, 35), (10, 11, 12, 20)], turn=16)
    a, b, turn = picture.axes[0].lines
    assert list(a.get_ydata()) == [9, 30, 37, 35]
    assert list(b.get_ydata()) == [10, 11, 12, 20]
    assert a.get_marker() != b.get_marker()
    assert a.get_linestyle() != b.get_linestyle()
    assert list(turn.get_xdata()) == [16, 16]
    assert "Path A rises from 9.0 to 37.0 % up to batch 16, then falls from 37.0 to 35.0 %." in picture.alt
    assert "Path B rises from 10.0 to 20.0 %." in sharing.course((0, 8), [(9, 30), (10, 20)]).alt


def test_growth_draws_mean_range_this_run_and_the_line():
    picture = sharing.growth((0, 5, 10), [(0, 0.2, 0.4), (0.2, 0.2, 0.6)], live={5: 0.3}, ceiling=0.7)
    axis = picture.axes[0]
    mean, live = axis.lines[0], axis.lines[1]
    assert list(mean.get_ydata()) == pytest.approx([0.1, 0.2, 0.5])
    assert (list(live.get_xdata()), list(live.get_ydata())) == ([5], [0.3])
    corners = axis.collections[0].get_paths()[0].vertices[:, 1]
    assert (corners.min(), corners.max()) == (0, 0.6)
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["stored, mean and range of 2 seeds", "this run"]
    for words in ("rises from 0.10 to 0.50 over 10 epochs", "2 seeds", "0.30 at epoch 5", "reaches 0.70"):
        assert words in picture.alt
    assert "run of now" not in sharing.growth((0, 5), [(0, 1)]).alt


def test_bars_hold_every_accuracy():
    picture = sharing.apart_and_shared({"apart": (40.0, 30.0), "in turns": (35.0, 32.5)})
    heights = [bar.get_height() for bar in picture.axes[0].patches]
    assert heights == [40, 35, 30, 32.5]
    assert len({bar.get_hatch() for bar in picture.axes[0].patches}) == 2
    assert "path A 40.0 % apart and 35.0 % in turns; path B 30.0 % apart and 32.5 % in turns" in picture.alt


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="2 paths at 3 looks"):
        sharing.course((0, 1, 2), [(1, 2, 3)])
    with pytest.raises(UsageError, match="2 marks"):
        sharing.growth((0, 1), [(1, 2, 3)])
    with pytest.raises(UsageError, match="one accuracy for each"):
        sharing.apart_and_shared({"apart": (1,)})
