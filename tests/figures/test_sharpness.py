"""Pictures of sharpness: what is drawn is what was measured, and the words say it."""

import numpy as np
import pytest

from nasbook.figures import sharpness, style
from nasbook.instruments import Landscape, Line
from nasbook.runtime.errors import UsageError

LINE = Line(
    t=(0.0, 0.5, 1.0),
    loss=(1.0, 1.5, 3.0),
    accuracy=(60.0, 40.0, 20.0),
    slope=-0.5,
    curvature=2.0,
    eigenvalue=4.0,
    length=1.5,
    images=512,
)


def surface(shift=0.0, *, side=3, direction="eigenvector", coordinates="alpha", radius=2.0):
    """A tilted bowl: loss 1 in the middle; columns count by one, rows by ten."""
    half = side // 2
    accuracy = tuple(tuple(50.0 + shift + column + 10.0 * row for column in range(side)) for row in range(side))
    loss = tuple(
        tuple(1.0 + (row - half) ** 2 + 2 * (column - half) ** 2 + shift for column in range(side))
        for row in range(side)
    )
    offsets = tuple(radius * (place - half) / half for place in range(side))
    return Landscape(offsets, loss, accuracy, (1.0, 0.0), (0.0, 1.0), direction, coordinates, 512)


def test_a_line_draws_the_loss_both_estimates_and_the_accuracy():
    picture = sharpness.line(LINE)
    loss, accuracy = picture.axes
    measured, alone, whole = loss.lines
    assert list(measured.get_ydata()) == [1, 1.5, 3]
    assert list(alone.get_ydata()) == [1, 1.25, 2]
    assert list(whole.get_ydata()) == [1, 1, 1.5]
    assert list(accuracy.lines[0].get_ydata()) == [60, 40, 20]
    assert all(list(line.get_xdata()) == [0, 0.5, 1] for line in [*loss.lines, *accuracy.lines])
    assert len({line.get_linestyle() for line in loss.lines}) + len({line.get_color() for line in loss.lines}) > 4
    labels = [text.get_text() for text in loss.get_legend().get_texts()]
    assert labels == ["measured", "Taylor, ½ t² d′Hd alone", "Taylor with the gradient term"]
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss (nats)", "accuracy (%)")
    for words in (
        "1.50 away",
        "loss rises from 1.00 to 3.00 nats",
        "falls from 60.0 to 20.0 %",
        "gap of 2.00 nats is estimated as 1.00 by the curvature alone and 0.50 with the gradient term -0.50",
        "squared distance is 4.50",
    ):
        assert words in picture.alt


def test_a_point_of_the_line_is_marked_on_every_curve():
    picture = sharpness.line(LINE, at=1)
    rings = [line for ax in picture.axes for line in ax.lines if len(line.get_xdata()) == 1]
    assert [(ring.get_xdata()[0], ring.get_ydata()[0]) for ring in rings] == [
        (0.5, 1.5),
        (0.5, 1.25),
        (0.5, 1),
        (0.5, 40),
    ]
    assert "Marked: t = 0.50, 1.50 nats, 40.0 %." in picture.alt
    with pytest.raises(UsageError, match="points 0 to 2, not 3"):
        sharpness.line(LINE, at=3)


def test_a_surface_is_drawn_where_it_was_measured():
    picture = sharpness.landscape(surface())
    ax, bar = picture.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("top eigenvector", "random, orthogonal")
    assert ax.get_xlim() == ax.get_ylim() == (-2, 2)
    assert bar.get_ylabel() == "accuracy (%)"
    alt = "61.0 % in the middle, 60.0 and 62.0 at the ends of the top eigenvector, 51.0 and 71.0 at those of the random"
    assert alt in picture.alt
    assert "between 50.0 and 72.0" in picture.alt
    assert "2 each way in α" in picture.alt
    assert "colour scale" not in picture.alt
    rising = sharpness.landscape(surface(), "loss")
    assert "1.00 nats in the middle, 3.00 and 3.00 at the ends of the top eigenvector, 2.00 and 2.00" in rising.alt


def test_several_surfaces_share_one_colour_scale():
    named = {"first": surface(), "second": surface(30.0, direction="gradient", coordinates="mixing", radius=0.5)}
    picture = sharpness.landscape(named)
    left, right, bar = picture.axes
    (one,), (other,) = left.collections, right.collections
    np.testing.assert_array_equal(one.levels, other.levels)
    assert (one.norm.vmin, one.norm.vmax) == (other.norm.vmin, other.norm.vmax)
    assert one.levels[0] <= 50
    assert one.levels[-1] >= 102
    assert [ax.get_title() for ax in (left, right)] == ["first", "second"]
    assert right.get_xlabel() == "gradient"
    assert "0.5 each way in the operation weights" in picture.alt
    assert picture.alt.endswith("All have one colour scale.")
    assert bar.get_ylabel() == "accuracy (%)"


def test_bright_is_good_in_both_measures():
    for measure in ("accuracy", "loss"):
        contours = sharpness.landscape(surface(), measure).axes[0].collections[0]
        low, high = (
            sum(contours.cmap(contours.norm(value))[:3]) for value in (contours.levels[0], contours.levels[-1])
        )
        assert (high > low) == (measure == "accuracy")


def test_a_place_on_the_surface_is_marked():
    picture = sharpness.landscape(surface(), at=(0, 2))
    ring = picture.axes[0].lines[-1]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (2, -2)
    assert "marked: 52.0 %" in picture.alt


def test_a_flat_surface_can_be_drawn():
    flat = ((5.0, 5.0, 5.0),) * 3
    level = Landscape((-1.0, 0.0, 1.0), flat, flat, (1.0,), (0.0,), "gradient", "alpha", 2)
    assert "5.0 % in the middle" in sharpness.landscape(level).alt


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (({},), "at least one surface"),
        ((surface(), "error"), "accuracy or loss, not 'error'"),
    ],
)
def test_what_is_no_surface_is_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        sharpness.landscape(*arguments)


def test_places_and_axes_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="rows and columns 0 to 2"):
        sharpness.landscape(surface(), at=(0, 3))
    with pytest.raises(UsageError, match="one axes for each"):
        sharpness.landscape({"a": surface(), "b": surface()}, axes=[style.figure()[1]])


def run(shift=0.0, epochs=(1, 2, 3, 4), retrained=((1, 50.0), (4, 30.0))):
    return {
        "epoch": list(epochs),
        "valid_accuracy": [20.0 + 10 * epoch + shift for epoch in epochs],
        "eigenvalue": [0.1 * epoch + shift for epoch in epochs],
        "retrained": [[epoch, value + shift] for epoch, value in retrained],
    }


def test_three_panels_draw_means_and_the_range_of_runs():
    picture = sharpness.three_panels([run(), run(2.0)])
    supernet, derived, eigenvalue = picture.axes
    assert [ax.get_ylabel() for ax in picture.axes] == [
        "supernet: validation error (%)",
        "derived cell: test error (%)",
        "dominant eigenvalue",
    ]
    assert list(supernet.lines[0].get_ydata()) == [69, 59, 49, 39]
    assert list(derived.lines[0].get_xdata()) == [1, 4]
    assert list(derived.lines[0].get_ydata()) == [49, 69]
    assert list(eigenvalue.lines[0].get_ydata()) == pytest.approx([1.1, 1.2, 1.3, 1.4])
    corners = supernet.collections[0].get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == (38, 70)
    for words in (
        "search (2 runs): the supernet's validation error falls from 69.00 to 39.00 (at the end 38.00 to 40.00)",
        "the test error of the derived cell rises from 49.00 to 69.00",
        "the dominant eigenvalue rises from 1.10 to 1.40",
    ):
        assert words in picture.alt


def test_a_control_stands_beside_in_its_own_look():
    picture = sharpness.three_panels([run()], [run(5.0, retrained=())], labels=("DARTS", "uniform"))
    for ax, count in zip(picture.axes, (2, 1, 2), strict=True):
        assert len(ax.lines) == count
    own, control = picture.axes[0].lines
    assert own.get_color() != control.get_color()
    assert own.get_linestyle() != control.get_linestyle()
    assert [text.get_text() for text in picture.axes[0].get_legend().get_texts()] == ["DARTS", "uniform"]
    assert "uniform (1 run)" in picture.alt
    assert "test error of the derived cell was not measured" in picture.alt


def test_runs_of_other_lengths_and_gaps_are_averaged_where_they_are():
    """A run that stopped early, and an epoch without an eigenvalue."""
    gap = run(2.0, epochs=(1, 2))
    gap["eigenvalue"][0] = None
    supernet, derived, eigenvalue = sharpness.bands([run(), gap])
    assert supernet == {1: [68, 70], 2: [58, 60], 3: [50], 4: [40]}
    assert list(eigenvalue) == [1, 2, 3, 4]
    assert eigenvalue[1] == [0.1]
    assert len(eigenvalue[2]) == 2
    assert derived == {1: [48, 50], 4: [68, 70]}


def test_runs_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="at least one run"):
        sharpness.three_panels([])
    with pytest.raises(UsageError, match="for each of its epochs"):
        sharpness.three_panels([run() | {"eigenvalue": [1.0]}])
    with pytest.raises(UsageError, match="for each of its epochs"):
        sharpness.three_panels([run(epochs=())])
