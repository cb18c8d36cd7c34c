"""What every search space and every architecture can do, whatever its family.

A family is a kind of network that its architectures describe: "darts" (cells of edges, two inputs), "nas-bench-201"
(cells of edges, one input) or "nas-bench-1shot1" (choice blocks). A search needs to know no more of a space than this;
what a family's supernet, network and selection rule are is said by tables in `nasbook.supernet` and
`nasbook.selection`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch


class Group(Protocol):
    """One group of architecture parameters: rows of which each is a choice among columns."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the group's parameters; the relaxation acts along a row."""

    @property
    def rows(self) -> tuple[str, ...]:
        """What each row decides, in words: an edge like "0→2", or a node."""

    @property
    def operations(self) -> tuple[tuple[str, ...], ...]:
        """For each row the names of its columns."""

    @property
    def held(self) -> int:
        """How many columns of a row an architecture holds at most."""


class Architecture(Protocol):
    """One discrete architecture: a frozen, hashable value whose `str` is the text form of its family."""

    @property
    def family(self) -> str:
        """The kind of network that it describes."""

    def canonical(self) -> Architecture:
        """The same architecture in the one way of writing it that equal ones share."""

    def count(self, name: str) -> int:
        """How often an operation occurs."""


class Space(Protocol):
    """A search space."""

    @property
    def name(self) -> str:
        """Its name in `spaces.names()`."""

    @property
    def family(self) -> str:
        """The kind of network that its architectures describe."""

    @property
    def groups(self) -> Mapping[str, Group]:
        """The groups of architecture parameters, by name."""

    @property
    def operations(self) -> tuple[str, ...]:
        """Every operation that occurs in the space."""

    @property
    def edges(self) -> int:
        """How many edges its cell has."""

    def size(self) -> int:
        """The number of architectures, each way of writing counted once."""

    def unique(self) -> int | None:
        """How many of them compute different functions by the family's own count; None where nobody counted."""

    def sample(self, generator: torch.Generator) -> Any:
        """A uniformly drawn architecture."""

    def neighbours(self, architecture: Any) -> Sequence[Any]:
        """All architectures one change away."""

    def check(self, architecture: Any) -> None:
        """Make sure that an architecture belongs to this space (`UsageError` otherwise)."""

    def parse(self, text: str) -> Any:
        """Read an architecture of this space from text (`UsageError` where it is none)."""

    def chosen(self, architecture: Any) -> dict[str, tuple[tuple[int, ...], ...]]:
        """For each group and row the columns that the architecture holds: the ones of its one-hot weights."""
