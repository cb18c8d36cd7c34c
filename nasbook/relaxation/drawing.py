"""Which columns of each row were drawn, and weights that are one there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from nasbook.relaxation.base import gumbel
from nasbook.supernet.mixing import Active


@dataclass(frozen=True)
class Drawn:
    """A draw: for each group the columns of each row, (rows, drawn), as whole numbers on the host."""

    columns: Mapping[str, Tensor]

    @property
    def active(self) -> Active:
        """The same as a mixing wants it: these operations run, and no other."""
        return {name: tuple(tuple(row) for row in columns.tolist()) for name, columns in self.columns.items()}

    def hot(self, name: str, like: Tensor) -> Tensor:
        """(rows, columns): one where drawn, else zero."""
        return torch.zeros_like(like, requires_grad=False).scatter(-1, self.columns[name], 1.0)

    def straight_through(self, name: str, relaxed: Tensor) -> Tensor:
        """The draw forwards (exactly zeros and ones), `relaxed` (rows, columns) backwards."""
        return self.hot(name, relaxed.detach()) + (relaxed - relaxed.detach())


def largest(values: Tensor, count: int) -> Tensor:
    """(rows, count): the places of the largest values of each row, ascending."""
    return values.detach().topk(count, dim=-1).indices.sort(dim=-1).values


def draw(logits: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(rows, count): columns drawn without replacement by softmax(logits): the largest after Gumbel noise is added."""
    return largest(logits.detach() + gumbel(logits.detach(), generator), count)


def log_chance(log_p: Tensor, columns: Tensor) -> Tensor:
    """(rows,): the logarithm of the chance that `draw` gives these columns of each row, in whatever order.

    In one order each column competes with those that are still there (Plackett-Luce; Kool et al. 2019):

        p_i / 1 * p_j / (1 - p_i) * ...

    Args:
        log_p: (rows, columns), the logarithms of what a single draw goes by.
        columns: (rows, drawn).
    """
    orders = []
    for order in permutations(range(columns.shape[-1])):
        left, chance = log_p, torch.zeros_like(log_p[:, :1])
        for place in order:
            column = columns[:, place : place + 1]
            chance = chance + left.gather(-1, column) - left.logsumexp(dim=-1, keepdim=True)
            left = left.scatter(-1, column, -torch.inf)
        orders.append(chance)
    return torch.cat(orders, dim=-1).logsumexp(dim=-1)
