"""A discrete draw with the score function as its derivative: DSNAS (Hu et al. 2020), and the policy of a controller."""

from __future__ import annotations

import torch

from nasbook.relaxation.base import Alpha, Categorical, held
from nasbook.relaxation.drawing import Drawn, draw, log_chance
from nasbook.supernet import Mixing


class ScoreFunction(Categorical):
    """Weight one on one operation of each edge, drawn from p = softmax(alpha); nothing else runs.

    The weight of the drawn operation k of edge e is 1 + log p_k - constant(log p_k): one, with the derivative of log p.
    So back-propagation gives alpha the gradient R_e * grad log p_k with R_e = <dL/dy_e, o_k(x)>, which is DSNAS's
    credit of an edge. Where an architecture holds several columns of a row, as many are drawn: p_k is then the chance
    of drawing just these, and the row's credit is the sum of theirs.
    """

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """One draw, shared by all cells of a kind."""
        drawn = Drawn({name: draw(values, held(self.space, name), generator) for name, values in alpha.items()})
        weights = {}
        for name, values in alpha.items():
            chance = log_chance(torch.log_softmax(values, dim=-1), drawn.columns[name])[:, None]
            weights[name] = drawn.hot(name, values.detach()) * (1.0 + (chance - chance.detach()))
        return Mixing(weights, drawn.active)
