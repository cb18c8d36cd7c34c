"""The three spaces of NAS-Bench-1Shot1: parts of NAS-Bench-101 that a supernet can search (Zela et al. 2020).

Each node and the output have a fixed number of parents, so that the strongest parents of a supernet's choice blocks
make a cell of NAS-Bench-101. How many, is from the released code's definitions of the spaces.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from types import MappingProxyType

import torch

from nasbook.runtime.errors import UsageError
from nasbook.spaces.nas_bench_101 import OPERATIONS
from nasbook.spaces.node_cell import FAMILY, FORM, NodeCell, parse_node_cell


@dataclass(frozen=True)
class Choices:
    """One group of architecture parameters: in each row `keep` of the columns are chosen.

    Args:
        rows: what each row decides.
        columns: what it chooses among: operations, or parents.
        keep: how many columns of a row an architecture holds.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    keep: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self.rows), len(self.columns)

    @property
    def operations(self) -> tuple[tuple[str, ...], ...]:
        """For each row the names of its columns."""
        return (self.columns,) * len(self.rows)

    @property
    def held(self) -> int:
        """As many columns of a row as are kept."""
        return self.keep


@dataclass(frozen=True)
class NodeSpace:
    """A space of NAS-Bench-1Shot1: how many parents each node and the output have.

    Args:
        name: its name in `spaces.names()`.
        keep: parents of nodes 1, 2, ...
        keep_output: parents of the output.
    """

    name: str
    keep: tuple[int, ...]
    keep_output: int
    family = FAMILY

    @cached_property
    def groups(self) -> Mapping[str, Choices]:
        """ "operations" (nodes, 3), "output" (1, nodes + 1) and "inputs N" (1, N) for each node N with a choice.

        Column 0 of a group of parents is the cell's input, projected.
        """
        count = len(self.keep)
        names = tuple(f"node {node}" for node in range(1, count + 1))
        groups = {
            "operations": Choices(names, OPERATIONS),
            "output": Choices(("output",), ("input", *names), self.keep_output),
        }
        for node, keep in enumerate(self.keep, start=1):
            if keep < node:
                groups[inputs_of(node)] = Choices((f"node {node}",), ("input", *names[: node - 1]), keep)
        return MappingProxyType(groups)

    @property
    def operations(self) -> tuple[str, ...]:
        """The three operations of NAS-Bench-101."""
        return OPERATIONS

    @property
    def edges(self) -> int:
        """The number of edges of an architecture's cell, those into the output included."""
        return sum(self.keep) + self.keep_output

    def size(self) -> int:
        """The number of architectures, each way of writing counted once."""
        return math.prod(
            math.comb(columns, group.keep) ** rows for group in self.groups.values() for rows, columns in [group.shape]
        )

    def unique(self) -> int | None:
        """Not known: nobody's count of those that NAS-Bench-101 tells apart could be checked."""
        return None

    def architectures(self) -> Iterator[NodeCell]:
        """All architectures, the parents of the last node fastest."""
        rows = {name: product(_options(group), repeat=len(group.rows)) for name, group in self.groups.items()}
        for chosen in product(*rows.values()):
            yield self.architecture(dict(zip(rows, chosen, strict=True)))

    def sample(self, generator: torch.Generator) -> NodeCell:
        """A uniformly drawn architecture."""
        return self.architecture(
            {name: tuple(_draw(group, generator) for _ in group.rows) for name, group in self.groups.items()}
        )

    def neighbours(self, architecture: NodeCell) -> list[NodeCell]:
        """All architectures one change away: one operation, or one parent."""
        chosen = self.chosen(architecture)
        found = []
        for name, group in self.groups.items():
            for row, columns in enumerate(chosen[name]):
                for swapped in _swaps(columns, range(group.shape[1])):
                    rows = (*chosen[name][:row], swapped, *chosen[name][row + 1 :])
                    found.append(self.architecture({**chosen, name: rows}))
        return found

    def check(self, architecture: NodeCell) -> None:
        """Make sure that an architecture belongs to this space.

        Raises:
            UsageError: it does not; the sentence says where.
        """
        if not isinstance(architecture, NodeCell):
            raise UsageError(f"Space {self.name} holds architectures like {FORM}, not {str(architecture)[:80]}.")
        if len(architecture.operations) != len(self.keep):
            raise UsageError(
                f"The architecture is not in space {self.name}: it has {len(architecture.operations)} nodes, "
                f"not {len(self.keep)}."
            )
        wanted = (*self.keep, self.keep_output)
        for (node, parents), keep in zip(architecture.wiring(), wanted, strict=True):
            if len(parents) != keep:
                who = "its output" if node is None else f"its node {node}"
                raise UsageError(
                    f"The architecture is not in space {self.name}: the number of parents of {who} is {len(parents)}, "
                    f"not {keep}."
                )

    def parse(self, text: str) -> NodeCell:
        """Read an architecture of this space from text.

        Raises:
            UsageError: the text is malformed or the architecture is not in this space.
        """
        architecture = parse_node_cell(text)
        self.check(architecture)
        return architecture

    def chosen(self, architecture: NodeCell) -> dict[str, tuple[tuple[int, ...], ...]]:
        """For each group and row the columns that the architecture holds: one operation, or all parents of a node.

        Raises:
            UsageError: the architecture is not in this space.
        """
        self.check(architecture)
        found: dict[str, tuple[tuple[int, ...], ...]] = {
            "operations": tuple((OPERATIONS.index(name),) for name in architecture.operations),
            "output": (architecture.output,),
        }
        for node, parents in zip(architecture.nodes, architecture.parents, strict=True):
            if inputs_of(node) in self.groups:
                found[inputs_of(node)] = (parents,)
        return found

    def architecture(self, chosen: Mapping[str, Iterable[tuple[int, ...]]]) -> NodeCell:
        """The architecture that holds these columns of each group and row: the inverse of `chosen`."""
        rows = {name: tuple(columns) for name, columns in chosen.items()}
        every = {inputs_of(node): (tuple(range(node)),) for node in range(1, len(self.keep) + 1)}
        parents = {**every, **rows}
        return NodeCell(
            tuple(OPERATIONS[column] for (column,) in rows["operations"]),
            tuple(parents[inputs_of(node)][0] for node in range(1, len(self.keep) + 1)),
            rows["output"][0],
        )

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.size():,} architectures"]
        for name, group in self.groups.items():
            lines += [f"  {name}, {row}: {group.keep} of {', '.join(group.columns)}" for row in group.rows]
        return "\n".join(lines)


def inputs_of(node: int) -> str:
    """The name of the group that chooses a node's parents."""
    return f"inputs {node}"


def _options(group: Choices) -> list[tuple[int, ...]]:
    """What a row may hold."""
    return list(combinations(range(group.shape[1]), group.keep))


def _draw(group: Choices, generator: torch.Generator) -> tuple[int, ...]:
    options = _options(group)
    return options[int(torch.randint(len(options), (), generator=generator))]


def _swaps(columns: tuple[int, ...], all_columns: range) -> list[tuple[int, ...]]:
    """Each of the chosen columns exchanged for each that is not chosen."""
    others = [column for column in all_columns if column not in columns]
    return [(*columns[:index], other, *columns[index + 1 :]) for index in range(len(columns)) for other in others]


NODE_SPACES = {
    space.name: space
    for space in (
        NodeSpace(f"{FAMILY}-1", (1, 2, 2, 2), 2),
        NodeSpace(f"{FAMILY}-2", (1, 1, 2, 2), 3),
        NodeSpace(f"{FAMILY}-3", (1, 1, 1, 2, 2), 2),
    )
}
