"""What a relaxation is: the rule that makes operation weights of architecture parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from nasbook.sizes import SearchNumbers
from nasbook.spaces import Space
from nasbook.supernet import Mixing

Alpha = dict[str, Tensor]
# Reads one architecture off operation weights: a selection rule, which some relaxations project with.
Derive = Callable[[Space, Mapping[str, Tensor]], Any]


class Relaxation(Protocol):
    """Architecture parameters -> operation weights, in one search space.

    Architecture parameters live on the host, in double precision: they are few (24 to 224 numbers), and so it is known
    which operations run without waiting for a device.
    """

    def initial(self, *, start: float = 0.0, scale: float, generator: torch.Generator) -> Alpha:
        """Fresh architecture parameters: for each group of the space a leaf tensor (edges, operations).

        Args:
            start, scale: mean and standard deviation of what is drawn.
            generator: draws it.
        """

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """The operation weights at these parameters, differentiable in them.

        Args:
            alpha: architecture parameters.
            progress: how much of the search is done, from 0 to 1 (temperatures are annealed by it).
            generator: draws the sample where the relaxation is random.
        """

    def expected(self, alpha: Alpha, progress: float) -> Mapping[str, Tensor]:
        """The operation weights with the chance taken out: what the history shows and what selection reads.

        Args:
            alpha, progress: as for a call.

        Returns:
            For each group of the space (edges, operations), on the host. A relaxation that draws nothing returns the
            weights of a call; one that does returns their mean, or numbers in the same order.
        """

    def project(self, alpha: Alpha, before: Mapping[str, Tensor]) -> None:
        """Bring the parameters back where they may be, in place, after an outer step.

        Args:
            alpha: the parameters after the step.
            before: those before it.
        """


# Makes the relaxation of a space by the numbers of the search and the rule that derives an architecture.
Factory = Callable[[Space, SearchNumbers, Derive], Relaxation]


class Categorical:
    """What relaxations share whose parameters are the logits of a softmax over each row."""

    def __init__(self, space: Space) -> None:
        self.space = space

    def initial(self, *, start: float = 0.0, scale: float, generator: torch.Generator) -> Alpha:
        """Normal numbers of mean `start` and deviation `scale`: for each group of the space (edges, operations)."""
        return {
            name: (start + scale * torch.randn(group.shape, generator=generator, dtype=torch.float64)).requires_grad_()
            for name, group in self.space.groups.items()
        }

    def expected(self, alpha: Alpha, progress: float) -> dict[str, Tensor]:
        """The probabilities of the operations of each edge."""
        return {name: torch.softmax(values, dim=-1) for name, values in alpha.items()}

    def project(self, alpha: Alpha, before: Mapping[str, Tensor]) -> None:
        """Every real number is allowed: nothing to do."""


def gumbel(like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard Gumbel noise of the shape of `like`: minus the logarithm of an exponential number, always finite."""
    return -torch.empty_like(like).exponential_(generator=generator).log()


def held(space: Space, name: str) -> int:
    """How many columns of a group's rows an architecture holds: one operation, or all parents of a node."""
    return space.groups[name].held
