"""A cell of NAS-Bench-1Shot1 as a graph: operations stand at the nodes, not on the edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from nasbook.figures import drawing, graph, layout, style
from nasbook.figures.drawing import Box, Curve, Drawing
from nasbook.figures.words import counted, listed
from nasbook.spaces import NodeCell

FRAME = graph.Frame({0: "in"}, "out")
_LABEL, _APART = 16.0, 25.0  # height of a label, and how far its middle stands from its node's
_FADED = 0.35


@lru_cache(maxsize=256)
def draw(cell: NodeCell, width: float, height: float) -> Drawing:
    """The shapes of a cell: its nodes with their operations, and its edges; loose ends are pale.

    Args:
        cell: the architecture.
        width: of the canvas, in hundredths of an inch.
        height: likewise.
    """
    edges = tuple((parent, node) for node in cell.nodes for parent in cell.parents[node - 1])
    room = 2 * (_APART + _LABEL / 2)  # above and below the nodes
    placed = layout.positions(
        edges,
        cell.output,
        inputs=(0,),
        width=width - 2 * graph.MARGIN_X,
        height=height - room - 2 * graph.MARGIN_Y,
    )
    useful = {0, *cell.useful()}
    nodes = {
        number: _faded(
            graph.node(number, x + graph.MARGIN_X, y + height / 2, FRAME), number in {*useful, layout.OUTPUT}
        )
        for number, (x, y) in sorted(placed.items())
    }
    curves = [
        Curve(
            f"edge-{source}-{target}",
            layout.route(nodes[source], nodes[target], bow=bow),
            style.GREY,
            opacity=1.0 if target in useful else _FADED,
        )
        for (source, target), bow in zip(edges, layout.bows(edges, nodes), strict=True)
    ]
    labels = [_label(cell, node, nodes, node in useful, height) for node in cell.nodes]
    joins = [replace(join, colour=style.GREY) for join in graph.joins(nodes, cell.output)]  # pale are loose ends
    return Drawing(width, height, (*joins, *curves, *nodes.values(), *labels), describe(cell))


def describe(cell: NodeCell) -> str:
    """Which node applies what to which parents, what is put out, what leads nowhere, what occurs how often."""
    nodes = "; ".join(
        f"node {node} applies {style.operation(name).label} to {_together(parents)}"
        for node, name, parents in zip(cell.nodes, cell.operations, cell.parents, strict=True)
    )
    joined = [node for node in cell.output if node]
    puts = f"joins {_places(joined)}" if joined else "is the projected input"
    adds = " and adds the projected input" if joined and 0 in cell.output else ""
    loose = [node for node in cell.nodes if node not in cell.useful()]
    ends = f" {_places(loose).capitalize()} {'leads' if len(loose) == 1 else 'lead'} nowhere." if loose else ""
    share = listed(f"{style.operation(name).label} {cell.count(name)}×" for name in dict.fromkeys(cell.operations))
    size = counted(len(cell.operations), "node")
    return f"The cell has {size}: {nodes}. Its output {puts}{adds}.{ends} It holds {share}."


def _places(nodes: list[int]) -> str:
    return f"{'node' if len(nodes) == 1 else 'nodes'} {listed(map(str, nodes))}"


def _together(parents: tuple[int, ...]) -> str:
    words = listed("the input" if parent == 0 else f"node {parent}" for parent in parents)
    return words if len(parents) == 1 else f"the sum of {words}"


def _faded(box: Box, useful: bool) -> Box:
    return box if useful else replace(box, opacity=_FADED)


def _label(cell: NodeCell, node: int, nodes: Mapping[int, Box], useful: bool, height: float) -> Box:
    """The operation's name beside its node, on the side where the cell ends, away from the edges."""
    mark, box = style.operation(cell.operations[node - 1]), nodes[node]
    y = box.y + (_APART if box.y > height / 2 else -_APART)
    wide = drawing.text_width(mark.label, 7.5) + 8
    return Box(
        f"label-{node}",
        box.x,
        y,
        wide,
        _LABEL,
        mark.label,
        edge=mark.colour,
        radius=5,
        size=7.5,
        opacity=1.0 if useful else _FADED,
    )
