"""Operation weights: what a relaxation hands to a supernet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nasbook.spaces import Architecture, Space

Active = Mapping[str, tuple[tuple[int, ...], ...]]


@dataclass(frozen=True)
class Mixing:
    """The weight of every operation on every edge, and which operations run.

    Args:
        weights: for each group of the space ("normal", "reduce", ...) a tensor (rows, columns), mostly (edges,
            operations). Edges with weights of their own (PC-DARTS) have them under `edges_of(group)`, (1, edges).
        active: for each group and row the indices of the operations that run, known on the host so that no step waits
            for a device; None means that all run. An operation that does not run costs neither time nor memory, and its
            weight gets no gradient.
    """

    weights: Mapping[str, Tensor]
    active: Active | None = None

    def running(self, group: str, row: int) -> tuple[int, ...] | None:
        """The operations that run in one row of a group; None means all."""
        return None if self.active is None else self.active[group][row]

    def edge_weights(self, group: str) -> Tensor | None:
        """(edges,): the weight of each edge as a whole, or None where edges have none."""
        weights = self.weights.get(edges_of(group))
        return None if weights is None else weights[0]

    def to(self, device: torch.device, dtype: torch.dtype) -> Mixing:
        """The same weights on a device, still differentiable."""
        return self.map(lambda weights: weights.to(dtype).to(device))

    def detach(self) -> Mixing:
        """The same weights as constants: what the weight step reads."""
        return self.map(Tensor.detach)

    def without_zeros(self) -> Mixing:
        """The same sum, with no operation run whose weight is zero: for weights that are constants on the host.

        Where a gradient in the weights is wanted, an operation of weight zero must run all the same.
        """
        running = {}
        for name, weights in self.weights.items():
            before = self.active.get(name) if self.active is not None else None
            before = before or ((*range(weights.shape[1]),),) * len(weights)
            running[name] = tuple(
                tuple(k for k in edge if row[k]) for edge, row in zip(before, weights.tolist(), strict=True)
            )
        return Mixing(self.weights, running)

    def map(self, function: Callable[[Tensor], Tensor]) -> Mixing:
        """The mixing with `function` applied to every group's weights; the same operations run."""
        return Mixing({name: function(weights) for name, weights in self.weights.items()}, self.active)


def edges_of(group: str) -> str:
    """The name under which the weights of a group's edges stand."""
    return f"{group} edges"


def one_hot(space: Space, architecture: Architecture) -> Mixing:
    """The mixing that runs one architecture inside a supernet: weight one on what it holds, nothing else runs.

    Raises:
        UsageError: the architecture is not in the space.
    """
    active = space.chosen(architecture)
    weights = {name: torch.zeros(group.shape) for name, group in space.groups.items()}
    for name, rows in active.items():
        for row, columns in enumerate(rows):
            weights[name][row, list(columns)] = 1.0
    return Mixing(weights, active)


def uniform(space: Space) -> Mixing:
    """The mixing that weighs everything in a row alike."""
    return Mixing({name: torch.full(cell.shape, 1.0 / cell.shape[1]) for name, cell in space.groups.items()})
