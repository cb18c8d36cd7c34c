"""One decision and the course of the supernet as SVG text, drawn anew at every step."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nasbook.figures import style
from nasbook.figures.selection import KEPT, LEFT_OUT, option
from nasbook.selection.records import Record, favourite

NAME, BARS, GAP, ROW = 84, 170, 66, 24  # pixels: names, the longest bar, between the two columns, a row
TOP = 40
COURSE = 120  # pixels: height of the course


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
    return _svg(second + BARS + GAP, foot + 22, words, parts)


def course_svg(points: Sequence[tuple[float, float]], count: int, words: str) -> str:
    """The supernet's accuracy before and after each decision that is made.

    Args:
        points: before and after, in percent.
        count: decisions in all.
        words: what it shows, for screen readers.
    """
    most = max((value for pair in points for value in pair), default=1.0)
    width = NAME + 2 * BARS + GAP
    places = [NAME + (width - NAME) * (place + 0.5) / count for place in range(count)]

    def up(value: float) -> float:
        return 20 + COURSE * (1 - value / most)

    line = " ".join(
        f"{x + shift:.1f},{up(value):.1f}"
        for x, pair in zip(places, points, strict=False)
        for shift, value in zip((-6, 6), pair, strict=True)
    )
    parts = [f'<text x="{NAME}" y="12" font-weight="bold">supernet before and after each decision (%)</text>']
    for value in (0.0, most):
        y = up(value)
        parts.append(f'<path d="M{NAME} {y:.1f}H{width}" stroke="{style.LIGHT}"/>')
        parts.append(f'<text x="{NAME - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    parts += [f'<text x="{x:.1f}" y="{COURSE + 36}" text-anchor="middle">{n}</text>' for n, x in enumerate(places, 1)]
    parts.append(f'<polyline points="{line}" fill="none" stroke="{KEPT.colour}" stroke-width="2"/>')
    return _svg(width + 20, COURSE + 42, words, parts)


def _bar(kind: str, x: int, y: int, share: float, colour: str, text: str) -> str:
    width = BARS * min(max(share, 0.0), 1.0)
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width:.1f}" height="{ROW - 8}" fill="{colour}" '
        f'stroke="{style.INK}"/><text x="{x + width + 5:.1f}" y="{y + 13}">{escape(text)}</text>'
    )


def _svg(width: int, height: int, words: str, parts: Sequence[str]) -> str:
    return (
        f'<svg role="img" aria-label="{escape(words)}" width="{width}" height="{height}" style="background:white" '
        f'font-family="sans-serif" font-size="12" fill="{style.INK}">{"".join(parts)}</svg>'
    )
