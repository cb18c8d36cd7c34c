"""Pictures of skip domination show the numbers that they are given, and say the trend."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from nasbook import spaces
from nasbook.analysis.skip_domination import demonstrate
from nasbook.analysis.skip_errors import EdgeErrors
from nasbook.figures import skips, style
from nasbook.runtime.errors import UsageError

SPACE = spaces.get("s2", nodes=2, reduction="fixed")
FOUND = [
    EdgeErrors(1, "normal", 0, 2, 0, 0.5, 1.5, 0.1, 0.78, 0.6),
    EdgeErrors(1, "normal", 1, 2, 0, 1.0, 0.9, 0.1, 0.47, 0.4),
    EdgeErrors(3, "normal", 2, 3, 4, 0.2, 1.1, 0.0, 0.85, 0.7),
]


def histories(seeds, epochs=4, space=SPACE):
    """Searches in which the skip weight of every edge rises by 0.1 an epoch from 0.3 + 0.1 * seed."""
    made = []
    for seed in range(seeds):
        history = []
        for epoch in range(epochs):
            skip = 0.3 + 0.1 * seed + 0.1 * epoch
            rows = {name: [[skip, 1 - skip]] * group.shape[0] for name, group in space.groups.items()}
            history.append({"epoch": epoch + 1, "valid_accuracy": 10.0 * (epoch + 1) + seed, "weights": rows})
        made.append(history)
    return made


def lines_of(ax):
    return {line.get_label(): line for line in ax.lines}


def test_depth_shows_the_closed_form_and_the_fits():
    found = demonstrate((1, 4, 16), samples=500)
    picture = skips.over_depth(found)
    lines = lines_of(picture.axes[0])
    dots = lines["least squares on drawn numbers"]
    np.testing.assert_array_equal(dots.get_xdata(), [1, 4, 16])
    np.testing.assert_array_equal(dots.get_ydata(), [each.fitted for each in found])
    curve = lines["closed form"]
    for each in found:
        assert np.interp(each.depth, curve.get_xdata(), curve.get_ydata()) == pytest.approx(each.theory, abs=1e-3)
    apart = max(abs(each.fitted - each.theory) for each in found)
    assert apart > 0
    assert f"at most {apart:.3f}" in picture.alt
    assert "3 depths from 1 to 16: it rises from 0.58 to 0.93" in picture.alt


def test_the_line_follows_other_settings():
    found = demonstrate((2, 8), conv=0.2, shared=0.0, samples=500)
    (curve, *_) = skips.over_depth(found, conv=0.2, shared=0.0).axes[0].lines
    assert np.interp(8, curve.get_xdata(), curve.get_ydata()) == pytest.approx(found[1].theory, abs=1e-3)


def test_the_mixture_has_its_minimum_where_the_closed_form_says():
    picture = skips.mixture(0.5, 1.0, covariance=0.2)
    lines = lines_of(picture.axes[0])
    curve = lines["error of the mixture"]
    assert curve.get_xdata()[np.argmin(curve.get_ydata())] == pytest.approx(0.8 / 1.1, abs=0.01)
    star = lines["smallest, at θ* = 0.727"]
    assert star.get_ydata()[0] <= min(curve.get_ydata())
    assert (curve.get_ydata()[0], curve.get_ydata()[-1]) == (1.0, 0.5)
    assert f"it is smallest, {star.get_ydata()[0]:.3f}, at 0.727" in picture.alt
    assert "at 1.000" in skips.mixture(0.1, 1.0, covariance=0.3).alt  # the minimum lies beyond


def test_errors_hold_every_edge():
    picture = skips.errors(FOUND)
    left, right = picture.axes
    lines = lines_of(left)
    np.testing.assert_array_equal(lines["V of skip connection"].get_ydata(), [0.5, 1.0, 0.2])
    np.testing.assert_array_equal(lines["V of convolution"].get_ydata(), [1.5, 0.9, 1.1])
    np.testing.assert_array_equal(lines["V of convolution"].get_xdata(), [0.6, 0.4, 0.7])
    assert to_hex(lines["V of skip connection"].get_color()) == style.operation("skip_connect").colour.lower()
    by_cell = lines_of(right)
    np.testing.assert_array_equal(by_cell["cell 1"].get_xdata(), [0.78, 0.47])
    np.testing.assert_array_equal(by_cell["cell 3"].get_ydata(), [0.7])
    assert by_cell["cell 1"].get_marker() != by_cell["cell 3"].get_marker()
    assert "3 edges" in picture.alt
    assert "the smaller one on 2" in picture.alt
    expected = np.corrcoef([0.78, 0.47, 0.85], [0.6, 0.4, 0.7])[0, 1]
    assert f"their correlation is {expected:.2f}" in picture.alt


def test_two_edges_have_no_correlation():
    assert "too few" in skips.errors(FOUND[:2]).alt


def test_domination_is_mean_and_spread_over_searches():
    picture = skips.domination(histories(3), SPACE)
    left, right = picture.axes
    np.testing.assert_allclose(lines_of(left)["supernet"].get_ydata(), [11, 21, 31, 41])
    lines = lines_of(right)
    np.testing.assert_allclose(lines["skip connection"].get_ydata(), [0.4, 0.5, 0.6, 0.7])
    np.testing.assert_allclose(lines["convolution"].get_ydata(), [0.6, 0.5, 0.4, 0.3])
    band = right.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((0.3, 0.8))
    assert "of 3 searches of space s2" in picture.alt
    assert "skip connections rises from 0.40 to 0.70 with its lowest value 0.40 in epoch 1" in picture.alt
    assert "convolutions falls from 0.60 to 0.30" in picture.alt


def test_one_search_has_no_spread_and_controls_stand_beside():
    controls = {"DARTS, frozen": histories(1), "other": histories(2)[1:]}
    picture = skips.domination(histories(1), SPACE, controls=controls)
    left, right = picture.axes
    assert not left.collections
    lines = lines_of(right)
    np.testing.assert_allclose(lines["skip, other"].get_ydata(), [0.4, 0.5, 0.6, 0.7])
    assert lines["skip, other"].get_linestyle() == lines["skip, DARTS, frozen"].get_linestyle() == "--"
    assert lines["skip, other"]._unscaled_dash_pattern != lines["skip, DARTS, frozen"]._unscaled_dash_pattern
    assert "The control DARTS, frozen: accuracy rises from 10.0 to 40.0 %, skip weight rises" in picture.alt


def test_means_are_over_the_edges_and_groups_that_offer_the_operation():
    space = spaces.get("s1", nodes=2)
    generator = np.random.default_rng(0)
    rows = {name: generator.random(group.shape) for name, group in space.groups.items()}
    _, skip, conv = skips.curves([[{"valid_accuracy": 1.0, "weights": rows}]], space)
    named = [
        (name, rows[kind][edge, column])
        for kind, group in space.groups.items()
        for edge, names in enumerate(group.operations)
        for column, name in enumerate(names)
    ]
    assert skip.item() == pytest.approx(np.mean([value for name, value in named if name == "skip_connect"]))
    assert conv.item() == pytest.approx(np.mean([value for name, value in named if "conv" in name]))
    assert len({name for name, _ in named}) > 2


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(UsageError, match="no depth"):
        skips.over_depth([])
    with pytest.raises(UsageError, match="no measured edge"):
        skips.errors([])
    with pytest.raises(UsageError, match="no finished epoch"):
        skips.domination([], SPACE)
    with pytest.raises(UsageError, match="no finished epoch"):
        skips.domination([[]], SPACE)
    with pytest.raises(UsageError, match="equally many epochs"):
        skips.domination([*histories(1), *histories(1, epochs=2)], SPACE)
    with pytest.raises(UsageError, match="this history has"):
        skips.domination(histories(1), spaces.get("s3", nodes=2, reduction="fixed"))
    with pytest.raises(UsageError, match="not offer both"):
        skips.domination(histories(1), spaces.get("s4", nodes=2, reduction="fixed"))
