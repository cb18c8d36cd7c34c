"""Pictures of smoothing: what is drawn is what was measured, and the words say it."""

import numpy as np
import pytest

from nasbook.analysis.smoothing import Rises
from nasbook.claims.verdicts import interval
from nasbook.figures import smoothing
from nasbook.runtime.errors import UsageError

LIMIT = 60_000  # bytes
RISES = Rises(
    radii=(0.1, 0.2, 0.4),
    random=(0.01, 0.05, 0.21),
    random_error=(0.001, 0.002, 0.01),
    worst=(0.1, 0.3, 0.9),
    by_trace=(0.012, 0.048, 0.192),
    by_eigenvalue=(0.03, 0.12, 0.48),
    by_quadratic=(0.11, 0.33, 1.0),
    trace=7.2,
    eigenvalue=6.0,
    slope=0.8,
)
PERTURBED = {"random": (0.02, 0.06, 0.1), "adversarial": (0.1, 0.2, 0.4)}


def series(shift):
    return {
        method: {
            "valid_accuracy": [10.0] * 6,
            "eigenvalue": [[3, 0.5 + shift], [6, 1.5 + shift * place]],
            "retrained": [[4, [60.0 + shift]], [6, [70.0, 72.0 + place]]],
        }
        for place, method in enumerate(smoothing.METHODS)
    }


def lines_of(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def test_measured_rises_stand_beside_their_formulas():
    picture = smoothing.rises(RISES, PERTURBED)
    box, ball, searched = picture.figure.axes
    drawn = lines_of(box) | {each.get_label(): each.lines[0] for each in box.containers}
    np.testing.assert_allclose(drawn["random, mean"].get_xydata(), np.c_[RISES.radii, RISES.random])
    np.testing.assert_allclose(drawn["r²/6 tr H"].get_ydata(), RISES.by_trace)
    found = lines_of(ball)
    for label, values in (
        ("worst found", RISES.worst),
        ("r²/2 λmax", RISES.by_eigenvalue),
        ("with the gradient", RISES.by_quadratic),
    ):
        np.testing.assert_allclose(found[label].get_ydata(), values)
    for kind, line in lines_of(searched).items():
        np.testing.assert_allclose(line.get_ydata(), PERTURBED[kind])
    assert "by 0.010 to 0.21 nats, r²/6 times the trace 7.20 says 0.012 to 0.19" in picture.alt
    assert "As the search perturbs: random by 0.020 to 0.10 and adversarial by 0.100 to 0.40." in picture.alt
    assert len(picture.png()) < LIMIT


def test_error_bars_are_two_standard_errors():
    (bars,) = smoothing.rises(RISES).figure.axes[0].containers
    (segments,) = bars.lines[2]
    lengths = [np.ptp(each[:, 1]) for each in segments.get_segments()]
    np.testing.assert_allclose(lengths, 4 * np.array(RISES.random_error))
    assert len(smoothing.rises(RISES).figure.axes) == 2


def test_rises_at_other_radii_are_refused():
    with pytest.raises(UsageError, match="one rise for each of the 3 radii"):
        smoothing.rises(RISES, {"random": (0.1,)})


def test_courses_are_means_over_seeds_with_their_intervals():
    shifts = (0.0, 0.2, 0.7)
    picture = smoothing.over_epochs({"space 1": [{"series": series(shift)} for shift in shifts]})
    top, bottom = picture.figure.axes
    drawn = lines_of(top)
    assert list(drawn) == ["DARTS", "SDARTS-RS", "SDARTS-ADV"]
    np.testing.assert_allclose(drawn["DARTS"].get_xydata(), [[3, 0.8], [6, 1.5]])
    np.testing.assert_allclose(drawn["SDARTS-ADV"].get_ydata(), [0.8, 2.1])
    (path,) = top.collections[0].get_paths()
    right = interval([0.5 + shift for shift in shifts])
    x, y = path.vertices.T
    assert (y[x == 3].min(), y[x == 3].max()) == pytest.approx((right.low, right.high))
    assert bottom.get_yscale() == "log"
    assert top.get_xlim() == bottom.get_xlim() == (0, pytest.approx(6.3))
    first, _, last = bottom.containers
    assert first.lines[0].get_ydata() == pytest.approx([40 - 0.3, 29.0])
    assert last.lines[0].get_ydata() == pytest.approx([40 - 0.3, 28.0])
    (segments,) = first.lines[2]
    errors = interval([40.0 - shift for shift in shifts])
    assert np.ptp(segments.get_segments()[0][:, 1]) == pytest.approx(errors.high - errors.low)
    assert "space 1 (3 seeds): DARTS: the eigenvalue rises from 0.800 to 1.500 (epochs 3 to 6)" in picture.alt
    assert "the error falls from 39.7 to 29.0 % (epochs 4 to 6)" in picture.alt
    assert len(picture.png()) < LIMIT


def test_one_seed_has_no_interval():
    picture = smoothing.over_epochs({"a": [{"series": series(0.0)}], "b": [{"series": series(0.1)}]})
    assert len(picture.figure.axes) == 4
    (path,) = picture.figure.axes[0].collections[0].get_paths()
    assert np.ptp(path.vertices[path.vertices[:, 0] == 3][:, 1]) == 0


@pytest.mark.parametrize("studies", [{}, {"a": []}])
def test_nothing_to_draw_is_refused(studies):
    with pytest.raises(UsageError, match="no search to draw"):
        smoothing.over_epochs(studies)


def test_searches_are_compared_by_their_means_over_seeds():
    one = {"random": (0.0, 0.1, 0.2), "adversarial": (0.1, 0.3, 0.5)}
    other = {"random": (0.2, 0.3, 0.4), "adversarial": (0.3, 0.5, 0.7)}
    picture = smoothing.compared({"DARTS": [one, other], "SDARTS-RS": [one, one]}, RISES.radii)
    left, right = picture.figure.axes
    for ax, kind, means in ((left, "random", (0.1, 0.2, 0.3)), (right, "adversarial", (0.2, 0.4, 0.6))):
        first, second = ax.containers
        np.testing.assert_allclose(first.lines[0].get_xydata(), np.c_[RISES.radii, means])
        np.testing.assert_allclose(second.lines[0].get_xydata()[:, 1], one[kind])
        (segments,) = first.lines[2]
        high = interval((one[kind][0], other[kind][0]))
        assert np.ptp(segments.get_segments()[0][:, 1]) == pytest.approx(high.high - high.low)
    assert "adversarial, DARTS: 0.200 to 0.60" in picture.alt
    with pytest.raises(UsageError, match="no search to draw"):
        smoothing.compared({"DARTS": []}, RISES.radii)
