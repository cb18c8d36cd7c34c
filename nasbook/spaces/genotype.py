"""One discrete architecture of the DARTS family: a frozen value that writes the published text form.

    Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ...], normal_concat=range(2, 6), reduce=[...], ...)

`normal` and `reduce` list (operation, source node) pairs. Nodes 0 and 1 are the outputs of the two previous cells, and
the cell's output concatenates the nodes of `..._concat` along channels. Which node a pair feeds follows from its place:

    two pairs to a node (Liu et al. 2019):  pairs 2i and 2i+1 feed node i+2;
    every edge (SNAS, Xie et al. 2019):     two pairs feed node 2, three feed node 3, four feed node 4, ...,
                                            one from each earlier node, in any order

A cell whose output ends at node n+1 and that lists n(n+3)/2 pairs, n > 1, holds every edge: by twos it would have nodes
behind the last node of its output. With n = 1 the two readings are one. An empty `reduce` stands for a fixed reduction
(one FactorizedReduce), which is our addition to the form. `genotype_text` reads this form and others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from nasbook.runtime.errors import UsageError
from nasbook.spaces import operations

Pair = tuple[str, int]
FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
CELL_INPUTS = 2
LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Genotype:
    """One architecture: two cells, each a list of (operation, source) pairs and the nodes that it puts out.

    Raises:
        UsageError: a cell is malformed; the sentence says which and how.
    """

    normal: tuple[Pair, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Pair, ...]
    reduce_concat: tuple[int, ...]
    family = "darts"

    def __post_init__(self) -> None:
        _check_cell("normal", self.normal, self.normal_concat)
        if not self.normal:
            raise UsageError("A genotype's normal cell must hold at least one (operation, source) pair.")
        _check_cell("reduce", self.reduce, self.reduce_concat)

    def cell(self, kind: str) -> tuple[Pair, ...]:
        """The pairs of the "normal" or the "reduce" cell."""
        return self.normal if kind == "normal" else self.reduce

    def concat(self, kind: str) -> tuple[int, ...]:
        """The nodes that the "normal" or the "reduce" cell puts out."""
        return self.normal_concat if kind == "normal" else self.reduce_concat

    def edges(self, kind: str) -> tuple[tuple[int, int, str], ...]:
        """The cell as (source, target, operation) triples, in the order of its pairs."""
        pairs = self.cell(kind)
        fed = targets(pairs, self.concat(kind))
        return tuple((source, target, name) for (name, source), target in zip(pairs, fed, strict=True))

    def nodes(self, kind: str) -> int:
        """How many intermediate nodes the cell has."""
        return len(set(targets(self.cell(kind), self.concat(kind))))

    def canonical(self) -> Genotype:
        """The same architecture with each node's pairs sorted by source (they may be written either way)."""
        return Genotype(self._sorted("normal"), self.normal_concat, self._sorted("reduce"), self.reduce_concat)

    def count(self, name: str, kind: str | None = None) -> int:
        """How often an operation occurs in one cell, or in both."""
        kinds = ("normal", "reduce") if kind is None else (kind,)
        return sum(operation == name for each in kinds for operation, _ in self.cell(each))

    def __str__(self) -> str:
        parts = []
        for kind in ("normal", "reduce"):
            parts.append(f"{kind}={list(self.cell(kind))!r}")
            parts.append(f"{kind}_concat={_concat_text(self.concat(kind))}")
        return f"Genotype({', '.join(parts)})"

    def to_json(self) -> str:
        """The genotype as one JSON object."""
        return json.dumps({name: getattr(self, name) for name in FIELDS})

    def _sorted(self, kind: str) -> tuple[Pair, ...]:
        in_order = sorted(self.edges(kind), key=lambda edge: (edge[1], edge[0], edge[2]))
        return tuple((name, source) for source, _, name in in_order)


def targets(pairs: Sequence[Pair], concat: Sequence[int]) -> tuple[int, ...]:
    """The node that each pair of a cell feeds (a single pair feeds one node).

    Args:
        pairs: the cell's (operation, source) pairs.
        concat: the nodes that the cell puts out; they tell apart two pairs to a node and every edge.
    """
    last = max(concat, default=0)
    if _lists_every_edge(len(pairs), last):
        return tuple(node for node in range(CELL_INPUTS, last + 1) for _ in range(node))
    return tuple(CELL_INPUTS + index // 2 for index in range(len(pairs)))


def brief(value: object) -> str:
    """A value in short, for a message, because a value in a file may be of any length."""
    shown = repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."


def _lists_every_edge(pairs: int, last: int) -> bool:
    """Whether so many pairs are one from every earlier node into each node from 2 to `last`, and more than two each."""
    nodes = last - CELL_INPUTS + 1
    return nodes > 1 and pairs == nodes * (nodes + 3) // 2


def _check_cell(kind: str, pairs: tuple[Pair, ...], concat: tuple[int, ...]) -> None:
    every_edge = _lists_every_edge(len(pairs), max(concat, default=0))
    if len(pairs) > 1 and len(pairs) % 2 and not every_edge:
        raise UsageError(
            f"The {kind} cell lists {len(pairs)} pairs; it must list two to a node, or every edge into its nodes."
        )
    fed = targets(pairs, concat)
    for index, ((name, source), target) in enumerate(zip(pairs, fed, strict=True)):
        if name not in operations.NAMES:
            raise UsageError(
                f"The {kind} cell's pair {index} names the operation {brief(name)}; "
                f"allowed are {', '.join(operations.NAMES)}."
            )
        if not 0 <= source < target:
            raise UsageError(
                f"The {kind} cell's pair {index} feeds node {target} from node {brief(source)}; "
                f"a source must be between 0 and {target - 1}."
            )
    _check_outputs(kind, pairs, concat, max(fed, default=1))
    if every_edge:
        _check_every_edge(kind, pairs, fed)


def _check_outputs(kind: str, pairs: tuple[Pair, ...], concat: tuple[int, ...], last: int) -> None:
    if pairs and not concat:
        raise UsageError(f"The {kind} cell puts out no node: {kind}_concat is empty.")
    for node in concat:
        if not CELL_INPUTS <= node <= last:
            raise UsageError(f"{kind}_concat names node {brief(node)}; the {kind} cell has the nodes 2 to {last}.")
    if len(set(concat)) != len(concat):
        raise UsageError(f"{kind}_concat names a node twice: {brief(list(concat))}.")


def _check_every_edge(kind: str, pairs: tuple[Pair, ...], fed: tuple[int, ...]) -> None:
    for node in dict.fromkeys(fed):
        sources = [source for (_, source), target in zip(pairs, fed, strict=True) if target == node]
        if sorted(sources) != list(range(node)):
            raise UsageError(
                f"The {kind} cell's {len(pairs)} pairs are every edge into the nodes 2 to {fed[-1]}, so node {node} "
                f"takes each of the nodes 0 to {node - 1} once, not {', '.join(map(brief, sources))}."
            )


def _concat_text(concat: tuple[int, ...]) -> str:
    if concat and concat == tuple(range(concat[0], concat[-1] + 1)):
        return f"range({concat[0]}, {concat[-1] + 1})"
    return repr(list(concat))
