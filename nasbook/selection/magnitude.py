"""Selection by magnitude: what the largest operation weights point at, by each family's own rule.

DARTS keeps the strongest operation on the two strongest edges of a node (Liu et al. 2019, section 2.4). NAS-Bench-201
keeps all edges, each with its strongest operation; NAS-Bench-1Shot1 the strongest parents of each node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from nasbook.spaces import Cell, Genotype, NodeCell, NodeSpace, SearchSpace, Space, Topology, TopologySpace
from nasbook.spaces.genotype import Pair

Weights = Mapping[str, list[list[float]]]


def magnitude(space: Space, weights: Mapping[str, Tensor]) -> Any:
    """The architecture that operation weights point at.

    Args:
        space: the search space.
        weights: for each group of the space (rows, columns), after the softmax.

    Returns:
        An architecture of the space; of equal weights the earlier wins.
    """
    return RULES[space.family](space, {name: values.tolist() for name, values in weights.items()})


def strongest_edges(space: SearchSpace, weights: Weights) -> Genotype:
    """The rule of DARTS.

    For each node every incoming edge is scored by its largest weight among operations other than `none`; the best edges
    are kept (two in the DARTS space), each with that operation. `none` has taken part in the softmax, so it lowers the
    scores of its edge, but is never chosen.

    Returns:
        The genotype, each node's strongest edge first; of equal edges the earlier wins.
    """
    return space.genotype({name: _cell(cell, weights[name]) for name, cell in space.groups.items()})


def _cell(cell: Cell, weights: list[list[float]]) -> tuple[Pair, ...]:
    pairs: list[Pair] = []
    for node in cell.nodes:
        best = []
        for edge in cell.into(node):
            names = cell.operations[edge]
            choice = max(cell.choices(edge), key=lambda name: weights[edge][names.index(name)])
            best.append((weights[edge][names.index(choice)], choice, cell.edges[edge][0]))
        best.sort(key=lambda entry: -entry[0])  # stable: of equal edges the earlier stays first
        pairs += [(choice, source) for _, choice, source in best[: cell.keep]]
    return tuple(pairs)


def strongest_operations(space: TopologySpace, weights: Weights) -> Topology:
    """The rule of NAS-Bench-201: the operation of largest weight on each edge, and `none` may be that.

    Returns:
        The architecture; of equal operations the earlier wins.
    """
    largest = [row.index(max(row)) for row in weights["normal"]]
    return Topology(tuple(names[top] for names, top in zip(space.groups["normal"].operations, largest, strict=True)))


def strongest_columns(space: NodeSpace, weights: Weights) -> NodeCell:
    """The rule of NAS-Bench-1Shot1: each node's strongest operation, and as many strongest parents as it has.

    Returns:
        The architecture; of equal weights the earlier wins.
    """
    return space.architecture(
        {name: [_largest(row, group.keep) for row in weights[name]] for name, group in space.groups.items()}
    )


def _largest(values: list[float], count: int) -> tuple[int, ...]:
    """The places of the largest values; of equals the earlier."""
    return tuple(sorted(range(len(values)), key=lambda place: -values[place])[:count])


RULES: Mapping[str, Callable[[Any, Weights], Any]] = {
    "darts": strongest_edges,
    "nas-bench-201": strongest_operations,
    "nas-bench-1shot1": strongest_columns,
}
