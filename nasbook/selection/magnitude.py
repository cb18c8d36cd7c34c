"""Selection by magnitude: the strongest operation on the strongest edges (Liu et al. 2019, section 2.4)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from nasbook.spaces import Cell, Genotype, SearchSpace
from nasbook.spaces.genotype import Pair


def magnitude(space: SearchSpace, weights: Mapping[str, Tensor]) -> Genotype:
    """The architecture that operation weights point at.

    For each node every incoming edge is scored by its largest weight among operations other than `none`; the best edges
    are kept (two in the DARTS space), each with that operation. `none` has taken part in the softmax, so it lowers the
    scores of its edge, but is never chosen.

    Args:
        space: the search space.
        weights: for each group of the space (edges, operations), after the softmax.

    Returns:
        The genotype, each node's strongest edge first; of equal edges the earlier wins.
    """
    return space.genotype({name: _cell(cell, weights[name].tolist()) for name, cell in space.groups.items()})


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
