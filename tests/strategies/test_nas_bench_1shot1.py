"""Strategies on the spaces of NAS-Bench-1Shot1: drawing, climbing and listing need no edges."""

import pytest
import torch

from nasbook import spaces, strategies
from nasbook.runtime.errors import UsageError
from nasbook.strategies import Policy

SPACE = spaces.get("nas-bench-1shot1-1")


def convolutions(architecture):
    """4 where every node is a 3x3 convolution, and as many again for nodes 3 and 4 in the output."""
    return architecture.count("conv3x3-bn-relu") + 4.0 * (architecture.output == (3, 4))


def test_evolution_climbs_to_the_best_that_random_search_does_not_draw():
    """One in 810 architectures is best."""
    climbed = strategies.run(strategies.evolution(SPACE, generator=torch.Generator().manual_seed(0)), convolutions, 300)
    assert climbed.best.score == 8
    drawn = strategies.run(
        strategies.random_search(SPACE, generator=torch.Generator().manual_seed(0)), convolutions, 300
    )
    assert drawn.best.score < 8


def test_listing_holds_every_architecture_once():
    listed = list(strategies.architectures(SPACE))
    assert len(listed) == len(set(listed)) == SPACE.size()
    assert sum(convolutions(each) == 8 for each in listed) == len(listed) / 810
    for each in listed[::977]:
        SPACE.check(each)
    with pytest.raises(UsageError, match="1,312,200 architectures"):
        next(strategies.architectures(spaces.get("nas-bench-1shot1-3")))


def test_a_policy_over_edges_is_refused():
    with pytest.raises(UsageError, match="the choices of space nas-bench-1shot1-1 are nodes"):
        Policy(SPACE, generator=torch.Generator())
