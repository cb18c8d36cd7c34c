"""Boxes and curves, independent of what draws them: matplotlib for pictures, SVG text for widgets (fast, and scalable).

Lengths are hundredths of an inch, y grows downwards, text and line widths are in points.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path

from nasbook.figures import style

Point = tuple[float, float]
UNITS_PER_POINT = 100 / 72
ARROW = 7.0


@dataclass(frozen=True)
class Box:
    """A rounded box with a text in its middle.

    Args:
        key: names the box in the drawing, and in tests.
        x: centre.
        y: centre.
        width: of the box.
        height: of the box.
        text: one line; may be empty.
        face: fill colour, or "none".
        edge: colour of the border, or "none".
        radius: of the corners.
        size: of the text, in points.
        dash: of the border, in points.
        colour: of the text.
        opacity: of the whole.
        upright: whether the text runs upwards.
    """

    key: str
    x: float
    y: float
    width: float
    height: float
    text: str = ""
    face: str = "white"
    edge: str = style.INK
    radius: float = 6.0
    size: float = 9.0
    dash: tuple[float, ...] = ()
    colour: str = style.INK
    opacity: float = 1.0
    upright: bool = False

    def overlaps(self, other: Box, gap: float = 0.0) -> bool:
        """Whether two boxes come closer than `gap`."""
        return (
            abs(self.x - other.x) < (self.width + other.width) / 2 + gap
            and abs(self.y - other.y) < (self.height + other.height) / 2 + gap
        )

    def holds(self, points: np.ndarray, gap: float = 0.0) -> np.ndarray:
        """Which of the points (N, 2) lie in the box, or within `gap` of it."""
        reach = np.array([self.width / 2 + gap, self.height / 2 + gap])
        return np.all(np.abs(points - (self.x, self.y)) < reach, axis=1)


@dataclass(frozen=True)
class Curve:
    """A cubic Bezier curve.

    Args:
        key: names the curve in the drawing, and in tests.
        points: start, two control points, end.
        colour: of the line.
        width: in points.
        dash: in points; empty for a solid line.
        opacity: of the line.
        arrow: whether a head stands at its end.
    """

    key: str
    points: tuple[Point, Point, Point, Point]
    colour: str = style.GREY
    width: float = 1.6
    dash: tuple[float, ...] = ()
    opacity: float = 1.0
    arrow: bool = True

    def at(self, t: float | np.ndarray) -> np.ndarray:
        """Points of the curve at parameters t in [0, 1]: (2,) or (N, 2)."""
        t = np.asarray(t, dtype=float)[..., None]
        start, first, second, end = (np.array(point) for point in self.points)
        return (1 - t) ** 3 * start + 3 * t * (1 - t) ** 2 * first + 3 * t**2 * (1 - t) * second + t**3 * end

    def head(self) -> list[Point]:
        """The three corners of the arrow's head."""
        size = ARROW + self.width
        end, back = np.array(self.points[3]), np.array(self.points[2])
        along = (end - back) / max(float(np.linalg.norm(end - back)), 1e-9)
        across = np.array([-along[1], along[0]]) * size * 0.42
        base = end - along * size
        return [(float(x), float(y)) for x, y in (end, base + across, base - across)]


@dataclass(frozen=True)
class Drawing:
    """Shapes on a canvas, from the back to the front, and the sentence that says what they show."""

    width: float
    height: float
    shapes: tuple[Box | Curve, ...]
    alt: str

    def boxes(self, prefix: str = "") -> list[Box]:
        """The boxes whose key begins so."""
        return [shape for shape in self.shapes if isinstance(shape, Box) and shape.key.startswith(prefix)]

    def curves(self, prefix: str = "") -> list[Curve]:
        """The curves whose key begins so."""
        return [shape for shape in self.shapes if isinstance(shape, Curve) and shape.key.startswith(prefix)]


def draw(drawing: Drawing, ax: Axes) -> None:
    """Draw on axes, which then show the canvas and nothing else."""
    ax.set(xlim=(0, drawing.width), ylim=(drawing.height, 0), aspect="equal")
    ax.set_axis_off()
    for level, shape in enumerate(drawing.shapes):
        if isinstance(shape, Curve):
            _draw_curve(shape, ax, level)
        else:
            _draw_box(shape, ax, level)


def _draw_curve(curve: Curve, ax: Axes, level: int) -> None:
    path = Path(list(_line(curve)), [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    line = PathPatch(path, fill=False, edgecolor=curve.colour, linewidth=curve.width, alpha=curve.opacity)
    line.set(linestyle=(0, curve.dash) if curve.dash else "-", gid=curve.key, zorder=level, capstyle="butt")
    ax.add_patch(line)
    if curve.arrow:
        head = Polygon(curve.head(), facecolor=curve.colour, edgecolor="none", alpha=curve.opacity)
        head.set(gid=f"{curve.key}-head", zorder=level)
        ax.add_patch(head)


def _draw_box(box: Box, ax: Axes, level: int) -> None:
    radius = min(box.radius, box.width / 2, box.height / 2)
    corner = (box.x - box.width / 2, box.y - box.height / 2)
    patch = FancyBboxPatch(corner, box.width, box.height, boxstyle=f"round,pad=0,rounding_size={radius}")
    patch.set(facecolor=box.face, edgecolor=box.edge, linewidth=1.1, alpha=box.opacity, gid=box.key, zorder=level)
    patch.set_linestyle((0, box.dash) if box.dash else "-")
    ax.add_patch(patch)
    if box.text:
        align = "center" if box.upright else "center_baseline"
        words = ax.text(box.x, box.y, box.text, ha="center", va=align, color=box.colour, rotation=90 * box.upright)
        words.set(fontsize=box.size, alpha=box.opacity, zorder=level + 0.5)


def _line(curve: Curve) -> tuple[Point, Point, Point, Point]:
    """The curve without the last bit that its head covers."""
    if not curve.arrow:
        return curve.points
    tip, left, right = curve.head()
    base = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
    shift = ((base[0] - tip[0]) * 0.8, (base[1] - tip[1]) * 0.8)
    start, first, second, end = curve.points
    return start, first, (second[0] + shift[0], second[1] + shift[1]), (end[0] + shift[0], end[1] + shift[1])


def svg(drawing: Drawing) -> str:
    """The drawing as one SVG element that fits its container; screen readers read its sentence."""
    title = escape(drawing.alt)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}" '
        f'role="img" aria-label="{title}" font-family="DejaVu Sans, Verdana, sans-serif" '
        f'style="max-width:{drawing.width / 100:.2f}in;width:100%;background:white">',
        f"<title>{title}</title>",
    ]
    parts += [_svg_curve(shape) if isinstance(shape, Curve) else _svg_box(shape) for shape in drawing.shapes]
    return "\n".join([*parts, "</svg>"])


def _svg_curve(curve: Curve) -> str:
    numbers = [f"{x:.1f} {y:.1f}" for x, y in _line(curve)]
    dash = _svg_dash(curve.dash)
    opacity = f' opacity="{curve.opacity:g}"' if curve.opacity < 1 else ""
    head = ""
    if curve.arrow:
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in curve.head())
        head = f'<polygon points="{corners}" fill="{curve.colour}"/>'
    return (
        f'<g data-key="{escape(curve.key)}"{opacity}><path d="M{numbers[0]} C{numbers[1]} {numbers[2]} {numbers[3]}" '
        f'fill="none" stroke="{curve.colour}" stroke-width="{curve.width * UNITS_PER_POINT:.2f}"{dash}/>{head}</g>'
    )


def _svg_box(box: Box) -> str:
    opacity = f' opacity="{box.opacity:g}"' if box.opacity < 1 else ""
    radius = min(box.radius, box.width / 2, box.height / 2)
    words = ""
    if box.text:
        size = box.size * UNITS_PER_POINT
        turn = f' transform="rotate(-90 {box.x:.1f} {box.y:.1f})"' if box.upright else ""
        words = (
            f'<text x="{box.x:.1f}" y="{box.y + 0.35 * size:.1f}" text-anchor="middle" font-size="{size:.1f}" '
            f'fill="{box.colour}"{turn}>{escape(box.text)}</text>'
        )
    return (
        f'<g data-key="{escape(box.key)}"{opacity}><rect x="{box.x - box.width / 2:.1f}" '
        f'y="{box.y - box.height / 2:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius:.1f}" '
        f'fill="{box.face}" stroke="{box.edge}" stroke-width="1.5"{_svg_dash(box.dash)}/>{words}</g>'
    )


def _svg_dash(dash: tuple[float, ...]) -> str:
    if not dash:
        return ""
    return f' stroke-dasharray="{" ".join(f"{length * UNITS_PER_POINT * 1.3:.1f}" for length in dash)}"'


def text_width(text: str, size: float) -> float:
    """About how wide a text is, in hundredths of an inch."""
    return 0.62 * size * UNITS_PER_POINT * len(text)
