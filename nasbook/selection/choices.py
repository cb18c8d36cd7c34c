"""What perturbation-based selection decides, and in which order (Wang et al. 2021, algorithm 1, and their code).

First each row of architecture parameters chooses what it keeps: an edge its operation, a node of NAS-Bench-1Shot1 its
parents. Then, where an architecture keeps some edges only, each node chooses its edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest

import torch
from torch import Tensor

from nasbook.spaces import Cell, Space
from nasbook.supernet import Active


@dataclass(frozen=True)
class Option:
    """One of the things that a choice may keep.

    Args:
        name: in words: an operation, a parent, or an edge.
        row, columns: the weights of the group that stand for it.
    """

    name: str
    row: int
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """One choice among options.

    Args:
        kind: "operation" (of one row) or "edges" (of one node).
        group: of the space.
        where: what is decided, in words, like "0→2" or "node 3".
        options: what it chooses among.
        keep: how many are kept.
    """

    kind: str
    group: str
    where: str
    options: tuple[Option, ...]
    keep: int


def stops(space: Space, candidates: Active, *, order: str, generator: torch.Generator) -> list[list[Choice]]:
    """All choices, stop after stop; at each stop every group that has choices left decides one, as in released code.

    Args:
        space: the search space.
        candidates: what each row chooses among.
        order: of the rows, and then of the nodes, of each group: "random", "forward" (from the input of the cell to its
            output) or "backward". The released code has the random one only.
        generator: draws the random order.
    """
    first = [_ordered(_of_rows(space, name, candidates), order, generator) for name in space.groups]
    then = [_ordered(_of_nodes(space, name), order, generator) for name in space.groups]
    return [
        [choice for choice in stop if choice is not None]
        for groups in (first, then)
        for stop in zip_longest(*groups)
        if any(choice is not None for choice in stop)
    ]


def all_candidates(space: Space, masks: Mapping[str, Tensor] | None) -> Active:
    """What each row of each group may keep: everything that is not pruned, and `none` only where it may be kept."""
    found = {}
    for name, group in space.groups.items():
        kept = masks[name].tolist() if masks else [[True] * group.shape[1]] * group.shape[0]
        rows = []
        for row, names in enumerate(group.operations):
            allowed = group.choices(row) if isinstance(group, Cell) else names
            rows.append(tuple(k for k, operation in enumerate(names) if kept[row][k] and operation in allowed))
        found[name] = tuple(rows)
    return found


def _of_rows(space: Space, name: str, candidates: Active) -> list[Choice]:
    group = space.groups[name]
    return [
        Choice(
            "operation",
            name,
            group.rows[row],
            tuple(Option(names[k], row, (k,)) for k in candidates[name][row]),
            group.held,
        )
        for row, names in enumerate(group.operations)
    ]


def _of_nodes(space: Space, name: str) -> list[Choice]:
    """The nodes that have more edges than an architecture keeps; none in the families that keep all."""
    group = space.groups[name]
    if not isinstance(group, Cell):
        return []
    columns = tuple(range(group.shape[1]))
    return [
        Choice(
            "edges",
            name,
            f"node {node}",
            tuple(Option(group.rows[edge], edge, columns) for edge in group.into(node)),
            group.keep,
        )
        for node in group.nodes
        if len(group.into(node)) > group.keep
    ]


def _ordered(choices: list[Choice], order: str, generator: torch.Generator) -> list[Choice]:
    if order == "random":
        return [choices[place] for place in torch.randperm(len(choices), generator=generator).tolist()]
    return choices if order == "forward" else choices[::-1]
