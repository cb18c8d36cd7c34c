"""Pictures of eigenvalues over epochs: what is drawn is what was recorded, and the rule is that of the search."""

import numpy as np
import pytest

from nasbook.analysis import collapse
from nasbook.figures import eigenvalues
from nasbook.runtime.errors import UsageError

EPOCHS = list(range(1, 21))
GROWING = [0.1] * 8 + [0.1 * 1.25**place for place in range(1, 13)]


def test_settings_stand_beside_each_other():
    picture = eigenvalues.compared(
        {"decay 3e-4": ([0, 10, 20], [0.2, 0.3, 0.6]), "decay 8.1e-3": ([0, 20], [0.1, 0.1])}
    )
    (ax,) = picture.axes
    assert [list(line.get_xdata()) for line in ax.lines] == [[0, 10, 20], [0, 20]]
    assert [list(line.get_ydata()) for line in ax.lines] == [[0.2, 0.3, 0.6], [0.1, 0.1]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["decay 3e-4", "decay 8.1e-3"]
    assert len({(line.get_color(), line.get_marker()) for line in ax.lines}) == 2
    assert "decay 3e-4 it rises from 0.20 to 0.60 and with decay 8.1e-3 it stays at 0.10" in picture.alt


def test_early_stopping_is_drawn_where_the_search_would_stop():
    picture = eigenvalues.stopping(EPOCHS, GROWING, factor=1.3)
    (ax,) = picture.axes
    recorded, smoothed, back, stop = ax.lines
    assert list(recorded.get_ydata()) == GROWING
    assert list(smoothed.get_xdata()) == EPOCHS[2:-2]
    assert list(smoothed.get_ydata()) == pytest.approx(np.convolve(GROWING, np.ones(5) / 5, "valid"))
    returned = collapse.stop({"epoch": EPOCHS, "eigenvalue": GROWING}, 1.3)
    assert set(back.get_xdata()) == {returned}
    # the newest mean lies four looks after the earlier one, and two looks have to follow it
    assert set(stop.get_xdata()) == {returned + 6}
    assert f"stops after epoch {returned + 6}, and goes back to epoch {returned}." in picture.alt
    assert "growth of 1.3" in picture.alt


def test_a_flat_curve_is_never_stopped():
    picture = eigenvalues.stopping(EPOCHS, [0.2] * 20, factor=1.3)
    assert len(picture.axes[0].lines) == 2
    assert picture.alt.endswith("Early stopping at a growth of 1.3 never stops.")


def test_a_search_shorter_than_the_window_has_no_smoothed_curve():
    picture = eigenvalues.stopping([1, 2, 3], [0.1, 0.2, 0.4], factor=1.3)
    assert len(picture.axes[0].lines) == 1


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: eigenvalues.compared({}), "at least one curve"),
        (lambda: eigenvalues.compared({"a": ([0, 1], [0.1])}), "1 for 2"),
        (lambda: eigenvalues.stopping([], [], factor=1.3), "0 for 0"),
    ],
)
def test_wrong_curves_are_refused(draw, says):
    with pytest.raises(UsageError, match=says):
        draw()
