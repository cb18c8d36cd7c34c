"""Random search: the baseline that every other strategy has to beat at the same number of evaluations."""

from __future__ import annotations

import torch

from nasbook.spaces import SearchSpace
from nasbook.strategies.base import Strategy


def random_search(space: SearchSpace, *, generator: torch.Generator) -> Strategy:
    """Propose uniformly drawn architectures and ignore their scores.

    Args:
        space: where to search.
        generator: all random numbers come from it.

    Yields:
        One architecture after another, without end; repeats are possible.
    """
    while True:
        yield space.sample(generator)
