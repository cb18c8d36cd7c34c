"""Operation weights drawn from a Dirichlet distribution: DrNAS (Chen et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Dirichlet
from torch.nn import functional as F

from nasbook.relaxation.base import Alpha, Categorical
from nasbook.runtime.random import RandomStream
from nasbook.supernet import Mixing

# Below it the pathwise gradient is a million times the weights: no step could use it.
SMALLEST_CONCENTRATION = 1e-6


class DirichletSample(Categorical):
    """A point of the simplex for every edge, drawn from Dir(ELU(alpha) + 1); all operations run.

    Its gradient in the concentrations is the pathwise one (equation 3 and appendix; PyTorch computes it). It can be
    taken once: a second derivative lacks the draw's part, and PyTorch does not say so. At alpha = 0 the distribution is
    uniform.
    """

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """One draw, shared by all cells of a kind."""
        # torch's Dirichlet draws from torch's global state: let that be a stream that follows from the generator.
        seed = int(torch.randint(2**62, (), generator=generator))
        with RandomStream(seed).scope():
            return Mixing({name: Dirichlet(concentration(values)).rsample() for name, values in alpha.items()})

    def expected(self, alpha: Alpha, progress: float) -> dict[str, Tensor]:
        """The mean of the distribution: concentrations over their sum. Its order is that of alpha."""
        means = {name: concentration(values) for name, values in alpha.items()}
        return {name: values / values.sum(dim=-1, keepdim=True) for name, values in means.items()}


def concentration(alpha: Tensor) -> Tensor:
    """The concentrations ELU(alpha) + 1, kept above zero."""
    return (F.elu(alpha) + 1.0).clamp_min(SMALLEST_CONCENTRATION)
