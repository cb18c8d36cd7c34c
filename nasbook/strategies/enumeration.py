"""Every architecture of a small space."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

from nasbook.runtime.errors import UsageError
from nasbook.spaces import NodeSpace, SearchSpace
from nasbook.spaces.space import Cell

LARGEST = 100_000


def architectures(space: SearchSpace | NodeSpace) -> Iterator[Any]:
    """All architectures of a space, in a fixed order, each node's sources ascending.

    Raises:
        UsageError: the space holds more than 100,000 of them.
    """
    if space.size() > LARGEST:
        raise UsageError(f"Space {space.name} has {space.size():,} architectures; at most {LARGEST:,} are listed.")
    if isinstance(space, NodeSpace):
        yield from space.architectures()
        return
    groups = list(space.groups)
    for cells in product(*(_cells(space.groups[group]) for group in groups)):
        yield space.genotype(dict(zip(groups, cells)))


def _cells(cell: Cell) -> list[tuple[tuple[str, int], ...]]:
    nodes = [_node(cell, node) for node in cell.nodes]
    return [sum(choice, ()) for choice in product(*nodes)]


def _node(cell: Cell, node: int) -> list[tuple[tuple[str, int], ...]]:
    edges = cell.into(node)
    return [
        tuple((name, cell.edges[edge][0]) for name, edge in zip(names, kept))
        for kept in combinations(edges, min(cell.keep, len(edges)))
        for names in product(*(cell.choices(edge) for edge in kept))
    ]
