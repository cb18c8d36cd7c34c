"""The microscope's view as boxes and curves: accuracies over the epochs with a cursor, weights edge by edge.

What a search recorded besides stands in tracks of their own between the two; without any there is no room for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

from matplotlib import colormaps
from matplotlib.colors import to_hex

from nasbook.figures import style
from nasbook.figures.drawing import Box, Curve, Drawing, Point
from nasbook.widgets.lens import Track, View

WIDTH = 400.0
_LEFT, _RIGHT = 46.0, 62.0
_CHART_TOP, _CHART_HEIGHT = 48.0, 92.0
_TABLE_TOP = 188.0  # without tracks
_TRACK_GAP, _TRACK_HEIGHT = 18.0, 36.0
_ROW = 19.0
_EDGE_WEIGHT = 50.0  # the column of edge weights, where there are any
_LABEL_GAP = 13.0  # closer labels would cover each other
_TRACK_COLOURS = {"eigenvalue": style.PURPLE, "skip_weight": style.operation("skip_connect").colour}


def draw_view(view: View) -> Drawing:
    """One run at one epoch, without its cell (which `figures.cell_svg` draws)."""
    if not view.numbers:
        return Drawing(WIDTH, 40.0, (_text("title", WIDTH / 2, 18, view.sentence(), 9.0),), view.sentence())
    heading = f"{view.title}: epoch {view.epoch} of {view.numbers[-1]}"
    shapes = [
        _text("title", WIDTH / 2, 8, heading, 9.5),
        _text("scores", WIDTH / 2, 24, _scores(view), 8.0),
        *_chart(view),
        *(shape for place, track in enumerate(view.tracks) for shape in _track(view, track, _track_top(place))),
        *_table(view),
    ]
    height = _table_top(view) + _ROW * len(view.edges) + 6
    return Drawing(WIDTH, height, tuple(shapes), view.sentence())


def _scores(view: View) -> str:
    training = f", training {view.train[view.at]:.1f} %" if view.train else ""
    scores = f"validation {view.valid[view.at]:.1f} %{training}"
    derived = view.derived.values[view.at] if view.derived else None
    if derived is None:
        return f"supernet accuracy: {scores}"
    if not view.train:
        return f"supernet {view.valid[view.at]:.1f} %, derived cell {derived:.1f} % (validation)"
    return f"accuracy: {scores}, derived cell {derived:.1f} %"


def _chart(view: View) -> list[Box | Curve]:
    """Accuracies in percent against epochs, 0 to 100."""
    shapes: list[Box | Curve] = []
    for percent in (0, 50, 100):
        y = _height_of(percent)
        shapes.append(_segment(f"grid-{percent}", (_LEFT, y), (WIDTH - _RIGHT, y), style.LIGHT, 0.8))
        shapes.append(_text(f"tick-{percent}", _LEFT - 18, y, f"{percent} %", 7.0))
    shapes += _cursor(view)
    curves: list[tuple[str, Sequence[float | None], str, tuple[float, ...]]] = []
    if view.train:
        curves.append(("training", view.train, style.GREY, (4.0, 2.0)))
    curves.append(("validation" if view.train else "supernet", view.valid, style.BLUE, ()))
    if view.derived is not None:
        curves.append((view.derived.label, view.derived.values, style.GREEN, (2.0, 1.5)))
    ends = {}
    for name, values, colour, dash in curves:
        shapes += _line(name, values, view, _height_of, colour, dash)
        ends[name] = _height_of([value for value in values if value is not None][-1])
    for name, y in _apart(ends).items():
        shapes.append(_text(f"{name}-label", WIDTH - _RIGHT / 2 + 2, y, name, 7.0))
    return shapes


def _cursor(view: View) -> list[Box | Curve]:
    """A line through chart and tracks at the epoch that is shown, with its number below."""
    x, top = _place_of(view.epoch, view), _height_of(100)
    bottom = _track_top(len(view.tracks)) - _TRACK_GAP
    return [
        _segment("cursor", (x, top - 4), (x, bottom + 4), style.VERMILLION, 1.4),
        _text("cursor", x, bottom + 13, f"epoch {view.epoch}", 7.5),
    ]


def _track(view: View, track: Track, top: float) -> list[Box | Curve]:
    """One quantity over the epochs, between its smallest and its largest value; 0 always belongs to the scale."""
    values = [value for value in track.values if value is not None]
    low, high = min(0.0, *values), max(0.0, *values)
    high = high if high > low else low + 1.0

    def height_of(value: float) -> float:
        return top + _TRACK_HEIGHT * (1 - (value - low) / (high - low))

    shapes: list[Box | Curve] = []
    for value in (low, high):
        y = height_of(value)
        shapes.append(_segment(f"{track.key}-grid-{value:g}", (_LEFT, y), (WIDTH - _RIGHT, y), style.LIGHT, 0.8))
        shapes.append(_text(f"{track.key}-tick-{value:g}", _LEFT - 18, y, f"{value:.2g}", 7.0))
    shapes += _line(track.key, track.values, view, height_of, _TRACK_COLOURS[track.key], ())
    here = track.values[view.at]
    middle = top + _TRACK_HEIGHT / 2
    shapes.append(_text(f"{track.key}-label", WIDTH - _RIGHT / 2 + 2, middle - 7, track.label, 6.0))
    shapes.append(_text(f"{track.key}-value", WIDTH - _RIGHT / 2 + 2, middle + 7, _number(here), 7.0))
    return shapes


def _line(
    name: str,
    values: Sequence[float | None],
    view: View,
    height_of: Callable[[float], float],
    colour: str,
    dash: tuple[float, ...],
) -> list[Box | Curve]:
    """Values over the epochs, broken where one is missing, and a spot at the epoch that is shown."""
    points = [
        None if value is None else (_place_of(epoch, view), height_of(value))
        for epoch, value in zip(view.numbers, values, strict=True)
    ]
    shapes: list[Box | Curve] = [
        _segment(f"{name}-{epoch}", start, end, colour, 1.6, dash)
        for epoch, (start, end) in enumerate(pairwise(points), start=1)
        if start is not None and end is not None
    ]
    spot = points[view.at]
    return (
        shapes if spot is None else [*shapes, Box(f"{name}-spot", *spot, 7, 7, face=colour, edge="white", radius=3.5)]
    )


def _apart(ends: Mapping[str, float]) -> dict[str, float]:
    """Heights at which labels do not cover each other, as near to their own as can be."""
    names = sorted(ends, key=lambda name: ends[name])
    heights = [ends[name] for name in names]
    for _ in range(10):  # one push may bring a label nearer to the next
        for place, (upper, lower) in enumerate(pairwise(heights)):
            push = max(0.0, _LABEL_GAP - (lower - upper)) / 2
            heights[place], heights[place + 1] = upper - push, lower + push
    return dict(zip(names, heights))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _track_top(place: int) -> float:
    return _CHART_TOP + _CHART_HEIGHT + _TRACK_GAP + place * (_TRACK_HEIGHT + _TRACK_GAP)


def _table_top(view: View) -> float:
    return _TABLE_TOP + len(view.tracks) * (_TRACK_HEIGHT + _TRACK_GAP)


def _table(view: View) -> list[Box | Curve]:
    """A row an edge, a column an operation: darker is less; a tick marks what the derived cell holds."""
    top = _table_top(view)
    shapes: list[Box | Curve] = list(_heads(view, top))
    for edge, label in enumerate(view.edges):
        y = top + (edge + 0.5) * _ROW
        shapes += _weights(view, edge, y)
        if view.edge_weights:
            box = _shaded(f"edge-weight-{edge}", _edge_weight_place(), y, _EDGE_WEIGHT, view.edge_weights[edge])
            shapes.append(replace(box, size=_size(view)))
        marked = bool(view.chosen) and edge == view.edge
        shapes.append(_text(f"edge-{edge}", _LEFT / 2, y, f"▸ {label}" if marked else label, 7.5))
        if marked:
            frame = Box("chosen", WIDTH / 2, y, WIDTH - 4, _ROW + 1, "", "none", style.VERMILLION, 3.0, dash=(3, 2))
            shapes.append(frame)
    return shapes


def _heads(view: View, top: float) -> list[Box]:
    """What stands in each column; edges with lists of their own name their operations in each box."""
    heads = [_text("edge-head", _LEFT / 2, top - 10, "edge", 7.0)]
    if _alike(view):
        heads += [
            _text(
                f"head-{name}", _LEFT + (column + 0.5) * _wide(view), top - 10, style.operation(name).label, _size(view)
            )
            for column, name in enumerate(view.operations[0])
        ]
    if view.edge_weights:
        heads.append(_text("head-edge-weight", _edge_weight_place(), top - 10, "edge weight", 6.0))
    return heads


def _weights(view: View, edge: int, y: float) -> list[Box]:
    """The operations of one edge."""
    wide, boxes = _wide(view), []
    for column, weight in enumerate(view.weights[edge]):
        kept = view.kept[edge] == column
        name = "" if _alike(view) else style.operation(view.operations[edge][column]).label
        words = f"{'✓' if kept else ''} {weight:.2f} {name}".strip()
        box = _shaded(f"weight-{edge}-{column}", _LEFT + (column + 0.5) * wide, y, wide, weight)
        boxes.append(replace(box, text=words, edge=style.INK if kept else "white", size=_size(view)))
    return boxes


def _shaded(key: str, x: float, y: float, wide: float, weight: float) -> Box:
    """A box of a table, as dark as its weight is small."""
    face = _shade(weight)
    return Box(key, x, y, wide - 2, _ROW - 2, f"{weight:.2f}", face, "white", 2.0, colour=_ink_on(face))


def _alike(view: View) -> bool:
    """Whether all edges have the same candidates."""
    return len(set(view.operations)) == 1


def _wide(view: View) -> float:
    """Of an operation's column."""
    return (WIDTH - _LEFT - 8 - (_EDGE_WEIGHT if view.edge_weights else 0)) / len(view.operations[0])


def _size(view: View) -> float:
    """Of the words of the table, in points."""
    return 7.0 if _wide(view) > 80 else 6.0 if _wide(view) > 40 else 5.0


def _edge_weight_place() -> float:
    return WIDTH - 8 - _EDGE_WEIGHT / 2


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
