"""Gumbel noise makes a sample that can be differentiated: SNAS (Xie et al. 2019) and GDAS (Dong & Yang 2019).

With G standard Gumbel noise, argmax_k (log p_k + G_k) is a draw from p = softmax(alpha) (the Gumbel-max trick), and
softmax((log p + G) / temperature) is a relaxed draw: one-hot as the temperature goes to 0, uniform as it grows (Jang et
al. 2017; Maddison et al. 2017).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nasbook.relaxation.base import Alpha, Categorical, gumbel, held
from nasbook.relaxation.drawing import Drawn, largest
from nasbook.relaxation.temperature import Temperature
from nasbook.spaces import Space
from nasbook.supernet import Mixing


class GumbelSoftmax(Categorical):
    """A relaxed draw on every edge; all operations run (SNAS, equation 4).

    Adding a number to a whole row of alpha changes nothing, so alpha itself plays log p, as in the released code.
    """

    def __init__(self, space: Space, temperature: Temperature | None = None) -> None:
        super().__init__(space)
        self.temperature = temperature or Temperature()

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """One relaxed draw, shared by all cells of a kind."""
        return Mixing(self._relaxed(_noisy(alpha, generator), progress))

    def _relaxed(self, noisy: Mapping[str, Tensor], progress: float) -> dict[str, Tensor]:
        temperature = self.temperature(progress)
        return {name: torch.softmax(values / temperature, dim=-1) for name, values in noisy.items()}


class HardGumbel(GumbelSoftmax):
    """The draw itself forwards, the relaxed draw backwards (straight-through); only what is drawn runs (GDAS, eq. 7).

    Where an architecture holds several columns of a row (a node's parents in NAS-Bench-1Shot1) as many are drawn.
    """

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """One hard draw, shared by all cells of a kind."""
        noisy = _noisy(alpha, generator)
        # Of the noisy logits, not of the relaxed draw: that is zero in many columns where the temperature is low.
        drawn = Drawn({name: largest(values, held(self.space, name)) for name, values in noisy.items()})
        relaxed = self._relaxed(noisy, progress)
        return Mixing({name: drawn.straight_through(name, values) for name, values in relaxed.items()}, drawn.active)


def _noisy(alpha: Alpha, generator: torch.Generator) -> dict[str, Tensor]:
    """log p + G for each group."""
    return {name: torch.log_softmax(values, dim=-1) + gumbel(values, generator) for name, values in alpha.items()}
