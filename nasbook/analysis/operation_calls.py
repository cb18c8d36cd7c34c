"""Which operations a step of a search really runs: every call is counted, pass by pass.

Whether a method runs one operation an edge or all of them is a fact about its code, and is read off the code at work.
Hooks count the calls and change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from nasbook.search import Search
from nasbook.supernet import MixedEdge, Mixing

PURPOSES = ALPHA, WEIGHTS, PLAY = "step on alpha", "step on weights", "play"


@dataclass
class Pass:
    """One run of the supernet.

    Args:
        purpose: `ALPHA` where the operation weights want a gradient, `WEIGHTS` where only the shared weights do, and
            `PLAY` where nothing does (the draws of a policy gradient).
        calls: for each mixed edge, cell by cell, how many of its operations ran.
        channels: the shares of an edge's channels that its operations were handed.
    """

    purpose: str
    calls: list[int]
    channels: set[float] = field(default_factory=set)

    @property
    def most(self) -> int:
        """Operations that ran on the busiest edge."""
        return max(self.calls)


def of_step(search: Search) -> list[Pass]:
    """The runs of the supernet in one step of a search, in their order; the search goes on by that step."""
    with counting(search.supernet) as passes, search.stream.scope():
        search.step()
    return passes


def summary(passes: list[Pass]) -> dict[str, tuple[int, int]]:
    """For each purpose how many passes there were, and the most operations that ran on an edge in one of them."""
    times = Counter(each.purpose for each in passes)
    return {
        purpose: (count, max(each.most for each in passes if each.purpose == purpose))
        for purpose, count in times.items()
    }


@contextmanager
def counting(supernet: nn.Module) -> Iterator[list[Pass]]:
    """Count the calls of a supernet's operations while the block runs; the list grows with each pass."""
    edges: list[MixedEdge] = [edge for _, _, edge in supernet.mixed_edges()]  # type: ignore[operator]
    passes: list[Pass] = []

    def begin(_supernet: nn.Module, inputs: tuple[Any, ...]) -> None:
        passes.append(Pass(_purpose(inputs[1]), [0] * len(edges)))

    hooks = [supernet.register_forward_pre_hook(begin)]
    for place, edge in enumerate(edges):

        def ran(_operation: nn.Module, inputs: tuple[Any, ...], place: int = place, edge: MixedEdge = edge) -> None:
            passes[-1].calls[place] += 1
            passes[-1].channels.add(inputs[0].shape[1] / edge.channels)

        hooks += [operation.register_forward_pre_hook(ran) for operation in edge.operations]
    try:
        yield passes
    finally:
        for hook in hooks:
            hook.remove()


def _purpose(mixing: Mixing) -> str:
    if not torch.is_grad_enabled():
        return PLAY
    return ALPHA if any(weights.requires_grad for weights in mixing.weights.values()) else WEIGHTS
