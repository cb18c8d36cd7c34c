"""Binary gates: one path runs, and its gates hand their gradient to the probabilities (ProxylessNAS, Cai et al. 2019).

The gates g of an edge are one-hot, drawn from p = softmax(alpha). Their gradient stands for that of p (section 3.2,
equation 4; after BinaryConnect):

    dL/dalpha_i = sum_j dL/dg_j * p_j * (delta_ij - p_i)     with    dL/dg_j = <dL/dy, o_j(x)>
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nasbook.relaxation.base import Alpha, Categorical, held
from nasbook.relaxation.drawing import Drawn, draw
from nasbook.supernet import Mixing


class BinaryGates(Categorical):
    """All operations run where a gradient in alpha is wanted, since every dL/dg_j needs its output; else one path."""

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """One draw, shared by all cells of a kind."""
        drawn = Drawn({name: draw(values, held(self.space, name), generator) for name, values in alpha.items()})
        weights = {name: drawn.straight_through(name, torch.softmax(values, dim=-1)) for name, values in alpha.items()}
        return Mixing(weights, None if torch.is_grad_enabled() else drawn.active)


class TwoPaths(Categorical):
    """Two operations of each edge are drawn and run, one of them open; so memory does not grow with their number.

    The pair is drawn from p without replacement, the probabilities of its two are those of a softmax over them alone,
    and the gradient is that of `BinaryGates` within the pair (section 3.2, at the end). After the step both logits are
    shifted by one number, so that the pair keeps its share of p. Where an architecture holds several columns of a row,
    one more than these is drawn.
    """

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """A pair on every edge; a single path, drawn from all operations, where no gradient is wanted."""
        if not torch.is_grad_enabled():
            drawn = Drawn({name: draw(values, held(self.space, name), generator) for name, values in alpha.items()})
            return Mixing({name: drawn.hot(name, values) for name, values in alpha.items()}, drawn.active)
        weights, pairs = {}, {}
        for name, values in alpha.items():
            count = held(self.space, name)
            pairs[name] = draw(values, min(count + 1, values.shape[-1]), generator)
            logits = values.gather(-1, pairs[name])  # (rows, 2)
            opened = Drawn({name: draw(logits, count, generator)})
            gates = opened.straight_through(name, torch.softmax(logits, dim=-1))
            weights[name] = torch.zeros_like(values.detach()).scatter(-1, pairs[name], gates)
        return Mixing(weights, Drawn(pairs).active)

    def project(self, alpha: Alpha, before: Mapping[str, Tensor]) -> None:
        """Shift the logits that moved, so that each row's log-sum-exp over them is what it was."""
        with torch.no_grad():
            for name, values in alpha.items():
                moved = values != before[name]
                grown = _log_mass(values, moved) - _log_mass(before[name], moved)
                values.sub_(torch.where(moved, grown, 0.0))


def _log_mass(values: Tensor, where: Tensor) -> Tensor:
    """(rows, 1): the log-sum-exp of some values of each row."""
    return values.masked_fill(~where, -torch.inf).logsumexp(dim=-1, keepdim=True)
