"""Pictures of finite differences and of points of rest, by what they draw and what they say."""

import pytest

from nasbook.figures.hypergradients import error_curves, rest_points
from nasbook.runtime.errors import UsageError


def test_error_curves_are_logarithmic_and_marked():
    picture = error_curves([1e-1, 1e-2, 1e-3], {"a": [1.0, 0.01, 0.1], "b": [2.0, 3.0, 4.0]})
    (axes,) = picture.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["a"] == [1.0, 0.01, 0.1]
    assert drawn["b"] == [2.0, 3.0, 4.0]
    assert [0.01, 0.01] in [list(line.get_xdata()) for line in axes.lines]
    assert "a is smallest, 1e-02, at 1e-02" in picture.alt
    assert "b is smallest, 2e+00, at 1e-01" in picture.alt


def test_rest_points_stand_on_their_curve():
    picture = rest_points([0.0, 0.5], [2.0, 1.0])
    (axes,) = picture.axes
    lines = {line.get_label(): line for line in axes.lines}
    curve = lines["2 / (1 + 2ξ)"]
    assert (curve.get_ydata()[0], curve.get_ydata()[-1]) == (2.0, 1.0)
    assert list(lines["end of a search"].get_ydata()) == [2.0, 1.0]
    assert "1.00 at ξ = 0.5" in picture.alt


def test_unequal_lengths_are_refused():
    with pytest.raises(UsageError, match="one error for each epsilon"):
        error_curves([0.1, 0.01], {"a": [1.0]})
    with pytest.raises(UsageError, match="at least one curve"):
        error_curves([], {})
    with pytest.raises(UsageError, match="one alpha"):
        rest_points([0.1], [])
