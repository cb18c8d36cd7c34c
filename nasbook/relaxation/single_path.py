"""Uniform single paths: each step runs one architecture, drawn anew (Li & Talwalkar 2020, weight sharing)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nasbook.relaxation.base import Alpha, Categorical
from nasbook.supernet import Mixing, one_hot, uniform


class SinglePath(Categorical):
    """Weight one on the operations of one uniformly drawn architecture; nothing else runs.

    There is nothing to learn: the architecture parameters are zeros and never move. What the shared weights are for is
    to rank architectures afterwards (`nasbook.selection.ranking`).
    """

    def initial(self, *, start: float = 0.0, scale: float, generator: torch.Generator) -> Alpha:
        """Zeros, for each group of the space (edges, operations); no argument is used."""
        return {
            name: torch.zeros(cell.shape, dtype=torch.float64, requires_grad=True)
            for name, cell in self.space.groups.items()
        }

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """One architecture of the space, drawn from `generator`."""
        return one_hot(self.space, self.space.sample(generator))

    def expected(self, alpha: Alpha, progress: float) -> Mapping[str, Tensor]:  # type: ignore[override]
        """Equal weights: no operation is preferred."""
        return uniform(self.space).weights
