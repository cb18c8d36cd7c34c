"""Listing a space: as many architectures as its size says, each once, each a member."""

from __future__ import annotations

import pytest

from nasbook import spaces, strategies
from nasbook.runtime.errors import UsageError

SPACES = [
    ("s1", 2, "fixed", 48),
    ("s2", 2, "fixed", 48),
    ("s3", 2, "fixed", 48),  # none is never part of an architecture
    ("darts", 1, "fixed", 49),
    ("s2", 1, "searched", 16),
    ("s2", 3, "fixed", 48 * 6 * 4),
    ("toy", 4, "fixed", 3),
]


@pytest.mark.parametrize(("name", "nodes", "reduction", "count"), SPACES)
def test_every_architecture_once(name: str, nodes: int, reduction: str, count: int) -> None:
    space = spaces.get(name, nodes=nodes, reduction=reduction)
    found = list(strategies.architectures(space))
    assert len(found) == len(set(found)) == space.size() == count
    for genotype in found:
        space.check(genotype)
        assert genotype == genotype.canonical()


def test_a_large_space_is_refused() -> None:
    with pytest.raises(UsageError, match="at most 100,000 are listed"):
        next(strategies.architectures(spaces.get("s2")))
