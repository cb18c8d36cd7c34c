"""A distribution over the architectures of a space: one independent categorical for each choice.

For each node of each cell a categorical picks which of its edges are kept, and for each edge a categorical picks the
operation, used only where the edge is kept.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, NodeSpace, SearchSpace

_Choice = tuple[str, int]  # (group, node or edge)


class Policy:
    """Independent categoricals over kept edges and operations.

    Args:
        space: whose architectures are drawn.
        generator: draws the first logits, 1e-3 times a standard normal: nearly uniform.

    Attributes:
        sources: for each (group, node) the logits over `subsets` of that node.
        operations: for each (group, edge) the logits over the edge's operations.
        subsets: for each (group, node) the sets of edges that may be kept together.
        entropies: the entropy in nats before each draw of `reinforce`, for pictures.

    Raises:
        UsageError: the choices of the space are not edges.
    """

    def __init__(self, space: SearchSpace, *, generator: torch.Generator) -> None:
        if isinstance(space, NodeSpace):
            raise UsageError(f"A policy chooses edges, and the choices of space {space.name} are nodes.")
        self.space = space
        self.entropies: list[float] = []
        self.subsets: dict[_Choice, list[tuple[int, ...]]] = {}
        self.sources: dict[_Choice, Tensor] = {}
        self.operations: dict[_Choice, Tensor] = {}
        for group, cell in space.groups.items():
            for node in cell.nodes:
                edges = cell.into(node)
                subsets = list(combinations(edges, min(cell.keep, len(edges))))
                self.subsets[group, node] = subsets
                self.sources[group, node] = _logits(len(subsets), generator)
                for edge in edges:
                    self.operations[group, edge] = _logits(len(cell.choices(edge)), generator)

    def parameters(self) -> list[Tensor]:
        """All logits, float64 leaves that require a gradient."""
        return [*self.sources.values(), *self.operations.values()]

    def sample(self, generator: torch.Generator) -> Genotype:
        """Draw one architecture."""
        pairs = {}
        for group, cell in self.space.groups.items():
            pairs[group] = tuple(
                (cell.choices(edge)[_draw(self.operations[group, edge], generator)], cell.edges[edge][0])
                for node in cell.nodes
                for edge in self.subsets[group, node][_draw(self.sources[group, node], generator)]
            )
        return self.space.genotype(pairs)

    def log_probability(self, genotype: Genotype) -> Tensor:
        """The logarithm of the probability of drawing this architecture: a scalar, differentiable in the logits."""
        total = torch.zeros((), dtype=torch.float64)
        for group, cell in self.space.groups.items():
            named = {(source, target): name for source, target, name in genotype.canonical().edges(group)}
            for node in cell.nodes:
                kept = tuple(edge for edge in cell.into(node) if cell.edges[edge] in named)
                place = self.subsets[group, node].index(kept)
                total = total + self.sources[group, node].log_softmax(0)[place]
                for edge in kept:
                    place = cell.choices(edge).index(named[cell.edges[edge]])
                    total = total + self.operations[group, edge].log_softmax(0)[place]
        return total

    def entropy(self) -> float:
        """The entropy of the distribution over architectures, in nats.

        An operation counts only where its edge is kept, so each edge's entropy is weighted by that probability.
        """
        total = 0.0
        with torch.no_grad():
            for (group, node), logits in self.sources.items():
                total += _entropy(logits)
                for probability, subset in zip(logits.softmax(0).tolist(), self.subsets[group, node]):
                    total += probability * sum(_entropy(self.operations[group, edge]) for edge in subset)
        return total


def _logits(count: int, generator: torch.Generator) -> Tensor:
    return (1e-3 * torch.randn(count, generator=generator, dtype=torch.float64)).requires_grad_()


def _draw(logits: Tensor, generator: torch.Generator) -> int:
    # By inversion from one uniform number: the same draw on every machine, which torch.multinomial does not promise.
    cumulative = logits.detach().softmax(0).cumsum(0)
    uniform = torch.rand((), generator=generator, dtype=torch.float64)
    return min(int((cumulative <= uniform).sum()), len(logits) - 1)


def _entropy(logits: Tensor) -> float:
    return float(-(logits.softmax(0) * logits.log_softmax(0)).sum())
