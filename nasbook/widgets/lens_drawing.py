"""The microscope's view as boxes and curves: accuracies over the epochs with a cursor, weights edge by edge."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from matplotlib import colormaps
from matplotlib.colors import to_hex

from nasbook.figures import style
from nasbook.figures.drawing import Box, Curve, Drawing, Point
from nasbook.widgets.lens import View

WIDTH = 400.0
_LEFT, _RIGHT = 46.0, 62.0
_CHART_TOP, _CHART_HEIGHT = 48.0, 92.0
_TABLE_TOP = 188.0
_ROW = 19.0


def draw_view(view: View) -> Drawing:
    """One run at one epoch, without its cell (which `figures.cell_svg` draws)."""
    if view.genotype is None:
        return Drawing(WIDTH, 40.0, (_text("title", WIDTH / 2, 18, view.sentence(), 9.0),), view.sentence())
    at = view.at
    heading = f"{view.title}: epoch {view.epoch} of {view.numbers[-1]}"
    scores = f"supernet accuracy: validation {view.valid[at]:.1f} %, training {view.train[at]:.1f} %"
    shapes = [
        _text("title", WIDTH / 2, 8, heading, 9.5),
        _text("scores", WIDTH / 2, 24, scores, 8.0),
        *_chart(view),
        *_table(view),
    ]
    height = _TABLE_TOP + _ROW * len(view.edges) + 6
    return Drawing(WIDTH, height, tuple(shapes), view.sentence())


def _chart(view: View) -> list[Box | Curve]:
    """Accuracies in percent against epochs, 0 to 100."""
    shapes: list[Box | Curve] = []
    for percent in (0, 50, 100):
        y = _height_of(percent)
        shapes.append(_segment(f"grid-{percent}", (_LEFT, y), (WIDTH - _RIGHT, y), style.LIGHT, 0.8))
        shapes.append(_text(f"tick-{percent}", _LEFT - 18, y, f"{percent} %", 7.0))
    cursor = _place_of(view.epoch, view)
    top, bottom = _height_of(100), _height_of(0)
    shapes.append(_segment("cursor", (cursor, top - 4), (cursor, bottom + 4), style.VERMILLION, 1.4))
    shapes.append(_text("cursor", cursor, bottom + 13, str(view.epoch), 7.5))
    ends = {}
    for name, values, colour, dash in (
        ("training", view.train, style.GREY, (4.0, 2.0)),
        ("validation", view.valid, style.BLUE, ()),
    ):
        points = [(_place_of(epoch, view), _height_of(value)) for epoch, value in zip(view.numbers, values)]
        shapes += [
            _segment(f"{name}-{epoch}", start, end, colour, 1.6, dash)
            for epoch, (start, end) in enumerate(pairwise(points), start=1)
        ]
        spot = points[view.at]
        shapes.append(Box(f"{name}-spot", *spot, 7, 7, face=colour, edge="white", radius=3.5))
        ends[name] = points[-1][1]
    gap = ends["training"] - ends["validation"]
    push = max(0.0, 13.0 - abs(gap)) / 2 * (1 if gap > 0 else -1)  # two labels at one height would cover each other
    for name, move in (("training", push), ("validation", -push)):
        shapes.append(_text(f"{name}-label", WIDTH - _RIGHT / 2 + 2, ends[name] + move, name, 7.0))
    return shapes


def _table(view: View) -> list[Box | Curve]:
    """A row an edge, a column an operation: darker is less; a tick marks what the derived cell holds."""
    columns = len(view.operations[0])
    wide = (WIDTH - _LEFT - 8) / columns
    alike = len(set(view.operations)) == 1
    size = 7.0 if columns <= 4 else 6.0
    shapes: list[Box | Curve] = [_text("edge-head", _LEFT / 2, _TABLE_TOP - 10, "edge", 7.0)]
    if alike:
        shapes += [
            _text(f"head-{name}", _LEFT + (column + 0.5) * wide, _TABLE_TOP - 10, style.operation(name).label, size)
            for column, name in enumerate(view.operations[0])
        ]
    for edge, (label, names) in enumerate(zip(view.edges, view.operations, strict=True)):
        y = _TABLE_TOP + (edge + 0.5) * _ROW
        for column, weight in enumerate(view.weights[edge]):
            kept = view.kept[edge] == column
            mark, name = "✓" if kept else "", "" if alike else style.operation(names[column]).label
            words = f"{mark} {weight:.2f} {name}".strip()
            face, border = _shade(weight), style.INK if kept else "white"
            spot = (_LEFT + (column + 0.5) * wide, y, wide - 2, _ROW - 2)
            key = f"weight-{edge}-{column}"
            shapes.append(Box(key, *spot, words, face, border, 2.0, size, colour=_ink_on(face)))
        shapes.append(_text(f"edge-{edge}", _LEFT / 2, y, f"▸ {label}" if edge == view.edge else label, 7.5))
    chosen = _TABLE_TOP + (view.edge + 0.5) * _ROW
    shapes.append(Box("chosen", WIDTH / 2, chosen, WIDTH - 4, _ROW + 1, "", "none", style.VERMILLION, 3.0, dash=(3, 2)))
    return shapes


def _place_of(epoch: int, view: View) -> float:
    first, last = view.numbers[0], view.numbers[-1]
    share = 0.5 if first == last else (epoch - first) / (last - first)
    return _LEFT + 6 + share * (WIDTH - _LEFT - _RIGHT - 12)


def _height_of(percent: float) -> float:
    return _CHART_TOP + _CHART_HEIGHT * (1 - percent / 100)


def _text(key: str, x: float, y: float, words: str, size: float) -> Box:
    return Box(f"text-{key}", x, y, 0, 0, words, "none", "none", size=size)


def _segment(key: str, start: Point, end: Point, colour: str, width: float, dash: tuple[float, ...] = ()) -> Curve:
    """A straight line."""
    first = (start[0] + (end[0] - start[0]) / 3, start[1] + (end[1] - start[1]) / 3)
    second = (start[0] + (end[0] - start[0]) * 2 / 3, start[1] + (end[1] - start[1]) * 2 / 3)
    return Curve(key, (start, first, second, end), colour, width, dash, arrow=False)


def _shade(weight: float) -> str:
    return _colour(round(100 * min(max(weight, 0.0), 1.0)))


@cache
def _colour(percent: int) -> str:
    return to_hex(colormaps[style.SEQUENTIAL](percent / 100))


def _ink_on(face: str) -> str:
    """White on dark, black on light (relative luminance as for contrast ratios, without the gamma)."""
    red, green, blue = (int(face[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return "white" if 0.30 * red + 0.59 * green + 0.11 * blue < 0.5 else style.BLACK
