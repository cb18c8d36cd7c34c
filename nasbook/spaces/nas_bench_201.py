"""The space of NAS-Bench-201: one small cell whose six edges hold one of five operations each (Dong & Yang 2020).

A cell has four nodes. Node 0 is its input, node 3 its output, and every node sums what comes from all earlier nodes:
there is no choice of edges, but an edge may hold `none`. An architecture reads

    |op~0|+|op~0|op~1|+|op~0|op~1|op~2|

one group for each of the nodes 1 to 3, and `op~j` for the operation on the edge from node j. The same space is the
topology space of NATS-Bench (Dong et al. 2021).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import product
from types import MappingProxyType

import torch

from nasbook.runtime.errors import UsageError

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NODES = 4
INPUT, OUTPUT = 0, NODES - 1
# (source, target), grouped by target, sources ascending: the order of the rows of alpha.
EDGES = tuple((source, target) for target in range(1, NODES) for source in range(target))
FAMILY = "nas-bench-201"
_ZERO = "#"  # sorts before everything else in a sum, as in the released code: its count depends on that
_FORM = "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|"


@dataclass(frozen=True)
class Topology:
    """One architecture of NAS-Bench-201: an operation on each of the six edges.

    Args:
        operations: names in the order of `EDGES`.

    Raises:
        UsageError: there are not six, or one is not an operation of the space.
    """

    operations: tuple[str, ...]
    family = FAMILY

    def __post_init__(self) -> None:
        if len(self.operations) != len(EDGES):
            raise UsageError(f"A cell of {FAMILY} has {len(EDGES)} operations, not {len(self.operations)}.")
        for (source, target), name in zip(EDGES, self.operations, strict=True):
            if name not in OPERATIONS:
                raise UsageError(
                    f"The edge {source}->{target} holds {name[:60]!r}; an edge of {FAMILY} holds "
                    f"{', '.join(OPERATIONS)}."
                )

    def edges(self, kind: str = "normal") -> tuple[tuple[int, int, str], ...]:
        """The cell as (source, target, operation) triples; the only kind of cell that it describes is "normal"."""
        if kind != "normal":
            return ()
        return tuple((source, target, name) for (source, target), name in zip(EDGES, self.operations, strict=True))

    def into(self, node: int) -> tuple[tuple[str, int], ...]:
        """(operation, source) of every edge into a node."""
        return tuple((name, source) for source, target, name in self.edges() if target == node)

    def count(self, name: str) -> int:
        """How often an operation occurs."""
        return self.operations.count(name)

    def canonical(self) -> Topology:
        """The architecture itself: there is one way of writing it. Cells that are isomorphic share `unique_key`."""
        return self

    def unique_key(self, *, collapse_none: bool = True) -> str:
        """The output as an expression of the input: equal for two cells that the benchmark counts as one.

        A skip connection is what it copies, and a sum does not care for the order of its terms. This is the rule of the
        benchmark's released code, which leaves zeros visible in a sum: some cells that compute the same have two keys.

        Args:
            collapse_none: any operation on nothing is nothing too; without it only skip connections are collapsed.
        """
        keys = {INPUT: "x"}
        for node in range(1, NODES):
            keys[node] = "+".join(sorted(_term(name, keys[source], collapse_none) for name, source in self.into(node)))
        return keys[OUTPUT]

    def connected(self) -> bool:
        """Whether anything of the input reaches the output: a path without `none`."""
        reached = {INPUT}
        for source, target, name in self.edges():  # grouped by target, so that a source is settled before its edges
            if source in reached and name != "none":
                reached.add(target)
        return OUTPUT in reached

    def useful(self) -> tuple[bool, ...]:
        """For each edge whether it leads to the output: it and a path from its target hold no `none`.

        That nothing reaches its source makes no difference: a batch normalisation adds its learned shift to zeros too.
        """
        leading, useful = {OUTPUT}, []
        for source, target, name in reversed(self.edges()):  # what lies behind a target is settled before its edges
            useful.append(name != "none" and target in leading)
            if useful[-1]:
                leading.add(source)
        return tuple(reversed(useful))

    def __str__(self) -> str:
        nodes = ("".join(f"{name}~{source}|" for name, source in self.into(node)) for node in range(1, NODES))
        return "+".join("|" + node for node in nodes)


def parse_topology(text: str) -> Topology:
    """Read an architecture string. Nothing in the text is ever evaluated.

    Blanks do not matter, nor does the order of a node's edges, nor what stands before the first and behind the last
    bar, as in `Structure(4 nodes with |op~0|+...|)` of a log.

    Raises:
        UsageError: the text is malformed; the sentence says what was wrong and what is allowed.
    """
    if not isinstance(text, str):
        raise UsageError(f"An architecture of {FAMILY} is read from text, not from {type(text).__name__}.")
    start = re.search(r"\|\s*\w+\s*~", text) or re.search(r"\|", text)
    cell = text[start.start() : text.rfind("|") + 1] if start else ""
    nodes = [node.strip() for node in cell.split("+")]
    if len(nodes) != NODES - 1:
        raise UsageError(f"An architecture of {FAMILY} reads {_FORM}: {NODES - 1} nodes joined by +, not {len(nodes)}.")
    return Topology(tuple(name for node, group in enumerate(nodes, start=1) for name in _group(node, group)))


def _group(node: int, text: str) -> list[str]:
    """The operations of one node's group, such as `|none~0|skip_connect~1|`."""
    edges = text[1:-1].split("|")
    if len(text) < 2 or text[0] != "|" or text[-1] != "|" or len(edges) != node:
        raise UsageError(
            f"Node {node} reads {text[:80]!r}; it needs {node} operation{'s' if node > 1 else ''} between bars, as in "
            f"{_FORM}."
        )
    allowed = [str(source) for source in range(node)]
    names: dict[str, str] = {}
    for edge in edges:
        name, _, number = (part.strip() for part in edge.partition("~"))
        if number not in allowed or number in names:
            raise UsageError(
                f"An edge into node {node} reads {edge[:60]!r}; it is an operation, ~ and a source, each source from 0 "
                f"to {node - 1} once: {_FORM}."
            )
        names[number] = name
    return [names[number] for number in allowed]


@dataclass(frozen=True)
class TopologyCell:
    """The graph of the cell: every node is fed by all earlier ones, and an architecture keeps all edges."""

    edges = EDGES
    keep = NODES - 1

    @property
    def operations(self) -> tuple[tuple[str, ...], ...]:
        """The candidate operations of every edge: the same five."""
        return (OPERATIONS,) * len(EDGES)

    @property
    def held(self) -> int:
        """One operation of an edge."""
        return 1

    @property
    def shape(self) -> tuple[int, int]:
        """(edges, operations): the shape of the architecture parameters."""
        return len(EDGES), len(OPERATIONS)

    @property
    def rows(self) -> tuple[str, ...]:
        """The edges in words, like "0→2"."""
        return tuple(f"{source}→{target}" for source, target in EDGES)

    @property
    def nodes(self) -> tuple[int, ...]:
        """The nodes that sum edges, ascending; the last is the output."""
        return tuple(range(1, NODES))

    def into(self, node: int) -> tuple[int, ...]:
        """The indices of the edges into a node."""
        return tuple(index for index, (_, target) in enumerate(EDGES) if target == node)

    def choices(self, edge: int) -> tuple[str, ...]:
        """The operations of an edge that an architecture may hold: all, `none` too."""
        return self.operations[edge]

    def size(self) -> int:
        """The number of architectures of the cell."""
        return len(OPERATIONS) ** len(EDGES)


@dataclass(frozen=True)
class TopologySpace:
    """The search space of NAS-Bench-201; its only group of architecture parameters is "normal"."""

    name: str = FAMILY
    family = FAMILY

    @cached_property
    def groups(self) -> Mapping[str, TopologyCell]:
        """The one searched cell; the blocks that halve the images are fixed."""
        return MappingProxyType({"normal": TopologyCell()})

    @property
    def operations(self) -> tuple[str, ...]:
        """Every operation that occurs in the space."""
        return OPERATIONS

    @property
    def edges(self) -> int:
        """How many edges the cell has."""
        return len(EDGES)

    def size(self) -> int:
        """The number of architecture strings."""
        return self.groups["normal"].size()

    def unique(self) -> int:
        """How many of them the benchmark counts as different: 6,466 (see `Topology.unique_key`)."""
        return _unique()

    def architectures(self) -> Iterator[Topology]:
        """All architectures, node by node in the order of the operations, the last edge fastest.

        The index of the published benchmark is another: it shuffled this list.
        """
        return map(Topology, product(OPERATIONS, repeat=len(EDGES)))

    def sample(self, generator: torch.Generator) -> Topology:
        """A uniformly drawn architecture."""
        drawn = torch.randint(len(OPERATIONS), (len(EDGES),), generator=generator).tolist()
        return Topology(tuple(OPERATIONS[index] for index in drawn))

    def neighbours(self, architecture: Topology) -> list[Topology]:
        """All architectures that differ in the operation of one edge."""
        self.check(architecture)
        held = architecture.operations
        return [
            replace(architecture, operations=(*held[:edge], name, *held[edge + 1 :]))
            for edge in range(len(EDGES))
            for name in OPERATIONS
            if name != held[edge]
        ]

    def genotype(self, pairs: Mapping[str, tuple[tuple[str, int], ...]]) -> Topology:
        """The architecture of these (operation, source) pairs, which are in the order of the edges."""
        return Topology(tuple(name for name, _ in pairs["normal"]))

    def check(self, architecture: Topology) -> None:
        """Make sure that an architecture belongs to this space.

        Raises:
            UsageError: it is of another family.
        """
        if not isinstance(architecture, Topology):
            raise UsageError(f"Space {self.name} holds architectures like {_FORM}, not {str(architecture)[:80]}.")

    def parse(self, text: str) -> Topology:
        """Read an architecture string.

        Raises:
            UsageError: the text is malformed.
        """
        return parse_topology(text)

    def chosen(self, architecture: Topology) -> dict[str, tuple[tuple[int, ...], ...]]:
        """For each edge the index of its operation.

        Raises:
            UsageError: the architecture is of another family.
        """
        self.check(architecture)
        return {"normal": tuple((OPERATIONS.index(name),) for name in architecture.operations)}

    def __str__(self) -> str:
        lines = [f"  {row}: {', '.join(OPERATIONS)}" for row in self.groups["normal"].rows]
        return "\n".join([f"{self.name}: {self.size():,} architectures", *lines])


def _term(name: str, source: str, collapse_none: bool) -> str:
    if name == "skip_connect":
        return source
    if collapse_none and (name == "none" or source == _ZERO):
        return _ZERO
    return f"({source})@{name}"


@cache
def _unique() -> int:
    return len({architecture.unique_key() for architecture in TopologySpace().architectures()})
