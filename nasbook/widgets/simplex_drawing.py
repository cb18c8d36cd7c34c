"""Samples on the triangle, and beside it what they show in numbers, as SVG text drawn anew as a slider moves."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbook.figures import style
from nasbook.figures.distributions import CORNERS, LABELS, plane
from nasbook.widgets import page

if TYPE_CHECKING:
    from nasbook.widgets.simplex import SimplexResult

SIDE, LEFT, TOP = 300, 24, 30  # pixels: of the triangle, and of the border with the corners' names
BARS = 210  # pixels: the longest bar


def triangle(result: SimplexResult, words: str, dots: int) -> str:
    """The triangle with samples, their mean as a cross and the expected weights as a diamond.

    Args:
        result: of the widget's `compute`.
        words: what it shows, for screen readers.
        dots: how many of the samples are drawn.
    """
    height = TOP + CORNERS[:, 1].max() * SIDE + 34
    samples = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in _pixels(result.samples[:dots]))
    outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in _place(CORNERS))
    names = "".join(
        f'<text x="{x:.1f}" y="{y - 8 if top else y + 18:.1f}" text-anchor="middle">{escape(label)}</text>'
        for (x, y), label, top in zip(_place(CORNERS), LABELS, CORNERS[:, 1] > 0, strict=True)
    )
    inside = (
        f'<polygon points="{outline}" fill="none" stroke="{style.GREY}"/>{names}'
        f'<path d="{samples}" stroke="{style.BLUE}" stroke-width="4" stroke-linecap="round" stroke-opacity="0.5"/>'
        f"{_diamond(result)}{_cross(result)}"
    )
    return page.svg(SIDE + 2 * LEFT, height, words, inside)


def numbers(result: SimplexResult) -> str:
    """What the samples show in numbers."""
    words = f"The mean entropy is {result.entropy:.3f} nats."
    return page.svg(300, 200, words, _entropy_bar(result) + _weights(result) + _gradient(result))


def _diamond(result: SimplexResult) -> str:
    ((x, y),) = _pixels(result.expected[None])
    return (
        f'<path class="expected" d="M{x - 8:.1f} {y:.1f}L{x:.1f} {y - 8:.1f}L{x + 8:.1f} {y:.1f}L{x:.1f} {y + 8:.1f}Z" '
        f'fill="none" stroke="{style.INK}" stroke-width="2"/>'
    )


def _cross(result: SimplexResult) -> str:
    ((x, y),) = _pixels(result.mean[None])
    arms = f"M{x - 7:.1f} {y:.1f}h14M{x:.1f} {y - 7:.1f}v14"
    return (
        f'<path d="{arms}" stroke="white" stroke-width="5"/>'
        f'<path class="mean" d="{arms}" stroke="{style.VERMILLION}" stroke-width="3"/>'
    )


def _entropy_bar(result: SimplexResult) -> str:
    """The mean entropy from 0 to log 3, with a tick in the middle."""
    middle = 0 + BARS / 2
    return (
        f'<text x="{0}" y="14">entropy {result.entropy:.3f} nats = {result.share:.3f} log 3</text>'
        f'<rect x="{0}" y="20" width="{BARS}" height="14" fill="none" stroke="{style.GREY}"/>'
        f'<rect class="entropy" x="{0}" y="20" width="{BARS * result.share:.1f}" height="14" '
        f'fill="{style.BLUE}"/><path d="M{middle} 16v22" stroke="{style.INK}"/>'
        f'<text x="{middle}" y="50" text-anchor="middle">half</text>'
    )


def _weights(result: SimplexResult) -> str:
    """Mean and expected weights in numbers, beside the mark that each has on the triangle."""
    rows = (("+ mean of samples", result.mean, 74), ("◇ softmax of logits", result.expected, 94))
    return "".join(
        f'<text x="{0}" y="{y}">{name}</text>'
        f'<text x="{0 + 130}" y="{y}">{", ".join(f"{value:.3f}" for value in values.tolist())}</text>'
        for name, values, y in rows
    )


def _gradient(result: SimplexResult) -> str:
    """Variance and bias of one sample's gradient, and the length of the exact gradient to compare them with."""
    shown = result.gradient
    lines = (
        "gradient of the expected weight 1",
        f"exact: length {float(shown.exact.norm()):.3f}",
        f"one sample: variance {shown.variance:.3g}, deviation {math.sqrt(shown.variance):.3g}",
        f"on average: off by {shown.bias:.3f} (chance: {shown.noise:.3f})",
    )
    return "".join(f'<text x="{0}" y="{126 + 20 * row}">{line}</text>' for row, line in enumerate(lines))


def _pixels(weights: Any) -> np.ndarray:
    """Weights (samples, 3) as pixels (samples, 2)."""
    return _place(plane(weights))


def _place(points: np.ndarray) -> np.ndarray:
    """Points of the plane as pixels; y grows downwards."""
    height = CORNERS[:, 1].max()
    return np.stack([LEFT + SIDE * points[:, 0], TOP + SIDE * (height - points[:, 1])], axis=1)
