"""The alpha-w plane as SVG text: fast enough to be drawn anew at every step of a widget."""

from __future__ import annotations

from html import escape

from nasbook.analysis import bilevel_toy as toy
from nasbook.figures import style
from nasbook.widgets import page

SIDE, EDGE = 300, 34  # pixels: of the square, and of the border with the ticks
LOW, HIGH = -2.4, 3.0  # every start that the widget offers stays in here
TICKS = (-2, -1, 0, 1, 2, 3)


def svg(title: str, path: toy.Trajectory, mark: style.Mark) -> str:
    """One plane: the line of best weights, the exact answer as a star, the path and where it stands now.

    Args:
        title: stands above the plane.
        path: from the start to the current step.
        mark: the colour of the method.
    """
    points = [(_across(float(alpha)), _up(float(w))) for alpha, w in zip(path.alpha, path.w)]
    alpha, w = path.end
    words = f"{title}: after {len(points) - 1} steps alpha is {alpha:.3f} and w is {w:.3f}."
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    (start_x, start_y), (x, y) = points[0], points[-1]
    steps = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{mark.colour}"/>' for x, y in points)
    inside = (
        f'<text x="{EDGE}" y="16" font-weight="bold">{escape(title)}</text>{_grid()}'
        f'<line x1="{_across(LOW)}" y1="{_up(LOW)}" x2="{_across(HIGH)}" y2="{_up(HIGH)}" stroke="{style.GREY}" '
        'stroke-dasharray="5 3"/>'
        f'<text x="{_across(-1.3):.1f}" y="{_up(-1.65):.1f}" fill="{style.GREY}">w = w*(α)</text>'
        f'<polyline points="{line}" fill="none" stroke="{mark.colour}" stroke-width="1.5"/>{steps}'
        f'<rect x="{start_x - 4:.1f}" y="{start_y - 4:.1f}" width="8" height="8" fill="white" stroke="{style.INK}"/>'
        f'<text x="{_across(toy.SOLUTION[0]):.1f}" y="{_up(toy.SOLUTION[1]) + 7:.1f}" font-size="22" '
        f'text-anchor="middle" fill="{style.YELLOW}" stroke="{style.INK}" stroke-width="0.8">★</text>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{mark.colour}" stroke="{style.INK}" stroke-width="1.2"/>'
    )
    return page.svg(SIDE + EDGE, SIDE + 2 * EDGE, words, inside, size=11)


def _grid() -> str:
    parts = []
    for tick in TICKS:
        x, y = _across(tick), _up(tick)
        parts.append(
            f'<path d="M{x:.1f} {_up(LOW):.1f}V{_up(HIGH):.1f}M{_across(LOW):.1f} {y:.1f}H{_across(HIGH):.1f}" '
            f'stroke="{style.LIGHT}"/><text x="{x:.1f}" y="{_up(LOW) + 14:.1f}" text-anchor="middle">{tick}</text>'
            f'<text x="{EDGE - 5}" y="{y + 4:.1f}" text-anchor="end">{tick}</text>'
        )
    middle = EDGE + SIDE / 2 - 6
    names = f'<text x="{middle}" y="{_up(LOW) + 29:.1f}">α</text><text x="4" y="{middle}">w</text>'
    return "".join(parts) + names


def _across(alpha: float) -> float:
    """Pixels from the left."""
    return EDGE + SIDE * (alpha - LOW) / (HIGH - LOW) - 4


def _up(w: float) -> float:
    """Pixels from the top."""
    return EDGE + SIDE * (HIGH - w) / (HIGH - LOW) - 8
