"""One architecture of NAS-Bench-1Shot1: operations on nodes, each node with parents (Zela et al. 2020, section 3).

Node 0 is the cell's input. Each further node sums the outputs of its parents and applies one operation; the cell's
output concatenates its own parents (the input is projected and added).

    1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-0,1 | 3: conv1x1-bn-relu<-1,2 | 4: conv3x3-bn-relu<-0,3 | out<-2,4)

is an architecture's text, which is ours (the benchmark knows adjacency matrices only).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nasbook.runtime.errors import UsageError
from nasbook.spaces.nas_bench_101 import MAX_EDGES, MAX_VERTICES, OPERATIONS, Cell101

FAMILY = "nas-bench-1shot1"
MARK = "1Shot1("
MAX_NODES = MAX_VERTICES - 2
FORM = "1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-0,1 | out<-1,2)"
DUMMY = "conv1x1-bn-relu"
Parents = tuple[int, ...]


@dataclass(frozen=True)
class NodeCell:
    """One architecture: the operation and the parents of every node, and the parents of the output.

    Args:
        operations: of nodes 1, 2, ...
        parents: of nodes 1, 2, ...: lower nodes, 0 being the cell's input; their order does not count.
        output: nodes that the cell puts out, likewise.

    Raises:
        UsageError: NAS-Bench-101 has no such cell; the sentence says why.
    """

    operations: tuple[str, ...]
    parents: tuple[Parents, ...]
    output: Parents
    family = FAMILY

    def __post_init__(self) -> None:
        if not 1 <= len(self.operations) <= MAX_NODES or len(self.parents) != len(self.operations):
            raise UsageError(f"A cell has 1 to {MAX_NODES} nodes, each with one operation and a list of parents.")
        for name in self.operations:
            if name not in OPERATIONS:
                raise UsageError(f"A node has one of the operations {', '.join(OPERATIONS)}, not {name[:60]!r}.")
        for node, parents in self.wiring():
            _check_parents(node, parents, len(self.parents))
        edges = sum(len(parents) for _, parents in self.wiring())
        if edges > MAX_EDGES:
            raise UsageError(f"A cell of NAS-Bench-101 has at most {MAX_EDGES} edges, not {edges}.")
        # Parents are a set: held ascending, so that equal cells are equal values.
        object.__setattr__(self, "parents", tuple(tuple(sorted(each)) for each in self.parents))
        object.__setattr__(self, "output", tuple(sorted(self.output)))

    @property
    def nodes(self) -> range:
        """The nodes but the input: 1, 2, ..."""
        return range(1, len(self.operations) + 1)

    def wiring(self) -> list[tuple[int | None, Parents]]:
        """(node, parents) for every node and last for the output, which is None."""
        return [*enumerate(self.parents, start=1), (None, self.output)]

    def canonical(self) -> NodeCell:
        """The cell itself: it has one way of writing. (Cells of equal graphs have other weights in a supernet.)"""
        return self

    def count(self, name: str) -> int:
        """How many nodes have this operation."""
        return self.operations.count(name)

    def useful(self) -> frozenset[int]:
        """The nodes that lead to the output; the others are loose ends, which change nothing."""
        found = set(self.output) - {0}
        for node in reversed(self.nodes):
            if node in found:
                found |= set(self.parents[node - 1]) - {0}
        return frozenset(found)

    def cell101(self) -> Cell101:
        """The cell as the benchmark stores it: 7 vertices; missing nodes are unconnected 1x1 convolutions."""
        vertex = {node: node for node in range(len(self.operations) + 1)} | {None: MAX_VERTICES - 1}
        matrix = [[0] * MAX_VERTICES for _ in range(MAX_VERTICES)]
        for node, parents in self.wiring():
            for parent in parents:
                matrix[parent][vertex[node]] = 1
        dummies = (DUMMY,) * (MAX_NODES - len(self.operations))
        return Cell101(tuple(map(tuple, matrix)), ("input", *self.operations, *dummies, "output"))

    def __str__(self) -> str:
        named = [f"{node}: {name}" for node, name in enumerate(self.operations, start=1)] + ["out"]
        parts = [
            f"{name}<-{','.join(map(str, parents))}" for name, (_, parents) in zip(named, self.wiring(), strict=True)
        ]
        return f"{MARK}{' | '.join(parts)})"


def parse_node_cell(text: str) -> NodeCell:
    """Read an architecture from its text form; blanks, the order of parents and what stands before do not matter.

    Raises:
        UsageError: the text is malformed; the sentence says what was wrong and what is allowed.
    """
    text = text[max(text.find(MARK), 0) :].strip()
    if not text.startswith(MARK) or not text.endswith(")"):
        raise UsageError(f"An architecture of NAS-Bench-1Shot1 reads like {FORM}.")
    *nodes, output = text[len(MARK) : -1].split("|")
    operations, parents = [], []
    for node, part in enumerate(nodes, start=1):
        name, found = _part(part, rf"{node}\s*:\s*([a-z0-9-]+?)", f"{node}: operation<-parents")
        operations.append(name)
        parents.append(found)
    return NodeCell(tuple(operations), tuple(parents), _part(output, "(out)", "out<-parents")[1])


def _part(text: str, head: str, form: str) -> tuple[str, Parents]:
    match = re.fullmatch(rf"\s*{head}\s*<-\s*([0-9](?:\s*,\s*[0-9])*)\s*", text)
    if match is None:
        shown = text.strip()[:40]
        raise UsageError(f"{shown!r} should read {form}, as in {FORM}.")
    return match[1], tuple(int(number) for number in match[2].split(","))


def _check_parents(node: int | None, parents: Parents, nodes: int) -> None:
    who = "The output" if node is None else f"Node {node}"
    last = nodes if node is None else node - 1
    if not parents:
        raise UsageError(f"{who} has no parent.")
    for parent in parents:
        if not 0 <= parent <= last:
            raise UsageError(f"{who} has the parent {parent}; allowed are 0 to {last}.")
    if len(set(parents)) != len(parents):
        raise UsageError(f"{who} names a parent twice: {', '.join(map(str, parents))}.")
