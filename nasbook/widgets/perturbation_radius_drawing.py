"""Operation weights before and after a perturbation as SVG text, with loss and accuracy, drawn anew at every move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from nasbook.analysis.smoothing import Perturbed
from nasbook.figures import style
from nasbook.figures.smoothing import WeightRow, row_marks, weight_rows
from nasbook.spaces import Space
from nasbook.widgets import page

LEFT, BARS, ROW = 150, 320, 34  # pixels: of the names, of a weight of one, from row to row
TOP = 34
_COLUMN = 4
_NARROWEST = 0.12  # weight that has room for its number


def svgs(measured: Perturbed, space: Space, words: str) -> tuple[str, str]:
    """For each row two stacked bars, thin before and thick after, with the weights as numbers; and two scales.

    Args:
        measured: before and after.
        space: of the search.
        words: what it shows, for screen readers.
    """
    rows = weight_rows(measured, space)
    marks = row_marks(rows)
    bars = "".join(_row(row, TOP + ROW * place, marks) for place, row in enumerate(rows))
    weights = page.svg(LEFT + BARS + 12, TOP + ROW * len(rows) + 10, words, _legend(marks) + bars)
    return weights, page.svg(250, TOP + 150, "Loss and accuracy before and after.", _scales(measured))


def _legend(marks: Mapping[str, style.Mark]) -> str:
    step = (LEFT + BARS) / max(len(marks), 1)
    return "".join(
        f'<rect x="{8 + step * place:.0f}" y="8" width="12" height="12" fill="{mark.colour}"/>'
        f'<text x="{24 + step * place:.0f}" y="18">{escape(mark.label)}</text>'
        for place, mark in enumerate(marks.values())
    )


def _row(row: WeightRow, top: float, marks: Mapping[str, style.Mark]) -> str:
    """The name, the thin bar of before, and the thick one of after with its numbers."""
    name = f'<text x="{LEFT - 8}" y="{top + 18}" text-anchor="end">{escape(row.name)}</text>'
    thin = _stack("before", row.columns, row.before, top, 6, marks)
    thick = _stack("after", row.columns, row.after, top + 7, 17, marks)
    return name + thin + thick


def _stack(
    kind: str,
    columns: Sequence[str],
    values: Sequence[float],
    top: float,
    height: float,
    marks: Mapping[str, style.Mark],
) -> str:
    parts, left = [], float(LEFT)
    for column, value in zip(columns, values, strict=True):
        wide = BARS * value
        parts.append(
            f'<rect class="{kind}" x="{left:.2f}" y="{top}" width="{wide:.2f}" height="{height}" '
            f'fill="{marks[column].colour}" stroke="white" stroke-width="0.5"/>'
        )
        if kind == "after" and value >= _NARROWEST:
            middle = left + wide / 2
            parts.append(
                f'<text x="{middle:.1f}" y="{top + 13}" text-anchor="middle" fill="white" stroke="{style.INK}" '
                f'stroke-width="2.4" paint-order="stroke" font-size="11">{value:.2f}</text>'
            )
        left += wide
    return "".join(parts)


def _scales(measured: Perturbed) -> str:
    """Loss and accuracy, before and after, as bars with their numbers; the loss from 0 to the larger of the two."""
    most = max(*measured.loss, 1e-9)
    parts = []
    for place, (name, values, largest, form) in enumerate(
        (("loss (nats)", measured.loss, most, ".3f"), ("accuracy (%)", measured.accuracy, 100.0, ".1f"))
    ):
        top = TOP + 82 * place
        parts.append(f'<text x="{_COLUMN}" y="{top}" font-weight="bold">{name}</text>')
        for row, (when, value, colour) in enumerate(
            (("before", values[0], style.GREY), ("after", values[1], style.BLUE))
        ):
            y = top + 10 + 24 * row
            parts.append(
                f'<text x="{_COLUMN}" y="{y + 12}">{when}</text>'
                f'<rect class="{name.split()[0]}" x="{_COLUMN + 48}" y="{y}" width="{120 * value / largest:.2f}" '
                f'height="15" fill="{colour}"/>'
                f'<text x="{_COLUMN + 54 + 120 * value / largest:.0f}" y="{y + 12}">{value:{form}}</text>'
            )
    return "".join(parts)
