"""One decision and the course of the supernet as SVG text, drawn anew at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from nasbook.figures import drawing, style
from nasbook.figures.cells import draw_cell
from nasbook.figures.drawing import Curve
from nasbook.figures.selection import KEPT, LEFT_OUT, option
from nasbook.selection.records import Record, favourite
from nasbook.spaces import SearchSpace, TopologySpace
from nasbook.widgets import page

NAME, BARS, GAP, ROW = 84, 170, 66, 22  # pixels: names, the longest bar, between the two columns, a row
TOP = 40
CELL = (380.0, 250.0)  # hundredths of an inch
COURSE = (300, 130)  # pixels: width and height of the course
HALO = 28.0  # points: width of the mark on an edge that is decided


def cell_svg(space: SearchSpace | TopologySpace, kind: str, weights: Mapping[str, Any], decision: Record | None) -> str:
    """The cell so far, with a yellow band under the edges that a decision is about.

    Args:
        space: the search space.
        kind: which cell.
        weights: the operation weights of the cell.
        decision: the next decision, or the last one that was made.
    """
    shown = draw_cell(space, kind, weights=weights, shape=CELL)
    if decision is None:
        return drawing.svg(shown)
    marks = tuple(_marks(space, kind, decision, shown.curves("edge-")))
    words = f"{shown.alt} A yellow band marks {decision['where']}."
    return drawing.svg(replace(shown, shapes=(*marks, *shown.shapes), alt=words))


def _marks(space: SearchSpace | TopologySpace, kind: str, decision: Record, curves: Sequence[Curve]) -> Iterator[Curve]:
    """A wide curve under each edge that a decision is about. It follows the curve of the edge's middle operation."""
    cell = space.groups[kind]
    rows = [decision["where"]] if decision["kind"] == "operation" else decision["options"]
    for name in rows:
        source, target = cell.edges[cell.rows.index(name)]
        along = [curve for curve in curves if curve.key.startswith(f"edge-{source}-{target}-")]
        middle = along[len(along) // 2]
        yield replace(middle, key=f"decided-{name}", colour=style.YELLOW, width=HALO, dash=(), arrow=False)


def bars_svg(made: Record, words: str) -> str:
    """Beside each option its operation weight, and the supernet's accuracy without it.

    Args:
        made: a decision; without `kept` it is still to be made.
        words: what it shows, for screen readers.
    """
    kept, first = made.get("kept", ()), favourite(made)
    most = max(*made["accuracies"], made["before"], 1.0)
    second = NAME + BARS + GAP
    rows = zip(made["options"], made["weights"], made["accuracies"], strict=True)
    parts = [
        f'<text x="{NAME}" y="16" font-weight="bold">{escape(made["where"])}: operation weight</text>',
        f'<text x="{second}" y="16" font-weight="bold">supernet without it (%)</text>',
    ]
    for row, (name, weight, accuracy) in enumerate(rows):
        y, mark = TOP + ROW * row, KEPT if name in kept else LEFT_OUT
        parts += [
            f'<text x="{NAME - 6}" y="{y + 13}" text-anchor="end">{escape(option(name))}</text>',
            _bar("weight", NAME, y, weight, mark.colour, f"{weight:.2f}{' ▲' if name == first else ''}"),
            _bar("without", second, y, accuracy / most, mark.colour, f"{accuracy:.1f}{' kept' * (name in kept)}"),
        ]
    foot, x = TOP + ROW * len(made["options"]), second + BARS * made["before"] / most
    parts += [
        f'<path class="before" d="M{x:.1f} {TOP - 8}V{foot}" stroke="{style.INK}" stroke-dasharray="5 3"/>',
        f'<text x="{x:.1f}" y="{TOP - 11}" text-anchor="middle">now {made["before"]:.1f}</text>',
        f'<text x="{NAME}" y="{foot + 14}">▲ largest weight</text>',
    ]
    return page.svg(second + BARS + GAP, foot + 22, words, "".join(parts))


def course_svg(points: Sequence[tuple[float, float]], count: int, words: str) -> str:
    """The supernet's accuracy before and after each decision that is made.

    Args:
        points: before and after, in percent.
        count: decisions in all.
        words: what it shows, for screen readers.
    """
    most = max((value for pair in points for value in pair), default=1.0)
    left, (width, height) = 28, COURSE
    places = [left + (width - left) * (place + 0.5) / count for place in range(count)]

    def up(value: float) -> float:
        return 20 + height * (1 - value / most)

    line = " ".join(
        f"{x + shift:.1f},{up(value):.1f}"
        for x, pair in zip(places, points, strict=False)
        for shift, value in zip((-6, 6), pair, strict=True)
    )
    parts = ['<text x="0" y="12" font-weight="bold">supernet before and after each decision (%)</text>']
    for value in (0.0, most):
        y = up(value)
        parts.append(f'<path d="M{left} {y:.1f}H{width}" stroke="{style.LIGHT}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    parts += [f'<text x="{x:.1f}" y="{height + 36}" text-anchor="middle">{n}</text>' for n, x in enumerate(places, 1)]
    parts.append(f'<polyline points="{line}" fill="none" stroke="{KEPT.colour}" stroke-width="2"/>')
    return page.svg(width + 10, height + 42, words, "".join(parts))


def _bar(kind: str, x: int, y: int, share: float, colour: str, text: str) -> str:
    width = BARS * min(max(share, 0.0), 1.0)
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width:.1f}" height="{ROW - 8}" fill="{colour}" '
        f'stroke="{style.INK}"/><text x="{x + width + 5:.1f}" y="{y + 13}" stroke="white" stroke-width="4" '
        f'paint-order="stroke">{escape(text)}</text>'
    )
