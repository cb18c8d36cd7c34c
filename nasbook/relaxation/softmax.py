"""The continuous relaxation of DARTS (Liu et al. 2019, equation 2)."""

from __future__ import annotations

import torch
from torch import Tensor

from nasbook.relaxation.base import Alpha
from nasbook.spaces import Space
from nasbook.supernet import Mixing


class Softmax:
    """weights[edge, k] = exp(alpha[edge, k]) / sum_l exp(alpha[edge, l]); all operations run."""

    def __init__(self, space: Space) -> None:
        self.space = space

    def initial(self, *, scale: float, generator: torch.Generator) -> Alpha:
        """Normal numbers with deviation `scale`, as in the released code (the paper says zeros)."""
        return {
            name: (scale * torch.randn(cell.shape, generator=generator, dtype=torch.float64)).requires_grad_()
            for name, cell in self.space.groups.items()
        }

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """The softmax over the operations of each edge."""
        return Mixing(self.expected(alpha, progress))

    def expected(self, alpha: Alpha, progress: float) -> dict[str, Tensor]:
        """The same weights: nothing is drawn."""
        return {name: torch.softmax(values, dim=-1) for name, values in alpha.items()}

    def project(self, alpha: Alpha) -> None:
        """Every real number is allowed: nothing to do."""
