"""The line to an architecture and the surface around a search as SVG text: fast enough to be drawn at every step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib import colormaps
from matplotlib.colors import to_hex

from nasbook.figures import style
from nasbook.figures.sharpness import COLOURS, DIRECTIONS, MEASURED, TAYLOR
from nasbook.instruments import Landscape, Line
from nasbook.widgets import page

WIDTH, LEFT, BOTTOM = 350, 48, 34  # pixels
TALL, LOW, SIDE = 190, 110, 270  # heights of the loss and of the accuracy, side of the surface
Curve = tuple[Sequence[float], style.Mark]


@dataclass(frozen=True)
class Panel:
    """Axes of one chart: data to pixels."""

    lowest: float
    highest: float
    top: float
    height: float

    def across(self, t: float) -> float:
        """Pixels from the left, of t from 0 to 1."""
        return LEFT + (WIDTH - LEFT - 12) * t

    def up(self, value: float) -> float:
        """Pixels from the top."""
        return self.top + self.height * (self.highest - value) / (self.highest - self.lowest)

    def frame(self, name: str, form: str) -> str:
        """Grid lines with their numbers, and the name of what is drawn."""
        parts = [f'<text x="{LEFT}" y="{self.top - 7:.1f}" font-weight="bold">{escape(name)}</text>']
        for place in range(4):
            value = self.lowest + (self.highest - self.lowest) * place / 3
            y = self.up(value)
            parts.append(
                f'<path d="M{LEFT} {y:.1f}H{self.across(1):.1f}" stroke="{style.LIGHT}"/>'
                f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{value:{form}}</text>'
            )
        return "".join(parts)

    def curve(self, t: Sequence[float], values: Sequence[float], mark: style.Mark, at: int) -> str:
        """A line, and a ring at one of its points."""
        points = " ".join(f"{self.across(x):.1f},{self.up(y):.1f}" for x, y in zip(t, values, strict=True))
        dash = f' stroke-dasharray="{" ".join(f"{2 * length:g}" for length in mark.dash)}"' if mark.dash else ""
        return (
            f'<polyline points="{points}" fill="none" stroke="{mark.colour}" stroke-width="1.8"{dash}/>'
            f'<circle cx="{self.across(t[at]):.1f}" cy="{self.up(values[at]):.1f}" r="5" fill="white" '
            f'stroke="{mark.colour}" stroke-width="2"/>'
        )


def line_svg(line: Line, at: int, words: str) -> str:
    """Loss with both Taylor estimates, and accuracy below, with a ring at one point.

    Args:
        line: what was measured.
        at: index of the point.
        words: what a screen reader says.
    """
    losses: list[Curve] = [(line.taylor(gradient=each).tolist(), mark) for each, mark in TAYLOR.items()]
    losses.append((line.loss, MEASURED))
    loss = _panel([value for values, _ in losses for value in values], 24, TALL)
    below = 24 + TALL + 74
    accuracy = Panel(0.0, max(*line.accuracy, 1.0), below, LOW)
    parts = [loss.frame("loss (nats)", ".2f"), accuracy.frame("accuracy (%)", ".0f")]
    parts += [loss.curve(line.t, values, mark, at) for values, mark in losses]
    parts.append(accuracy.curve(line.t, line.accuracy, MEASURED, at))
    parts += [_legend(row, mark, 24 + TALL + 16) for row, (_, mark) in enumerate(losses)]
    foot = below + LOW + 16
    parts += [f'<text x="{accuracy.across(t):.1f}" y="{foot}" text-anchor="middle">{t:g}</text>' for t in (0, 0.5, 1)]
    parts.append(f'<text x="{accuracy.across(0.5):.1f}" y="{foot + 15}" text-anchor="middle">t</text>')
    return page.svg(WIDTH, foot + 22, words, "".join(parts), size=11)


def _panel(values: Sequence[float], top: float, height: float) -> Panel:
    low, high = min(values), max(values)
    return Panel(low, high if high > low else low + 1.0, top, height)


def _legend(row: int, mark: style.Mark, top: float) -> str:
    y = top + 15 * row
    dash = f' stroke-dasharray="{" ".join(f"{2 * length:g}" for length in mark.dash)}"' if mark.dash else ""
    return (
        f'<path d="M{LEFT} {y:.1f}h34" stroke="{mark.colour}" stroke-width="1.8"{dash}/>'
        f'<text x="{LEFT + 40}" y="{y + 4:.1f}">{escape(mark.label)}</text>'
    )


def surface_svg(surface: Landscape, at: tuple[int, int], words: str) -> str:
    """Accuracy over the plane, a square for each point that was measured, with a ring at one of them.

    Args:
        surface: what was measured.
        at: (row, column) of the point.
        words: what a screen reader says.
    """
    count, cell = len(surface.offsets), SIDE / len(surface.offsets)
    flat = [value for row in surface.accuracy for value in row]
    low, high = min(flat), max(flat)
    colours = colormaps[COLOURS["accuracy"]]
    parts = [f'<text x="{LEFT}" y="16" font-weight="bold">accuracy: {low:.0f} % dark to {high:.0f} % bright</text>']
    for row in range(count):
        for column in range(count):
            share = (surface.accuracy[row][column] - low) / ((high - low) or 1.0)
            x, y, side = LEFT + cell * column, 24 + cell * (count - 1 - row), cell + 0.3  # no seams between squares
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" '
                f'fill="{to_hex(colours(share))}"/>'
            )
    middle = count // 2
    x, y = _centre_of(middle, middle, count)
    parts.append(f'<path d="M{x - 6:.1f} {y:.1f}h12M{x:.1f} {y - 6:.1f}v12" stroke="white" stroke-width="4"/>')
    parts.append(f'<path d="M{x - 6:.1f} {y:.1f}h12M{x:.1f} {y - 6:.1f}v12" stroke="{style.INK}" stroke-width="1.5"/>')
    x, y = _centre_of(*at, count)
    for colour, wide in (("white", 5), (style.VERMILLION, 2.5)):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="none" stroke="{colour}" stroke-width="{wide}"/>')
    parts += _ticks(surface)
    return page.svg(LEFT + SIDE + 12, 24 + SIDE + BOTTOM, words, "".join(parts), size=11)


def _centre_of(row: int, column: int, count: int) -> tuple[float, float]:
    cell = SIDE / count
    return LEFT + cell * (column + 0.5), 24 + cell * (count - row - 0.5)


def _ticks(surface: Landscape) -> Iterable[str]:
    count, foot = len(surface.offsets), 24 + SIDE
    for place in (0, count // 2, count - 1):
        x, y = _centre_of(place, place, count)
        text = f"{surface.offsets[place]:g}"
        yield f'<text x="{x:.1f}" y="{foot + 14}" text-anchor="middle">{text}</text>'
        yield f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    way = DIRECTIONS[surface.direction]
    yield f'<text x="{LEFT + SIDE / 2:.1f}" y="{foot + 29}" text-anchor="middle">{escape(way)}</text>'
    turned = f'transform="translate(13 {24 + SIDE / 2:.1f}) rotate(-90)" text-anchor="middle"'
    yield f"<text {turned}>random, orthogonal</text>"
