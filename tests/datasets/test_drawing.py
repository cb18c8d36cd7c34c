"""Every knob of street_numbers does what its table says, measured on what is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from nasbook.datasets import drawing
from nasbook.datasets.drawing import CANVAS, GLYPH, Difficulty, Glyphs
from nasbook.datasets.street_numbers import DIFFICULTIES

STILL = Difficulty(
    rotation=0, shear=0, height=(0.5, 0.5), aspect=(1, 1), shift=(0, 0), neighbour=0, ramp=0, texture=0, blur=0, noise=0
)
COUNT, SIDE = 300, 32


def glyphs(width: int, *, height: int = GLYPH) -> Glyphs:
    """The same upright bar for each digit, `width` pixels wide in its template."""
    coverage = np.zeros((1, 10, CANVAS, CANVAS))
    top, left = (CANVAS - height) // 2, (CANVAS - width) // 2
    coverage[:, :, top : top + height, left : left + width] = 1.0
    return Glyphs(coverage, np.full((1, 10), width / GLYPH))


BLANK = Glyphs(np.zeros((1, 10, CANVAS, CANVAS)), np.full((1, 10), 0.5))


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def covered(difficulty: Difficulty, shape: Glyphs, *, size: int = SIDE, count: int = COUNT) -> NDArray[np.float64]:
    """How much of each pixel is digit, (count, size, size)."""
    return drawing._coverage(generator(), count, size, difficulty, shape)[0]


def centres(size: int = SIDE) -> NDArray[np.float64]:
    return (np.arange(size) + 0.5) / size - 0.5


def moments(cover: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Area / image area, and the centre (x, y) of each image's digit in image sides."""
    mass = cover.sum((1, 2))
    x = (cover.sum(1) * centres()).sum(1) / mass
    y = (cover.sum(2) * centres()).sum(1) / mass
    return mass / cover[0].size, x, y


def walls(difficulty: Difficulty, *, size: int = 16, count: int = COUNT) -> NDArray[np.float64]:
    """Images in [0, 1] without any digit; the colours are kept away from black and white."""
    pixels, _ = drawing.draw_block(generator(), count, size=size, difficulty=difficulty, glyphs=BLANK)
    values = pixels / 255.0
    inside = (values.min((1, 2, 3)) > 0.02) & (values.max((1, 2, 3)) < 0.98)
    assert inside.sum() > 20
    return values[inside]


@pytest.mark.parametrize(
    ("name", "lighter", "low", "high"),
    [("easy", False, 0.45, np.sqrt(3)), ("middle", True, 0.20, 0.50), ("hard", True, 0.15, 0.45)],
)
def test_colours_have_the_contrast_of_the_difficulty(name: str, lighter: bool, low: float, high: float) -> None:
    wall, digit = drawing.colours(generator(), 20_000, DIFFICULTIES[name])
    luminance = (digit - wall) @ [0.299, 0.587, 0.114]
    contrast = luminance if lighter else np.linalg.norm(digit - wall, axis=1)
    assert low <= contrast.min() < low + 0.01
    assert high - 0.3 < contrast.max() <= high
    assert (luminance > 0).all() == lighter
    for colour in (wall, digit):
        assert colour.min() >= 0
        assert colour.max() <= 1
        assert (colour.max(0) - colour.min(0) > 0.99).all()


def test_a_still_glyph_has_its_height_and_place() -> None:
    area, x, y = moments(covered(STILL, glyphs(18), count=3))
    assert area == pytest.approx(0.5 * 0.25, rel=0.02)
    assert np.abs(x).max() < 1e-12
    assert np.abs(y).max() < 1e-12


def test_height_and_aspect_scale_the_area() -> None:
    area, _, _ = moments(covered(replace(STILL, height=(0.4, 0.9)), glyphs(18)))
    heights = np.sqrt(area / 0.5)
    assert 0.39 < heights.min() < 0.42
    assert 0.88 < heights.max() < 0.91
    area, _, _ = moments(covered(replace(STILL, aspect=(0.7, 1.3)), glyphs(18)))
    assert 0.69 < area.min() / 0.125 < 0.73
    assert 1.27 < area.max() / 0.125 < 1.31


def test_shift_moves_the_centre_sideways_and_down() -> None:
    _, x, y = moments(covered(replace(STILL, height=(0.4, 0.4), shift=(0.10, 0.18)), glyphs(18)))
    for place, bound in ((x, 0.10), (y, 0.18)):
        assert bound - 0.01 < place.max() < bound + 3e-3
        assert -bound - 3e-3 < place.min() < -bound + 0.01
        assert abs(place.mean()) < 0.02


def test_rotation_turns_a_bar_by_up_to_its_degrees_both_ways() -> None:
    cover = covered(replace(STILL, height=(0.8, 0.8), rotation=30.0), glyphs(6))
    x, y = centres()[None, None, :], centres()[None, :, None]
    # the direction of the bar, from its second moments, against the upright
    angle = 0.5 * np.arctan2(2 * (cover * x * y).sum((1, 2)), (cover * (y**2 - x**2)).sum((1, 2)))
    degrees = np.rad2deg(angle)
    assert 29 < degrees.max() < 30.5
    assert -30.5 < degrees.min() < -29
    assert abs(degrees.mean()) < 2


def test_shear_slants_a_bar_and_keeps_its_height() -> None:
    cover = covered(replace(STILL, height=(0.8, 0.8), shear=0.30), glyphs(6))
    x, y = centres()[None, None, :], centres()[None, :, None]
    slope = (cover * x * y).sum((1, 2)) / (cover * y**2).sum((1, 2))
    assert 0.29 < slope.max() < 0.305
    assert -0.305 < slope.min() < -0.29
    rows = (cover.max(2) > 0.5).sum(1)
    assert rows.min() == rows.max()


@pytest.mark.parametrize("probability", [0.0, 0.4, 1.0])
def test_neighbours_stand_on_each_side_with_their_probability(probability: float) -> None:
    difficulty = replace(STILL, height=(0.3, 0.3), neighbour=probability)
    cover = covered(difficulty, glyphs(18), count=800)
    half_width = 0.3 * 0.25
    left = (cover[:, :, centres() < -half_width - 0.02] > 0.5).any((1, 2))
    right = (cover[:, :, centres() > half_width + 0.02] > 0.5).any((1, 2))
    assert left.mean() == pytest.approx(probability, abs=0.05)
    assert right.mean() == pytest.approx(probability, abs=0.05)
    assert (left & right).mean() == pytest.approx(probability**2, abs=0.05)  # one side does not know of the other


def test_the_gap_to_a_neighbour_is_in_digit_heights() -> None:
    difficulty = replace(STILL, height=(0.4, 0.4), neighbour=1.0, gap=(0.1, 0.2))
    middle_row = covered(difficulty, glyphs(18), size=64, count=150)[:, 32]
    x = centres(64)
    empty = ((middle_row < 0.5) & (x > 0.0) & (x < 0.4 * 0.75)).sum(1) / 64
    assert 0.03 < empty.min() < 0.055
    assert 0.065 < empty.max() < 0.095


def test_neighbours_are_digits_of_the_same_face_and_any_kind() -> None:
    """Faces that cover differently much never mix in one image; the middle digit is the label."""
    coverage = np.concatenate([glyphs(18).coverage, 0.5 * glyphs(18).coverage])
    cover = covered(replace(STILL, neighbour=1.0), Glyphs(coverage, np.full((2, 10), 0.5)))
    assert {round(float(value), 6) for value in cover.max((1, 2))} == {0.5, 1.0}
    only = np.zeros((1, 10, CANVAS, CANVAS))
    only[0, 3] = glyphs(18).coverage[0, 3]
    cover, labels = drawing._coverage(generator(), COUNT, 32, STILL, Glyphs(only, np.full((1, 10), 0.5)))
    assert ((cover[:, 16, 16] > 0.99) == (labels == 3)).all()


def test_the_ramp_is_linear_and_within_its_amplitude() -> None:
    relief = drawing._relief(generator(), COUNT, 16, replace(STILL, ramp=0.12))
    assert np.abs(np.diff(relief, n=2, axis=1)).max() < 1e-12
    assert np.abs(np.diff(relief, n=2, axis=2)).max() < 1e-12
    slope = np.diff(relief, axis=2)[:, 0, 0] * 16 / 2
    assert 0.118 < np.abs(slope).max() <= 0.12
    assert np.abs(relief.mean((1, 2))).max() < 1e-12


def test_the_texture_is_within_its_amplitude_and_smooth_between_25_values() -> None:
    relief = drawing._relief(generator(), COUNT, 15, replace(STILL, texture=0.12))
    assert 0.11 < np.abs(relief).max() <= 0.12 + 1e-12
    at_nodes = relief[:, 1::3, 1::3]  # of 15 pixels every third lies on one of the 5 values
    assert at_nodes.std() == pytest.approx(0.12 / np.sqrt(3), rel=0.02)
    between = relief[:, 1, 2], (2 * relief[:, 1, 1] + relief[:, 1, 4]) / 3
    assert np.allclose(*between, atol=1e-12)


def test_the_noise_has_its_standard_deviation() -> None:
    values = walls(replace(STILL, contrast=(0.20, 0.21), noise=0.03), count=2000)
    spread = values - values.mean((1, 2), keepdims=True)
    assert spread.std() == pytest.approx(0.03, rel=0.03)
    neighbours = (spread[:, :, 1:] * spread[:, :, :-1]).mean() / spread.var()
    assert abs(neighbours) < 0.02  # 1/256 of it is what centring takes


def test_the_blur_is_the_mean_over_3x3_pixels() -> None:
    image = generator().random((3, 7, 7, 3))
    expected = ndimage.uniform_filter(image, size=(1, 3, 3, 1), mode="nearest")
    assert np.allclose(drawing._average_3x3(image), expected, atol=1e-12)


def test_the_blur_is_mixed_in_up_to_its_share() -> None:
    """A sharp edge keeps at least a share 1 - blur * 2/3 of its step between the two pixels beside it."""
    difficulty = replace(STILL, blur=0.3, height=(0.5, 0.5))
    pixels, _ = drawing.draw_block(generator(), COUNT, size=32, difficulty=difficulty, glyphs=glyphs(36))
    values = pixels / 255.0
    row = values[:, 16]
    step = (row[:, 16] - row[:, 0]) @ drawing.LUMINANCE
    edge = (row[:, 8] - row[:, 7]) @ drawing.LUMINANCE
    share = (1 - edge / step) * 3 / 2
    sharp = covered(STILL, glyphs(36), size=32, count=1)[0, 16]
    offset = (1 - (sharp[8] - sharp[7])) * 3 / 2  # what bilinear look-up softens by itself
    assert share.min() == pytest.approx(offset, abs=0.03)
    assert 0.27 < share.max() - offset < 0.33


def test_a_digit_has_its_colour_and_the_wall_its_own() -> None:
    wall, digit = drawing.colours(generator(), COUNT, STILL)
    pixels, _ = drawing.draw_block(generator(), COUNT, size=16, difficulty=STILL, glyphs=glyphs(36))
    assert np.abs(pixels[:, 0, 0] / 255.0 - wall).max() <= 0.5 / 255 + 1e-9
    assert np.abs(pixels[:, 8, 8] / 255.0 - digit).max() <= 0.5 / 255 + 1e-9
