"""Cells as graphs: an architecture's cell, a search space's cell, and a cell in the middle of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from nasbook.figures import choice_blocks, drawing, graph, layout, style
from nasbook.figures.drawing import Box, Curve, Drawing
from nasbook.figures.picture import Picture
from nasbook.figures.words import TITLES, describe_genotype, describe_mixed, describe_space
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Cell, Genotype, NodeCell, SearchSpace, Topology, TopologySpace, read
from nasbook.spaces.nas_bench_201 import TopologyCell

KINDS = ("normal", "reduce")
Drawn = Genotype | SearchSpace | Topology | TopologySpace | NodeCell
_LEGEND_ROW = 22.0
_RIBBON = 11.0  # points, the operations of a mixed edge together
_FEW = 3  # up to so many operations are drawn side by side where they have no weights
_FADED = 0.22


@style.styled
def cell(
    what: Drawn | str,
    kind: str = "normal",
    *,
    weights: Mapping[str, Any] | None = None,
    highlight: Genotype | Topology | None = None,
    ax: Axes | None = None,
) -> Picture:
    """A cell drawn as a graph.

    An architecture shows one operation an edge; a space shows all of them side by side; a space with weights shows a
    mixed cell, each operation as thick as its weight. A fixed reduction is one box.

    Args:
        what: an architecture or its text, or a search space.
        kind: "normal", or "reduce" in the DARTS family.
        weights: group to (edges, operations) weights in [0, 1], of a space's cell.
        highlight: the architecture whose edges stand out in a space's cell.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: no such kind of cell, or weights of another shape.
    """
    what = read(what) if isinstance(what, str) else what
    _check(what, kind)
    shape = None
    if ax is None:
        ax = style.figure(_size(what), height=_height(what) / 100)[1]
    else:
        box = ax.get_position()
        across, down = style.root(ax).get_size_inches() * (box.width, box.height)
        shape = (100 * across, 100 * down)
    shown = draw_cell(what, kind, weights=weights, highlight=highlight, shape=shape)
    drawing.draw(shown, ax)
    return Picture(style.root(ax), shown.alt)


def cell_svg(
    what: Drawn,
    kind: str = "normal",
    *,
    weights: Mapping[str, Any] | None = None,
    highlight: Genotype | Topology | None = None,
) -> str:
    """The same as `cell`, as the text of one SVG element: some milliseconds' work, for widgets."""
    return drawing.svg(draw_cell(what, kind, weights=weights, highlight=highlight))


def kinds(architecture: Genotype | Topology | NodeCell) -> tuple[str, ...]:
    """The cells of an architecture, by name: those that were searched."""
    return tuple(kind for kind in KINDS if architecture.cell(kind)) if isinstance(architecture, Genotype) else KINDS[:1]


def draw_cell(
    what: Drawn,
    kind: str = "normal",
    *,
    weights: Mapping[str, Any] | None = None,
    highlight: Genotype | Topology | None = None,
    shape: tuple[float, float] | None = None,
) -> Drawing:
    """The shapes of a cell (see `cell`), on a canvas of `shape` hundredths of an inch."""
    _check(what, kind)
    width, height = shape or (100 * style.SIZES[_size(what)][0], _height(what))
    if isinstance(what, NodeCell):
        return choice_blocks.draw(what, width, height)
    if isinstance(what, Genotype | Topology):
        return _draw_genotype(what, kind, width, height) if what.edges(kind) else _fixed(width, height)
    space_cell = what.groups.get(kind)
    if space_cell is None:
        return _fixed(width, height)
    return _draw_space(what, space_cell, kind, weights, highlight, width, height)


def _check(what: Any, kind: str) -> None:
    if what.family not in graph.FRAMES and not isinstance(what, NodeCell):
        raise UsageError(f"Space {what.name} is not drawn, as its choices are not edges; its architectures are.")
    known = KINDS if what.family == "darts" else KINDS[:1]
    if kind not in known:
        raise UsageError(f"A cell is {' or '.join(known)}, not {kind!r}.")


def _size(what: Drawn) -> str:
    if isinstance(what, NodeCell):
        return "wide"
    if isinstance(what, Topology | TopologySpace):
        return "single"
    nodes = what.nodes("normal") if isinstance(what, Genotype) else what.nodes
    return "single" if nodes <= 2 else "wide"


def _height(what: Drawn) -> float:
    if isinstance(what, Genotype | Topology | NodeCell):
        return 280.0
    return 210.0 if what.edges == 1 else 340.0


@lru_cache(maxsize=256)
def _draw_genotype(genotype: Genotype | Topology, kind: str, width: float, height: float) -> Drawing:
    triples = genotype.edges(kind)
    edges = tuple((source, target) for source, target, _ in triples)
    outputs = genotype.concat(kind) if isinstance(genotype, Genotype) else ()
    nodes = graph.place(edges, outputs, width, height, graph.FRAMES[genotype.family])
    curves = [
        graph.edge(*each, nodes, bow=bow, width=2.0, arrow=True)
        for each, bow in zip(triples, layout.bows(edges, nodes), strict=True)
    ]
    joins = graph.joins(nodes, outputs)
    shapes: tuple[Box | Curve, ...] = (*joins, *curves, *nodes.values(), *_pills(curves, nodes))
    return Drawing(width, height, shapes, describe_genotype(genotype, kind))


def _draw_space(
    space: SearchSpace | TopologySpace,
    cell: Cell | TopologyCell,
    kind: str,
    weights: Mapping[str, Any] | None,
    highlight: Genotype | Topology | None,
    width: float,
    height: float,
) -> Drawing:
    values = _weights_of(cell, kind, weights)
    legend = _legend(tuple(dict.fromkeys(sum(cell.operations, ()))), width, height)
    outputs = cell.nodes if isinstance(cell, Cell) else ()
    free = min(shape.y for shape in legend if isinstance(shape, Box)) - 11
    nodes = graph.place(cell.edges, outputs, width, free, graph.FRAMES[space.family])
    kept = frozenset(highlight.edges(kind)) if highlight else None
    curves = _edges(cell, values, nodes)
    named = [curve for curve in curves if kept is None or graph.triple(curve) in kept]
    if kept is not None:
        curves = [replace(curve, opacity=1.0 if curve in named else _FADED) for curve in curves]
        curves.sort(key=lambda curve: curve.opacity)
    elif len(cell.edges) > 1:
        named = []
    alt = describe_space(space, kind) if values is None else describe_mixed(cell, kind, values)
    if highlight is not None:
        alt += f" Highlighted is an architecture. {describe_genotype(highlight, kind)}"
    joins = graph.joins(nodes, outputs)
    return Drawing(width, height, (*joins, *curves, *nodes.values(), *_pills(named, nodes), *legend), alt)


def _ribbon(
    cell: Cell | TopologyCell, index: int, values: np.ndarray, nodes: Mapping[int, Box], bow: float
) -> list[Curve]:
    """The curves of one mixed edge: one ribbon, in which each operation is as wide as its weight."""
    names = cell.operations[index]
    widths = _RIBBON * np.clip(values[index], 0, 1)
    ends = np.cumsum(widths)
    lanes = (ends - widths / 2 - ends[-1] / 2) * drawing.UNITS_PER_POINT
    return [
        graph.edge(*cell.edges[index], name, nodes, bow=bow, lane=float(lane), width=float(width), dashed=False)
        for name, lane, width in zip(names, lanes, widths, strict=True)
    ]


def _edges(cell: Cell | TopologyCell, values: np.ndarray | None, nodes: Mapping[int, Box]) -> list[Curve]:
    """The curves of all edges of a space's cell."""
    bows = layout.bows(cell.edges, nodes)
    if len(cell.edges) == 1:  # one edge alone has the room to be read
        names = cell.operations[0]
        widths = [2.0] * len(names) if values is None else [0.6 + _RIBBON * float(weight) for weight in values[0]]
        arcs = [62 * (lane - (len(names) - 1) / 2) for lane in range(len(names))]
        return [
            graph.edge(*cell.edges[0], name, nodes, bow=arc, width=width)
            for name, arc, width in zip(names, arcs, widths, strict=True)
        ]
    if values is not None:
        return [curve for index, bow in enumerate(bows) for curve in _ribbon(cell, index, values, nodes, bow)]
    if len(cell.operations[0]) > _FEW and len(set(cell.operations)) == 1:
        return [
            Curve(
                f"edge-{source}-{target}-all",
                layout.route(nodes[source], nodes[target], bow=bow),
                width=2.6,
                arrow=False,
            )
            for (source, target), bow in zip(cell.edges, bows, strict=True)
        ]
    return graph.side_by_side(cell, nodes)


def _pills(curves: Sequence[Curve], nodes: Mapping[int, Box]) -> list[Box]:
    names = [graph.triple(curve)[2] for curve in curves]
    sizes = [_label_size(style.operation(name).label) for name in names]
    spots = layout.label_spots(curves, sizes, list(nodes.values()))
    return [
        _label(curve.key.replace("edge", "label", 1), name, spot)
        for curve, name, spot in zip(curves, names, spots, strict=True)
    ]


def _weights_of(cell: Cell | TopologyCell, kind: str, weights: Mapping[str, Any] | None) -> np.ndarray | None:
    if weights is None:
        return None
    if kind not in weights:
        raise UsageError(f"There are no weights of the {TITLES[kind]}; there are those of {', '.join(weights)}.")
    values = style.array(weights[kind])
    if values.shape != cell.shape:
        raise UsageError(f"The {TITLES[kind]} takes weights of shape {cell.shape}, not {values.shape}.")
    return values


def _label_size(text: str) -> tuple[float, float]:
    return drawing.text_width(text, 7.5) + 8, 16.0


def _label(key: str, name: str, spot: tuple[float, float]) -> Box:
    mark = style.operation(name)
    return Box(key, *spot, *_label_size(mark.label), mark.label, "white", mark.colour, radius=5, size=7.5)


def _legend(names: Sequence[str], width: float, height: float) -> list[Box | Curve]:
    """A line and a short name for each operation, centred below the cell; curve, box, curve, box, ..."""
    sample, space = 34.0, 14.0
    lengths = [sample + drawing.text_width(style.operation(name).label, 8) + space for name in names]
    rows: list[list[int]] = [[]]
    for index, length in enumerate(lengths):
        if rows[-1] and sum(lengths[i] for i in rows[-1]) + length > width - 20:
            rows.append([])
        rows[-1].append(index)
    shapes: list[Box | Curve] = []
    for number, row in enumerate(rows):
        x = (width - sum(lengths[i] for i in row)) / 2
        y = height - _LEGEND_ROW * (len(rows) - number - 0.5)
        for index in row:
            mark, words = style.operation(names[index]), lengths[index] - sample - space
            line = ((x, y), (x + 9, y), (x + 19, y), (x + 28, y))
            shapes.append(Curve(f"legend-{names[index]}", line, mark.colour, 2.2, mark.dash, arrow=False))
            shapes.append(
                Box(f"legend-{names[index]}", x + sample + words / 2, y, words, 14, mark.label, "none", "none", size=8)
            )
            x += lengths[index]
    return shapes


def _fixed(width: float, height: float) -> Drawing:
    boxes = [
        graph.node(1, graph.MARGIN_X, height / 2),
        Box("node-fixed", width / 2, height / 2, 170, 40, "FactorizedReduce", graph.TINTS["node"], size=10),
        graph.node(layout.OUTPUT, width - graph.MARGIN_X, height / 2),
    ]
    curves = [Curve(f"edge-fixed-{i}", layout.route(boxes[i], boxes[i + 1]), style.INK) for i in (0, 1)]
    alt = "The reduction cell is fixed: one FactorizedReduce halves height and width of the last cell's output."
    return Drawing(width, height, (*curves, *boxes), alt)
