"""A cell-based search space of the DARTS family as a frozen value: which edges, which operations, which edges are kept.

A cell is a directed acyclic graph. Nodes 0 and 1 are the outputs of the two previous cells, the others sum what their
edges bring. An architecture keeps `keep` edges into each node and one operation on each of them (Liu et al. 2019,
section 2). `none` takes part in a supernet's softmax but is never part of such an architecture. A space also has the
architectures that keep every edge, where `none` may stand on one (SNAS, Xie et al. 2019), and those in which both pairs
of a node are two operations of one edge (GDAS, Dong & Yang 2019); those are read and checked, but neither counted nor
sampled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from types import MappingProxyType

import torch

from nasbook.runtime.errors import UsageError
from nasbook.spaces.genotype import Genotype, Pair, targets
from nasbook.spaces.genotype_text import parse_genotype


@dataclass(frozen=True)
class Cell:
    """The graph of one searched cell.

    Args:
        edges: (source, target) of every edge, grouped by target, sources ascending.
        operations: the candidate operations of every edge; all edges have equally many.
        keep: how many edges into each node an architecture keeps.
    """

    edges: tuple[tuple[int, int], ...]
    operations: tuple[tuple[str, ...], ...]
    keep: int = 2

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.operations):
            raise UsageError(
                f"A cell of {len(self.edges)} edges needs as many operation lists, not {len(self.operations)}."
            )
        if self.keep != 2 and len(self.nodes) > 1:
            raise UsageError("A cell of several nodes keeps 2 edges into each: a genotype lists its pairs by twos.")
        if len({len(names) for names in self.operations}) != 1:
            raise UsageError("All edges of a cell must have equally many candidate operations.")

    @property
    def held(self) -> int:
        """One operation of an edge."""
        return 1

    @property
    def shape(self) -> tuple[int, int]:
        """(edges, operations): the shape of this cell's architecture parameters."""
        return len(self.edges), len(self.operations[0])

    @property
    def rows(self) -> tuple[str, ...]:
        """The edges in words, like "0→2"."""
        return tuple(f"{source}→{target}" for source, target in self.edges)

    @property
    def nodes(self) -> tuple[int, ...]:
        """The intermediate nodes, ascending."""
        return tuple(sorted({target for _, target in self.edges}))

    def into(self, node: int) -> tuple[int, ...]:
        """The indices of the edges into a node."""
        return tuple(index for index, (_, target) in enumerate(self.edges) if target == node)

    @property
    def kept(self) -> int:
        """How many edges an architecture keeps, over all nodes."""
        return sum(min(self.keep, len(self.into(node))) for node in self.nodes)

    def choices(self, edge: int) -> tuple[str, ...]:
        """The operations of an edge that an architecture of kept edges may hold (all but `none`)."""
        return tuple(name for name in self.operations[edge] if name != "none")

    def options(self, edge: int, pairs: Sequence[Pair]) -> tuple[str, ...]:
        """The operations that an architecture of this kind may hold on an edge: `none` too, if it keeps every edge."""
        return self.operations[edge] if self.keeps_every_edge(pairs) else self.choices(edge)

    def keeps_every_edge(self, pairs: Sequence[Pair]) -> bool:
        """Whether these pairs are of the kind that keeps every edge; with one node both kinds do, and `none` tells."""
        if len(pairs) != len(self.edges):
            return False
        return len(pairs) > self.kept or any(name == "none" for name, _ in pairs)

    def size(self) -> int:
        """The number of architectures of this cell."""
        count = 1
        for node in self.nodes:
            options = [len(self.choices(edge)) for edge in self.into(node)]
            count *= sum(math.prod(kept) for kept in combinations(options, min(self.keep, len(options))))
        return count

    def sample(self, generator: torch.Generator) -> tuple[Pair, ...]:
        """A uniformly drawn architecture of this cell, each node's pairs by ascending source."""
        pairs: list[Pair] = []
        for node in self.nodes:
            pairs += self._sample_node(node, generator)
        return tuple(pairs)

    def _sample_node(self, node: int, generator: torch.Generator) -> list[Pair]:
        edges = self.into(node)
        subsets = list(combinations(edges, min(self.keep, len(edges))))
        ways = torch.tensor([math.prod(len(self.choices(edge)) for edge in subset) for subset in subsets])
        subset = subsets[int(torch.multinomial(ways.double(), 1, generator=generator))]
        return [(_draw(self.choices(edge), generator), self.edges[edge][0]) for edge in subset]

    def problem_with(self, pairs: tuple[Pair, ...], concat: Sequence[int] | None = None) -> str | None:
        """Why these pairs are not an architecture of this cell, or None when they are.

        Args:
            pairs: (operation, source) of each edge that it holds.
            concat: the nodes that it puts out; all by default.
        """
        if len(pairs) not in (self.kept, len(self.edges)):
            every = f", or all {len(self.edges)}" if len(self.edges) > self.kept else ""
            return f"holds {len(pairs)} edges where {self.kept} are kept{every}"
        seen: set[tuple[str, int, int]] = set()
        fed = targets(pairs, self.nodes if concat is None else concat)
        for (name, source), node in zip(pairs, fed, strict=True):
            edge = self._edge(source, node)
            if edge is None:
                return f"has the edge {source}->{node}, which this space does not have"
            options = self.options(edge, pairs)
            if name not in options:
                return f"has {name} on edge {source}->{node}, where {', '.join(options)} are allowed"
            if (name, source, node) in seen:
                return f"feeds node {node} twice from node {source} through {name}"
            seen.add((name, source, node))
        return None

    def neighbours(self, pairs: tuple[Pair, ...]) -> list[tuple[Pair, ...]]:
        """All architectures of the same kind that differ in one operation, or in the source of one kept edge."""
        found = []
        fed = targets(pairs, self.nodes)
        for index, ((name, source), node) in enumerate(zip(pairs, fed, strict=True)):
            taken = {other for (_, other), target in zip(pairs, fed, strict=True) if target == node} - {source}
            for edge in self.into(node):
                other = self.edges[edge][0]
                if other in taken:
                    continue
                options = self.options(edge, pairs)
                for operation in options:
                    # A moved edge keeps its operation where it can, so that one thing changes at a time.
                    moved = other != source
                    if (not moved and operation == name) or (moved and operation != name and name in options):
                        continue
                    found.append((*pairs[:index], (operation, other), *pairs[index + 1 :]))
        return found

    def _edge(self, source: int, target: int) -> int | None:
        return self.edges.index((source, target)) if (source, target) in self.edges else None


@dataclass(frozen=True)
class SearchSpace:
    """A search space: the graph of the normal cell and of the reduction cell.

    Args:
        name: its name in `spaces.names()`.
        normal: the cell that keeps height and width.
        reduce: the cell that halves them, or None where the reduction is fixed (one FactorizedReduce).
    """

    name: str
    normal: Cell
    reduce: Cell | None
    family = "darts"

    @cached_property
    def groups(self) -> Mapping[str, Cell]:
        """The groups of architecture parameters: "normal" and, where it is searched, "reduce"."""
        cells = {"normal": self.normal} | ({"reduce": self.reduce} if self.reduce else {})
        return MappingProxyType(cells)

    @property
    def nodes(self) -> int:
        """The number of intermediate nodes of a cell."""
        return len(self.normal.nodes)

    @property
    def operations(self) -> tuple[str, ...]:
        """Every operation that occurs in the space, in the order of first appearance."""
        names = [name for cell in self.groups.values() for edge in cell.operations for name in edge]
        return tuple(dict.fromkeys(names))

    @property
    def edges(self) -> int:
        """The number of edges of a cell."""
        return len(self.normal.edges)

    def size(self) -> int:
        """The number of architectures of kept edges (two orders of a node's pairs count once)."""
        return math.prod(cell.size() for cell in self.groups.values())

    def unique(self) -> int | None:
        """How many architectures compute different functions: counted for a single edge only, where all do."""
        return self.size() if self.edges == 1 else None

    def sample(self, generator: torch.Generator) -> Genotype:
        """A uniformly drawn architecture of kept edges."""
        return self.genotype({name: cell.sample(generator) for name, cell in self.groups.items()})

    def neighbours(self, genotype: Genotype) -> list[Genotype]:
        """All architectures of the same kind one change away: one operation, or the source of one kept edge."""
        self.check(genotype)
        return [
            self.genotype({**self._pairs(genotype), name: pairs})
            for name, cell in self.groups.items()
            for pairs in cell.neighbours(genotype.cell(name))
        ]

    def genotype(self, pairs: Mapping[str, tuple[Pair, ...]]) -> Genotype:
        """The genotype with these pairs; every intermediate node is put out."""
        concat = self.normal.nodes
        reduce = pairs.get("reduce", ())
        return Genotype(pairs["normal"], concat, reduce, concat if reduce else ())

    def check(self, genotype: Genotype) -> None:
        """Make sure that a genotype belongs to this space.

        Raises:
            UsageError: it does not; the sentence says where.
        """
        if not isinstance(genotype, Genotype):
            raise UsageError(f"Space {self.name} holds genotypes, not {str(genotype)[:80]}.")
        for kind in ("normal", "reduce"):
            cell = self.groups.get(kind)
            if cell is None and genotype.cell(kind):
                raise UsageError(f"The genotype has a {kind} cell, but in space {self.name} the reduction is fixed.")
            problem = cell.problem_with(genotype.cell(kind), genotype.concat(kind)) if cell else None
            if problem:
                raise UsageError(f"The genotype is not in space {self.name}: its {kind} cell {problem}.")

    def parse(self, text: str) -> Genotype:
        """Read an architecture of this space from text.

        Raises:
            UsageError: the text is malformed or the architecture is not in this space.
        """
        genotype = parse_genotype(text)
        self.check(genotype)
        return genotype

    def chosen(self, genotype: Genotype) -> dict[str, tuple[tuple[int, ...], ...]]:
        """For each group and edge the indices of the operations that the architecture has there.

        Raises:
            UsageError: the genotype is not in this space.
        """
        self.check(genotype)
        found: dict[str, tuple[tuple[int, ...], ...]] = {}
        for name, cell in self.groups.items():
            held = [((source, target), operation) for source, target, operation in genotype.edges(name)]
            found[name] = tuple(
                tuple(names.index(operation) for where, operation in held if where == edge)
                for edge, names in zip(cell.edges, cell.operations, strict=True)
            )
        return found

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.size():,} architectures"]
        for kind, cell in self.groups.items():
            for (source, target), names in zip(cell.edges, cell.operations, strict=True):
                lines.append(f"  {kind} {source}->{target}: {', '.join(names)}")
        return "\n".join(lines + ([] if self.reduce else ["  reduce: fixed (FactorizedReduce)"]))

    def _pairs(self, genotype: Genotype) -> dict[str, tuple[Pair, ...]]:
        return {name: genotype.cell(name) for name in self.groups}


def _draw(options: tuple[str, ...], generator: torch.Generator) -> str:
    return options[int(torch.randint(len(options), (), generator=generator))]
