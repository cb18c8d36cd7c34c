"""Selection by ranking: the architecture that does best with the shared weights (Li & Talwalkar 2020, section 3.2)."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from nasbook.search import Search
from nasbook.spaces import Architecture
from nasbook.supernet import one_hot

CANDIDATES = 100


def shared_weight_accuracies(search: Search, architectures: Iterable[Architecture]) -> list[float]:
    """Accuracy (percent) of each architecture on the half of alpha with the supernet's weights, nothing trained.

    Every architecture is scored on the same images, all of them, by the statistics of each batch: running statistics
    are those of all paths together and spoil the order. (Released code for NAS-Bench-201 scores each candidate
    on another single mini-batch, which mixes the architecture's merit with the batch's.)

    Raises:
        UsageError: an architecture is not in the search's space.
    """
    return [search.validate(one_hot(search.space, each), batch_statistics=True)[1] for each in architectures]


def ranking(search: Search) -> Architecture:
    """The best of `CANDIDATES` uniformly drawn architectures by accuracy with the shared weights; ties: the first."""
    generator = torch.Generator().manual_seed(search.seed)
    drawn = [search.space.sample(generator).canonical() for _ in range(CANDIDATES)]
    candidates = list(dict.fromkeys(drawn))  # in a small space many are drawn twice
    scores = shared_weight_accuracies(search, candidates)
    return candidates[scores.index(max(scores))]
