"""Proximal iterations: search in the continuous, evaluate at the nearest discrete point (NASP, Yao et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nasbook.relaxation.base import Alpha, Categorical, Derive
from nasbook.spaces import Space
from nasbook.supernet import Mixing, one_hot


class Proximal(Categorical):
    """Forwards the one-hot weights of the architecture that alpha points at, backwards the identity (algorithm 2).

    Alpha lies in [0, 1] and has no softmax. The projection keeps one operation an edge and, in the DARTS family, the
    two strongest edges of a node: it is the selection rule itself. The outer gradient is taken at the projected point,
    where every operation runs so that every entry gets one, and moves the continuous alpha.
    """

    def __init__(self, space: Space, derive: Derive) -> None:
        super().__init__(space)
        self.derive = derive

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """The architecture's weights; nothing is drawn."""
        hard = one_hot(self.space, self.derive(self.space, self.expected(alpha, progress))).weights
        return Mixing({name: hard[name].double() + (values - values.detach()) for name, values in alpha.items()})

    def expected(self, alpha: Alpha, progress: float) -> dict[str, Tensor]:
        """Alpha itself: what the projection reads."""
        return dict(alpha)

    def project(self, alpha: Alpha, before: Mapping[str, Tensor]) -> None:
        """Clip to [0, 1]."""
        with torch.no_grad():
            for values in alpha.values():
                values.clamp_(0.0, 1.0)
