"""Where the nodes, edges and labels of a cell stand.

All nodes lie on one ellipse, in topological order from left to right, each on its upper or its lower side. On an
ellipse no straight edge can run through a third node, whatever the graph is; which side a node takes is chosen so that
few edges cross, by trying all of them (a cell has at most 32 ways).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations, pairwise, product
from types import MappingProxyType

import numpy as np

from nasbook.figures.drawing import ARROW, Box, Curve, Point

OUTPUT = -1
Edge = tuple[int, int]
_APART, _CLEAR = 44.0, 34.0
_BOWS = (8.0, -8.0, 18.0, -18.0, 28.0, -28.0, 40.0, -40.0, 55.0, -55.0, 70.0, -70.0)
_SQUEEZE = 0.8  # how far left the inputs are on the ellipse: below 1, so that there is one above the other


@lru_cache(maxsize=256)
def positions(
    edges: tuple[Edge, ...],
    outputs: tuple[int, ...],
    *,
    inputs: tuple[int, ...] = (0, 1),
    width: float,
    height: float,
) -> Mapping[int, Point]:
    """The centre of every node that has an edge, and of the output.

    Args:
        edges: (source, target); a target may be `OUTPUT` itself.
        outputs: the nodes that lead to the output.
        inputs: the nodes that are the cell's inputs; those without an edge are left out.
        width: between the centres of the inputs and of the output.
        height: between the highest and the lowest centre.

    Returns:
        node to (x, y), x from 0 to `width`, y from `-height / 2` downwards; the output is `OUTPUT`.
    """
    first = sorted({source for source, _ in edges} & set(inputs))
    nodes = sorted({node for edge in edges for node in edge} - {*first, OUTPUT})
    best: tuple[float, dict[int, Point]] | None = None
    for sides in product((-1, 1), repeat=len(nodes)) if len(nodes) > 1 else [(0,)]:
        placed = _place(first, nodes, sides, width, height)
        cost = _crossings(edges, outputs, placed) + 0.6 * abs(sum(sides)) + _grazes(edges, placed)
        # Of equals, the one that changes sides most often: edges from node to node are then long enough for a label.
        cost += 0.3 * sum(left == right for left, right in pairwise(sides))
        if best is None or cost < best[0] - 1e-9:
            best = cost, placed
    assert best is not None
    return MappingProxyType(best[1])


def _place(
    inputs: list[int], nodes: list[int], sides: tuple[int, ...], width: float, height: float
) -> dict[int, Point]:
    long = width / (1 + _SQUEEZE)
    centre = _SQUEEZE * long
    placed: dict[int, Point] = {OUTPUT: (width, 0.0)}
    for index, node in enumerate(inputs):
        side = 0 if len(inputs) == 1 else 2 * index - 1
        placed[node] = (0.0, side * height / 2 * math.sqrt(1 - _SQUEEZE**2))
    for column, (node, side) in enumerate(zip(nodes, sides, strict=True), start=1):
        x = width * column / (len(nodes) + 1)
        placed[node] = (x, side * height / 2 * math.sqrt(1 - ((x - centre) / long) ** 2))
    return placed


def _crossings(edges: Sequence[Edge], outputs: Sequence[int], placed: dict[int, Point]) -> float:
    drawn = [(edge, 1.0) for edge in edges] + [((node, OUTPUT), 0.3) for node in outputs]
    return sum(
        min(weight, other_weight)
        for (edge, weight), (other, other_weight) in combinations(drawn, 2)
        if not set(edge) & set(other) and _cross(*(placed[node] for node in (*edge, *other)))
    )


def _grazes(edges: Sequence[Edge], placed: dict[int, Point]) -> float:
    """How many straight edges come so near to a third node that they must bow."""
    close = 0.0
    for source, target in edges:
        (x, y), (to_x, to_y) = placed[source], placed[target]
        long = math.hypot(to_x - x, to_y - y)
        for node, (at_x, at_y) in placed.items():
            along = ((at_x - x) * (to_x - x) + (at_y - y) * (to_y - y)) / long**2
            off = abs((at_x - x) * (to_y - y) - (at_y - y) * (to_x - x)) / long
            close += node not in (source, target) and 0 < along < 1 and off < _CLEAR
    return close


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def bows(edges: Sequence[Edge], boxes: Mapping[int, Box]) -> list[float]:
    """How far each edge bows, in hundredths of an inch: clear of other nodes, and apart from its twins.

    Args:
        edges: (source, target); the same pair may occur twice.
        boxes: every node's box.
    """
    found, seen = [], dict.fromkeys(edges, 0)
    for edge in edges:
        twins = edges.count(edge)
        offsets = [_APART * (twin - (twins - 1) / 2) for twin in range(twins)]
        others = np.array([(box.x, box.y) for node, box in boxes.items() if node not in edge])
        found.append(_clear_bow(boxes[edge[0]], boxes[edge[1]], offsets, others) + offsets[seen[edge]])
        seen[edge] += 1
    return found


def _clear_bow(source: Box, target: Box, offsets: Sequence[float], others: np.ndarray) -> float:
    """The smallest bow that keeps all twins away from the other nodes, or the one that comes closest to that."""
    steps = np.linspace(0.05, 0.95, 19)
    best = (-1.0, 0.0)
    for bow in _BOWS:
        points = np.concatenate([Curve("", _bowed(source, target, bow + offset)).at(steps) for offset in offsets])
        gap = float(np.linalg.norm(points[:, None] - others[None], axis=-1).min()) if len(others) else _CLEAR
        best = max(best, (min(gap, _CLEAR), bow), key=lambda each: each[0])  # the first of equals stays
    return best[1]


def route(source: Box, target: Box, *, bow: float = 0.0, lane: float = 0.0) -> tuple[Point, Point, Point, Point]:
    """A curve from the border of one box to the border of another.

    Args:
        source: where it starts.
        target: where it ends.
        bow: how far its middle stands off the straight line.
        lane: how far the whole curve stands off, for curves that run side by side.
    """
    whole = Curve("", _bowed(source, target, bow, lane))
    steps = np.linspace(0, 1, 201)
    points = whole.at(steps)
    free = ~_inside(source, points, 2.0) & ~_inside(target, points, 3.0)
    outside = steps[free] if free.any() else steps[[95, 105]]
    return _part(whole, float(outside[0]), float(outside[-1]))


def _bowed(source: Box, target: Box, bow: float, lane: float = 0.0) -> tuple[Point, Point, Point, Point]:
    dx, dy = target.x - source.x, target.y - source.y
    long = max(math.hypot(dx, dy), 1e-9)
    across = (-dy / long, dx / long)

    def point(share: float, off: float) -> Point:
        return source.x + share * dx + across[0] * off, source.y + share * dy + across[1] * off

    middle = lane + bow * 4 / 3  # a cubic curve reaches 3/4 of the way to its control points
    return point(0, lane), point(1 / 3, middle), point(2 / 3, middle), point(1, lane)


def _inside(box: Box, points: np.ndarray, gap: float) -> np.ndarray:
    if box.radius < min(box.width, box.height) / 2:
        return box.holds(points, gap)
    return np.linalg.norm(points - (box.x, box.y), axis=1) < box.width / 2 + gap


def _part(curve: Curve, start: float, end: float) -> tuple[Point, Point, Point, Point]:
    """The Bezier curve that covers `start` to `end` of another (its derivative at both ends is known)."""
    a, b, c, d = (np.array(point) for point in curve.points)

    def slope(t: float) -> np.ndarray:
        return 3 * ((1 - t) ** 2 * (b - a) + 2 * t * (1 - t) * (c - b) + t**2 * (d - c))

    first, last = curve.at(start), curve.at(end)
    reach = (end - start) / 3
    return _point(first), _point(first + reach * slope(start)), _point(last - reach * slope(end)), _point(last)


def _point(values: np.ndarray) -> Point:
    return float(values[0]), float(values[1])


def label_spots(curves: Sequence[Curve], sizes: Sequence[Point], obstacles: Sequence[Box]) -> list[Point]:
    """The centre of each curve's label, on the curve: clear of nodes, of other labels, and of other curves if it can.

    Args:
        curves: one for each label.
        sizes: width and height of each label.
        obstacles: boxes that no label may cover.
    """
    shares = np.linspace(0.14, 0.86, 37)
    spots = [curve.at(shares) for curve in curves]
    lines = [curve.at(np.linspace(0, 1, 41)) for curve in curves]
    alone = [
        np.array([_cost_alone(spot, sizes[i], obstacles, curves[i]) for spot in spots[i]])
        + 6 * np.abs(shares - 0.5)
        + np.array([_covered(spot, sizes[i], [line for j, line in enumerate(lines) if j != i]) for spot in spots[i]])
        for i in range(len(curves))
    ]
    chosen = [int(np.argmin(cost)) for cost in alone]
    for _ in range(20):  # each label in turn takes its best spot among the others; settles in a few rounds
        before = list(chosen)
        for i in range(len(curves)):
            others = [(spots[j][chosen[j]], sizes[j]) for j in range(len(curves)) if j != i]
            cost = [
                alone[i][k] + sum(_meet(spot, sizes[i], *other) for other in others) for k, spot in enumerate(spots[i])
            ]
            chosen[i] = int(np.argmin(cost))
        if chosen == before:
            break
    return [_point(spots[i][chosen[i]]) for i in range(len(curves))]


def _cost_alone(spot: np.ndarray, size: Point, obstacles: Sequence[Box], curve: Curve) -> float:
    label = Box("", float(spot[0]), float(spot[1]), *size)
    return 100.0 * sum(label.overlaps(box, 3) for box in obstacles) + 20.0 * bool(
        curve.arrow and label.holds(np.array([curve.points[3]]), ARROW).any()
    )


def _covered(spot: np.ndarray, size: Point, lines: Sequence[np.ndarray]) -> float:
    label = Box("", float(spot[0]), float(spot[1]), *size)
    return 3.0 * sum(bool(label.holds(line, 1).any()) for line in lines)


def _meet(spot: np.ndarray, size: Point, other: np.ndarray, other_size: Point) -> float:
    """What two labels in each other's way cost: the more they share, the more, so that they move apart step by step."""
    x, y = (
        ((one + two) / 2 + 3 - abs(float(here - there))) / min(one, two)
        for one, two, here, there in zip(size, other_size, spot, other, strict=True)
    )
    return 30.0 + 100.0 * min(x, 1.0) * min(y, 1.0) if x > 0 and y > 0 else 0.0
