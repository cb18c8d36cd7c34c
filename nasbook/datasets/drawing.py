"""How one image of street_numbers comes about: a digit and its neighbours, seen at a slant, on a wall.

Everything is drawn for a block of images at once. Coordinates: x to the right, y down, the image's side is 1 and its
centre 0; in a glyph's own frame the unit is the glyph's height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

GLYPH, CANVAS = 36, 48  # a template is a glyph of 36 pixels height, centred on 48 x 48
LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
SUPERSAMPLING = 2  # glyphs are drawn at twice the size and averaged down
TEXTURE_CELLS = 5


@dataclass(frozen=True)
class Difficulty:
    """The knobs. A pair is the range of a uniform draw; a single number a draws from [-a, a] unless said otherwise.

    Args:
        lighter: the digit is lighter than the wall; otherwise only the colours' distance is bounded.
        contrast: bounds of the luminance gap digit - wall, or (not `lighter`) of the distance in RGB.
        rotation: in degrees.
        shear: sideways for each unit of height.
        height: of the digit / image side.
        aspect: stretch of the width.
        shift: of the digit's centre, in x and in y, / image side.
        neighbour: probability of a further digit, on each side.
        gap: between two digits / digit height.
        ramp, texture: amplitudes of the wall's linear change and of its 5x5 noise, per channel.
        blur: largest share of the 3x3-averaged image.
        noise: standard deviation of the pixel noise.
    """

    lighter: bool = True
    contrast: tuple[float, float] = (0.20, 0.50)
    rotation: float = 30.0
    shear: float = 0.30
    height: tuple[float, float] = (0.45, 0.95)
    aspect: tuple[float, float] = (0.70, 1.30)
    shift: tuple[float, float] = (0.10, 0.18)
    neighbour: float = 0.90
    gap: tuple[float, float] = (0.02, 0.12)
    ramp: float = 0.12
    texture: float = 0.12
    blur: float = 0.30
    noise: float = 0.06


@dataclass(frozen=True, eq=False)
class Glyphs:
    """Pictures of the ten digits in several faces.

    Args:
        coverage: (faces, 10, 48, 48), 0 outside the glyph and 1 inside.
        widths: (faces, 10), in glyph heights.
    """

    coverage: Array
    widths: Array


def draw_block(
    generator: np.random.Generator, count: int, *, size: int, difficulty: Difficulty, glyphs: Glyphs
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images uint8 (count, size, size, 3) and labels int64 (count,)."""
    wall, digit = colours(generator, count, difficulty)
    covered, labels = _coverage(generator, count, size, difficulty, glyphs)
    back = wall[:, None, None, :] + _relief(generator, count, size, difficulty)
    image = back + (digit[:, None, None, :] - back) * covered[..., None]
    share = generator.uniform(0.0, difficulty.blur, count)[:, None, None, None]
    image += share * (_average_3x3(image) - image)
    image += difficulty.noise * generator.standard_normal(image.shape)
    return np.rint(image.clip(0.0, 1.0) * 255.0).astype(np.uint8), labels


def colours(generator: np.random.Generator, count: int, difficulty: Difficulty) -> tuple[Array, Array]:
    """Colours of wall and digit, (count, 3) each in [0, 1]: uniform among those of the right contrast."""
    pairs = generator.random((count, 2, 3))
    while True:
        difference = pairs[:, 1] - pairs[:, 0]
        contrast = difference @ LUMINANCE if difficulty.lighter else np.linalg.norm(difference, axis=1)
        wrong = (contrast < difficulty.contrast[0]) | (contrast > difficulty.contrast[1])
        if not wrong.any():
            return pairs[:, 0], pairs[:, 1]
        pairs[wrong] = generator.random((int(wrong.sum()), 2, 3))


def _coverage(
    generator: np.random.Generator, count: int, size: int, difficulty: Difficulty, glyphs: Glyphs
) -> tuple[Array, NDArray[np.int64]]:
    """How much of each pixel is digit, (count, size, size), and the labels of the middle digits."""
    face = generator.integers(0, len(glyphs.widths), count)
    labels = generator.integers(0, 10, count)
    x, y = _glyph_frame(generator, count, SUPERSAMPLING * size, difficulty)
    covered = _look_up(glyphs.coverage[face, labels], x, y)
    for side in (-1.0, 1.0):
        other = generator.integers(0, 10, count)
        gap = generator.uniform(*difficulty.gap, count)
        there = generator.random(count) < difficulty.neighbour
        distance = (glyphs.widths[face, labels] + glyphs.widths[face, other]) / 2.0 + gap
        beside = x[there] - side * distance[there, None, None]
        further = _look_up(glyphs.coverage[face[there], other[there]], beside, y[there])
        covered[there] = np.maximum(covered[there], further)
    parts = covered.reshape(count, size, SUPERSAMPLING, size, SUPERSAMPLING)
    return parts.mean(axis=(2, 4)), labels.astype(np.int64)


def _glyph_frame(generator: np.random.Generator, count: int, side: int, difficulty: Difficulty) -> tuple[Array, Array]:
    """Where each pixel of a side x side grid lies in the glyph's own frame: x and y, (count, side, side)."""
    angle = np.deg2rad(_symmetric(generator, difficulty.rotation, (count, 1, 1)))
    shear = _symmetric(generator, difficulty.shear, (count, 1, 1))
    height = generator.uniform(*difficulty.height, (count, 1, 1))
    aspect = generator.uniform(*difficulty.aspect, (count, 1, 1))
    right, down = (_symmetric(generator, shift, (count, 1, 1)) for shift in difficulty.shift)
    centres = (np.arange(side) + 0.5) / side - 0.5
    x, y = centres[None, None, :] - right, centres[None, :, None] - down
    turned_x = np.cos(angle) * x + np.sin(angle) * y
    turned_y = (np.cos(angle) * y - np.sin(angle) * x) / height
    return turned_x / (height * aspect) + shear * turned_y, turned_y


def _look_up(templates: Array, x: Array, y: Array) -> Array:
    """Bilinear values of one template an image, (count, 48, 48), at its points; beyond the edge the edge's value."""
    count = len(templates)
    column, row = (np.clip(value * GLYPH + (CANVAS - 1) / 2.0, 0.0, CANVAS - 1.0) for value in (x, y))
    left, top = (np.minimum(value.astype(np.intp), CANVAS - 2) for value in (column, row))
    to_right, to_bottom = column - left, row - top
    flat = templates.reshape(-1)
    corner = (np.arange(count) * CANVAS**2)[:, None, None] + top * CANVAS + left
    upper = flat[corner] * (1.0 - to_right) + flat[corner + 1] * to_right
    lower = flat[corner + CANVAS] * (1.0 - to_right) + flat[corner + CANVAS + 1] * to_right
    return upper * (1.0 - to_bottom) + lower * to_bottom


def _relief(generator: np.random.Generator, count: int, size: int, difficulty: Difficulty) -> Array:
    """What the wall adds to its colour, (count, size, size, 3): a linear change and enlarged 5x5 noise."""
    across, along = _symmetric(generator, difficulty.ramp, (2, count, 1, 1, 3))
    cells = _symmetric(generator, difficulty.texture, (count, TEXTURE_CELLS, TEXTURE_CELLS, 3))
    centres = (np.arange(size) + 0.5) / size
    ramp = across * (2.0 * centres - 1.0)[None, None, :, None] + along * (2.0 * centres - 1.0)[None, :, None, None]
    place = np.clip(centres * TEXTURE_CELLS - 0.5, 0.0, TEXTURE_CELLS - 1.0)
    hat = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(TEXTURE_CELLS)))  # (size, 5), rows add up to 1
    texture: Array = np.einsum("yi,nijc,xj->nyxc", hat, cells, hat, optimize=True)
    return ramp + texture


def _average_3x3(image: Array) -> Array:
    """Mean over each pixel's 3x3 neighbourhood, the border repeated; (count, size, size, 3)."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    total: Array = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    return total / 9.0


def _symmetric(generator: np.random.Generator, amplitude: float, shape: tuple[int, ...]) -> Array:
    return generator.uniform(-amplitude, amplitude, shape)
