"""The error over the weight of the skip connection, as SVG text that is drawn anew at every move of a slider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasbook.analysis.skip_domination import error_variance
from nasbook.figures import style
from nasbook.widgets import page

if TYPE_CHECKING:
    from nasbook.widgets.skip_theory import SkipTheoryResult

WIDTH, HEIGHT, EDGE = 440, 240, 44  # pixels: of the plot, and of the border with the ticks
BARS = 62  # pixels above the plot for the two weights
_POINTS = 60
_SKIP, _CONV = style.operation("skip_connect"), style.operation("sep_conv_3x3")


def svg(result: SkipTheoryResult, words: str) -> str:
    """Two bars for the weights, under them the curve with both operations at its ends and its minimum as a star.

    Args:
        result: of the widget's `compute`.
        words: what it shows, for screen readers.
    """
    top = 1.1 * max(result.skip, result.conv)
    thetas = [place / _POINTS for place in range(_POINTS + 1)]
    variances = [
        error_variance(theta, skip=result.skip, conv=result.conv, covariance=result.covariance) for theta in thetas
    ]
    line = " ".join(f"{_across(theta):.1f},{_down(value, top):.1f}" for theta, value in zip(thetas, variances))
    x, y = _across(result.theta), _down(result.error, top)
    floor = _down(0, top)
    inside = (
        f"{_bar(8, 'θ_skip*', result.theta, _SKIP.colour)}{_bar(32, 'θ_conv*', 1 - result.theta, _CONV.colour)}"
        f"{_ticks(top)}"
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x:.1f}" y2="{floor:.1f}" stroke="{style.GREEN}" stroke-dasharray="4 3"/>'
        f'<polyline points="{line}" fill="none" stroke="{style.INK}" stroke-width="2"/>'
        f'<rect x="{_across(0) - 4:.1f}" y="{_down(result.conv, top) - 4:.1f}" width="8" height="8" '
        f'fill="{_CONV.colour}"/>'
        f'<circle cx="{_across(1):.1f}" cy="{_down(result.skip, top):.1f}" r="4.5" fill="{_SKIP.colour}"/>'
        f'<text x="{_across(0) + 9:.1f}" y="{_down(result.conv, top) - 5:.1f}">convolution alone</text>'
        f'<text x="{_across(1) - 9:.1f}" y="{_down(result.skip, top) - 5:.1f}" text-anchor="end">skip alone</text>'
        f'<text x="{x:.1f}" y="{y + 8:.1f}" font-size="22" text-anchor="middle" fill="{style.GREEN}" '
        f'stroke="{style.INK}" stroke-width="0.6">★</text>'
    )
    return page.svg(WIDTH + EDGE + 20, HEIGHT + BARS + 48, words, inside)


def _bar(y: float, name: str, weight: float, colour: str) -> str:
    """A weight from 0 to 1, with its name and its number."""
    return (
        f'<text x="4" y="{y + 12:.0f}">{name}</text>'
        f'<rect x="64" y="{y:.0f}" width="{max(1.0, 300 * weight):.1f}" height="15" fill="{colour}"/>'
        f'<text x="{72 + 300 * weight:.1f}" y="{y + 12:.0f}">{weight:.3f}</text>'
    )


def _ticks(top: float) -> str:
    """A light grid with numbers, and the names of both axes."""
    parts = []
    for place in range(5):
        x, y, value = _across(place / 4), _down(top * place / 4, top), top * place / 4
        parts.append(
            f'<path d="M{x:.1f} {_down(top, top):.1f}V{_down(0, top):.1f}M{_across(0):.1f} {y:.1f}H{_across(1):.1f}" '
            f'stroke="{style.LIGHT}"/><text x="{x:.1f}" y="{_down(0, top) + 15:.1f}" text-anchor="middle">'
            f'{place / 4:g}</text><text x="{EDGE - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>'
        )
    label = f'<text x="{_across(0.5):.1f}" y="{_down(0, top) + 32:.1f}" text-anchor="middle">'
    return f"{''.join(parts)}{label}weight θ of the skip connection; upwards, the variance of the error</text>"


def _across(theta: float) -> float:
    """Pixels from the left."""
    return EDGE + WIDTH * theta


def _down(variance: float, top: float) -> float:
    """Pixels from the top."""
    return BARS + HEIGHT * (1 - variance / top)
