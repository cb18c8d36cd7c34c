"""The parts that all drawings of a cell share: its nodes, its edges, and the lines to its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from nasbook.figures import layout, style
from nasbook.figures.drawing import Box, Curve
from nasbook.spaces import Cell
from nasbook.spaces.nas_bench_201 import TopologyCell

TINTS = {"input": "#DFF1E9", "node": "#E4F0F9", "output": "#FBF0D6"}
MARGIN_X, MARGIN_Y = 40.0, 26.0


@dataclass(frozen=True)
class Frame:
    """What stands at the two ends of a cell.

    Args:
        inputs: the name of each node that is an input.
        output: the name of the output.
        last: the node that is the output; by default the output is no node and joins some of them.
    """

    inputs: Mapping[int, str]
    output: str
    last: int = layout.OUTPUT


FRAMES = MappingProxyType(
    {
        "darts": Frame({0: "cₖ₋₂", 1: "cₖ₋₁"}, "cₖ"),
        "nas-bench-201": Frame({0: "in"}, "out", last=3),
    }
)
"""By family."""


def place(
    edges: tuple[tuple[int, int], ...],
    outputs: tuple[int, ...],
    width: float,
    height: float,
    frame: Frame = FRAMES["darts"],
) -> dict[int, Box]:
    """The boxes of a cell's nodes on a canvas, and of its output (see `layout.positions`)."""
    ends = tuple((source, layout.OUTPUT if target == frame.last else target) for source, target in edges)
    placed = layout.positions(
        ends, outputs, inputs=tuple(frame.inputs), width=width - 2 * MARGIN_X, height=height - 2 * MARGIN_Y
    )
    numbered = {frame.last if number == layout.OUTPUT else number: point for number, point in placed.items()}
    return {number: node(number, x + MARGIN_X, y + height / 2, frame) for number, (x, y) in sorted(numbered.items())}


def node(number: int, x: float, y: float, frame: Frame = FRAMES["darts"]) -> Box:
    """The box of one node: an input, an intermediate node or the output."""
    key = f"node-{'output' if number < 0 else number}"
    if number == frame.last:
        return Box(key, x, y, 46, 28, frame.output, TINTS["output"], radius=5, size=10)
    if number in frame.inputs:
        return Box(key, x, y, 46, 28, frame.inputs[number], TINTS["input"], radius=5, size=10)
    return Box(key, x, y, 28, 28, str(number), TINTS["node"], radius=14, size=10)


def joins(nodes: dict[int, Box], outputs: Sequence[int]) -> list[Curve]:
    """The thin lines from the nodes that a cell puts out to its output."""
    return [
        Curve(f"join-{node}", layout.route(nodes[node], nodes[layout.OUTPUT], bow=bow), style.LIGHT, 1.4)
        for node, bow in zip(outputs, layout.bows([(node, layout.OUTPUT) for node in outputs], nodes), strict=True)
    ]


def edge(
    source: int,
    target: int,
    name: str,
    nodes: Mapping[int, Box],
    *,
    bow: float = 0.0,
    lane: float = 0.0,
    width: float = 1.6,
    dashed: bool = True,
    arrow: bool = False,
) -> Curve:
    """One operation of one edge (see `layout.route`)."""
    mark = style.operation(name)
    points = layout.route(nodes[source], nodes[target], bow=bow, lane=lane)
    dash = mark.dash if dashed else ()
    return Curve(f"edge-{source}-{target}-{name}", points, mark.colour, width, dash, arrow=arrow)


def side_by_side(cell: Cell | TopologyCell, nodes: Mapping[int, Box], *, bowed: bool = False) -> list[Curve]:
    """All operations of all edges as lines of one width, parallel or (for labels on each) bowed apart."""
    count = cell.shape[1]
    gap = min(26.0, 64.0 / count) if bowed else min(7.0, 24.0 / count)
    curves = []
    for ends, names, bow in zip(cell.edges, cell.operations, layout.bows(cell.edges, nodes), strict=True):
        for number, name in enumerate(names):
            off = gap * (number - (count - 1) / 2)
            curves.append(edge(*ends, name, nodes, bow=bow + off * bowed, lane=off * (not bowed)))
    return curves


def triple(curve: Curve) -> tuple[int, int, str]:
    """(source, target, operation) of an edge's curve."""
    _, source, target, name = curve.key.split("-", 3)
    return int(source), int(target), name
