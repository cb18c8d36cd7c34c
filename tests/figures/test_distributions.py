"""Pictures of distributions show the samples, densities and estimates that they are given, and say what is seen."""

import math

import numpy as np
import pytest
from scipy import stats

from nasbook.analysis import distributions as draws
from nasbook.analysis import gradient_estimates as gradients
from nasbook.figures import distributions as pictures
from nasbook.runtime.errors import UsageError

LOGITS = (0.5, 0.0, -0.5)
LIMIT = 60_000  # bytes


def lines_of(ax):
    return {line.get_label(): line for line in ax.lines}


def test_corners_and_middle():
    points = pictures.plane([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(points[:3], pictures.CORNERS)
    assert np.linalg.norm(points[3] - points[:3], axis=1) == pytest.approx([1 / math.sqrt(3)] * 3)
    sides = np.linalg.norm(pictures.CORNERS - np.roll(pictures.CORNERS, 1, 0), axis=1)
    assert sides == pytest.approx([1, 1, 1])


def test_clouds_hold_every_sample_and_their_mean():
    samples = {f"τ = {t:g}": draws.gumbel_softmax(LOGITS, t, samples=50, seed=0) for t in (0.1, 1, 10)}
    picture = pictures.clouds(samples, expected=(0.2, 0.3, 0.5), labels=("skip", "pool", "conv"))
    assert len(picture.axes) == 3
    for ax, (name, values) in zip(picture.axes, samples.items(), strict=True):
        (dots,) = [line for line in ax.lines if len(line.get_xdata()) == 50]
        np.testing.assert_allclose(dots.get_xydata(), pictures.plane(values))
        lines = lines_of(ax)
        np.testing.assert_allclose(
            lines["mean of the samples"].get_xydata()[0], pictures.plane(values.mean(0)[None])[0]
        )
        np.testing.assert_allclose(lines["expected weights"].get_xydata(), pictures.plane([(0.2, 0.3, 0.5)]))
        assert lines["expected weights"].get_marker() != lines["mean of the samples"].get_marker()
        nats = float(draws.entropy(values).mean())
        decided = 100 * float((values.max(1).values > 0.9).double().mean())
        assert ax.get_title() == f"{name}\nentropy {nats:.2f} nats"
        assert f"{name}: 50 samples, mean entropy {nats:.2f} nats, {decided:.0f} % of them" in picture.alt
        assert [text.get_text() for text in ax.texts] == ["skip", "pool", "conv"]
    assert len(picture.png()) < LIMIT


def test_without_expected_weights_none_are_marked():
    picture = pictures.clouds({"one": draws.dirichlet([1.0, 1.0, 1.0], samples=5, seed=0)})
    assert "expected weights" not in lines_of(picture.axes[0])


@pytest.mark.parametrize("concentration", [(0.2, 0.2, 0.2), (1.0, 1.0, 1.0), (2.0, 3.0, 4.0)])
def test_the_density_is_that_of_scipy(concentration):
    weights = draws.dirichlet([1.0, 1.0, 1.0], samples=20, seed=1).numpy()
    expected = [stats.dirichlet.pdf(each / each.sum(), concentration) / 2 for each in weights]  # uniform: 2! = 2
    np.testing.assert_allclose(pictures.density_ratio(weights, concentration), expected, rtol=1e-9)


def test_densities_fill_the_triangle():
    picture = pictures.densities([[0.2] * 3, [1.0] * 3, [2.0, 3.0, 4.0]], samples=30, seed=2)
    *axes, bar = picture.axes
    assert bar.get_ylabel() == "density, uniform = 1"
    for ax, each in zip(axes, ([0.2] * 3, [1.0] * 3, [2.0, 3.0, 4.0]), strict=True):
        (tiles,) = ax.collections
        corners = np.array([path.vertices[:3] for path in tiles.get_paths()])
        first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        areas = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2
        assert areas.sum() == pytest.approx(math.sqrt(3) / 4)
        share = areas / areas.sum()
        if min(each) >= 1:  # a density that is finite everywhere sums to one
            assert float((tiles.get_array() * share).sum()) == pytest.approx(1, abs=0.01)
        (dots,) = [line for line in ax.lines if len(line.get_xdata()) == 30]
        np.testing.assert_allclose(dots.get_xydata(), pictures.plane(draws.dirichlet(each, samples=30, seed=2)))
    assert "β = 0.2: densest at the corners, mean entropy 0.42 nats" in picture.alt
    assert "β = 1: the same density everywhere, mean entropy 0.83 nats" in picture.alt
    assert "β = 2, 3, 4: densest at the weights 0.17, 0.33, 0.50" in picture.alt
    assert "densest at the border" in pictures.densities([[0.5, 2.0, 2.0]], samples=3).alt
    assert len(picture.png()) < LIMIT


def test_over_temperature_shows_every_estimate():
    temperatures = (0.1, 1.0, 10.0)
    found = gradients.compare(gradients.linear((0, 1, 2)), LOGITS, temperatures, samples=500)
    picture = pictures.over_temperature(found)
    assert len(picture.axes) == 3
    for ax, field in zip(picture.axes, ("entropy", "bias", "variance"), strict=True):
        lines = lines_of(ax)
        assert ax.get_xscale() == "log"
        for name in gradients.ESTIMATORS:
            rows = [each for each in found if each.estimator == name]
            np.testing.assert_array_equal(lines[name].get_xdata(), temperatures)
            np.testing.assert_array_equal(lines[name].get_ydata(), [getattr(each, field) for each in rows])
        assert len({lines[name].get_marker() for name in gradients.ESTIMATORS}) == len(gradients.ESTIMATORS)
    soft = found[0]
    assert "3 temperatures from 0.1 to 10" in picture.alt
    assert f"soft: entropy {soft.entropy:.2g} to" in picture.alt
    assert f"score function: entropy 0, bias {found[9].bias:.2g}, variance {found[9].variance:.2g}" in picture.alt
    assert f"the length of the exact gradient, {float(soft.exact.norm()):.2f}" in picture.alt
    assert len(picture.png()) < LIMIT


def test_gradient_sizes_say_the_power():
    picture = pictures.gradient_sizes({1.0: 0.5, 0.01: 400.0, 0.1: 4.0})
    lines = lines_of(picture.axes[0])
    np.testing.assert_array_equal(lines["largest of all samples"].get_xdata(), [0.01, 0.1, 1.0])
    np.testing.assert_array_equal(lines["largest of all samples"].get_ydata(), [400.0, 4.0, 0.5])
    np.testing.assert_allclose(lines["in proportion to 1 / β²"].get_ydata(), [400.0, 4.0, 0.04])
    assert "from 0.5 at 1 to 4e+02 at 0.01, at the smallest two like β to the power -2.0" in picture.alt


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pictures.plane([[0.5, 0.5]]), r"\(samples, 3\), not \(1, 2\)"),
        (lambda: pictures.plane(np.zeros((0, 3))), "three weights"),
        (lambda: pictures.clouds({}), "no samples"),
        (lambda: pictures.densities([]), "three concentrations"),
        (lambda: pictures.densities([[1.0, 1.0]]), "three concentrations"),
        (lambda: pictures.densities([[1.0, 1.0, 0.0]]), "concentration is positive"),
        (lambda: pictures.over_temperature([]), "no gradient estimate"),
        (lambda: pictures.gradient_sizes({1.0: 1.0}), "at least two"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(UsageError, match=message):
        call()
