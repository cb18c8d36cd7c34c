"""What a relaxation is: the rule that makes operation weights of architecture parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from nasbook.spaces import Space
from nasbook.supernet import Mixing

Alpha = dict[str, Tensor]


class Relaxation(Protocol):
    """Architecture parameters -> operation weights, in one search space.

    Architecture parameters live on the host, in double precision: they are few (24 to 224 numbers), and so it is known
    which operations run without waiting for a device.
    """

    def __init__(self, space: Space) -> None:
        """A relaxation of this space."""

    def initial(self, *, scale: float, generator: torch.Generator) -> Alpha:
        """Fresh architecture parameters: for each group of the space a leaf tensor (edges, operations)."""

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

    def project(self, alpha: Alpha) -> None:
        """Bring the parameters back where they may be, in place, after an outer step."""
