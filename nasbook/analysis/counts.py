"""What a derived architecture holds: how often each operation, and which share has nothing to learn.

The degenerate cells of DARTS in simple spaces are seen in these counts (Zela et al. 2020, section 3): skip connections
everywhere in S1 to S3, noise in S4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nasbook.runtime.errors import UsageError
from nasbook.spaces import Architecture, Space

# By name, over all families: what has no weights of its own in a normal cell.
PARAMETER_FREE = frozenset({"none", "noise", "skip_connect", "max_pool_3x3", "avg_pool_3x3", "maxpool3x3"})


@dataclass(frozen=True)
class Counts:
    """The operations of one architecture.

    Args:
        operations: every operation of its space and how often the architecture holds it, in the space's order.
    """

    operations: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many operations the architecture holds, over all its cells."""
        return sum(self.operations.values())

    @property
    def parameter_free(self) -> int:
        """How many of them are skips, pools, noise or nothing."""
        return sum(count for name, count in self.operations.items() if name in PARAMETER_FREE)

    @property
    def degenerate(self) -> float:
        """The share of those, from 0 to 1: at 1 there is nothing to learn in a normal cell."""
        return self.parameter_free / self.total

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in self.operations.items() if count)


def counts(space: Space, architecture: Architecture) -> Counts:
    """Count the operations that an architecture holds.

    Args:
        space: any space that has it.
        architecture: of any family.

    Raises:
        UsageError: the architecture is not in the space, or holds no operation.
    """
    space.check(architecture)
    found = Counts(MappingProxyType({name: architecture.count(name) for name in space.operations}))
    if found.total == 0:
        raise UsageError(f"The architecture {architecture} holds no operation to count.")
    return found
