"""Selection by magnitude: what the largest operation weights point at, by each family's own rule.

DARTS keeps the strongest operation on the two strongest edges of a node (Liu et al. 2019, section 2.4). NAS-Bench-201
keeps all edges, each with its strongest operation; NAS-Bench-1Shot1 the strongest parents of each node. SNAS keeps
every edge of the DARTS space too (Xie et al. 2019), and GDAS its strongest pairs of operation and edge (Dong & Yang
2019), which are rules of their own here: `every_edge` and `top_pairs`. Where edges have
weights of their own, an operation counts by its weight times that of its edge (Xu et al. 2020, section 3.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from nasbook.spaces import Cell, Genotype, NodeCell, NodeSpace, SearchSpace, Space, Topology, TopologySpace
from nasbook.spaces.genotype import Pair
from nasbook.supernet import edges_of

Weights = Mapping[str, list[list[float]]]
Rule = Callable[[Any, Weights], Any]


def magnitude(space: Space, weights: Mapping[str, Tensor]) -> Any:
    """The architecture that operation weights point at.

    Args:
        space: the search space.
        weights: for each group of the space (rows, columns), after the softmax; any edge weights beside them.

    Returns:
        An architecture of the space; of equal weights the earlier wins.
    """
    return RULES[space.family](space, _scores(space, weights))


def every_edge(space: Space, weights: Mapping[str, Tensor]) -> Any:
    """The architecture that SNAS derives: each edge keeps its operation of largest weight, and `none` may be that.

    This is so in the DARTS family. In every other family the rule is that of `magnitude`: NAS-Bench-201 keeps all its
    edges anyway, and in NAS-Bench-1Shot1 the number of parents is part of the space.

    Args:
        space: the search space.
        weights: for each group of the space (rows, columns), after the softmax.

    Returns:
        An architecture of the space, its edges in the order of the space; of equal weights the earlier wins.
    """
    rules: Mapping[str, Rule] = {**RULES, "darts": all_edges}
    return rules[space.family](space, _scores(space, weights))


def top_pairs(space: Space, weights: Mapping[str, Tensor]) -> Any:
    """The architecture that GDAS derives in the DARTS family: the strongest (operation, edge) pairs into each node.

    Both pairs of a node may be two operations of one edge (AutoDL-Projects, search_model_gdas_nasnet.py: genotype). In
    every other family the rule is that of `magnitude`.

    Args:
        space: the search space.
        weights: for each group of the space (rows, columns), after the softmax.

    Returns:
        An architecture of the space, each node's strongest pair first; of equal weights the earlier wins.
    """
    rules: Mapping[str, Rule] = {**RULES, "darts": strongest_pairs}
    return rules[space.family](space, _scores(space, weights))


def _scores(space: Space, weights: Mapping[str, Tensor]) -> Weights:
    """For each group (rows, columns): the weights, times those of the edges where edges have any."""
    scales = {name: weights[edges_of(name)].T if edges_of(name) in weights else 1.0 for name in space.groups}
    return {name: (weights[name] * scale).tolist() for name, scale in scales.items()}


def all_edges(space: SearchSpace, weights: Weights) -> Genotype:
    """The rule of SNAS in the DARTS family: every edge with its operation of largest weight, and `none` may be that.

    Returns:
        The genotype, its edges in the order of the space; of equal operations the earlier wins.
    """
    pairs = {}
    for kind, cell in space.groups.items():
        rows = zip(cell.edges, cell.operations, weights[kind], strict=True)
        pairs[kind] = tuple((_strongest(names, row), source) for (source, _), names, row in rows)
    return space.genotype(pairs)


def _strongest(names: Sequence[str], weights: list[float]) -> str:
    """The name of the largest weight; of equals the earlier."""
    return names[weights.index(max(weights))]


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


def strongest_pairs(space: SearchSpace, weights: Weights) -> Genotype:
    """The rule of GDAS in the DARTS family: each node's strongest pairs of an operation and an edge, without `none`.

    Returns:
        The genotype, each node's strongest pair first; of equal pairs the earlier wins.
    """
    return space.genotype({name: _node_pairs(cell, weights[name]) for name, cell in space.groups.items()})


def _node_pairs(cell: Cell, weights: list[list[float]]) -> tuple[Pair, ...]:
    pairs: list[Pair] = []
    for node in cell.nodes:
        every = [
            (weights[edge][column], name, cell.edges[edge][0])
            for edge in cell.into(node)
            for column, name in enumerate(cell.operations[edge])
            if name != "none"
        ]
        every.sort(key=lambda entry: -entry[0])  # stable: of equal pairs the earlier stays first
        pairs += [(name, source) for _, name, source in every[: cell.keep]]
    return tuple(pairs)


def strongest_operations(space: TopologySpace, weights: Weights) -> Topology:
    """The rule of NAS-Bench-201: the operation of largest weight on each edge, and `none` may be that.

    Returns:
        The architecture; of equal operations the earlier wins.
    """
    rows = zip(space.groups["normal"].operations, weights["normal"], strict=True)
    return Topology(tuple(_strongest(names, row) for names, row in rows))


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


RULES: Mapping[str, Rule] = {
    "darts": strongest_edges,
    "nas-bench-201": strongest_operations,
    "nas-bench-1shot1": strongest_columns,
}
