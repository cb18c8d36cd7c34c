"""What is added to the outer loss besides the data: the price of an architecture, and the distance to an anchor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Dirichlet, kl_divergence

from nasbook.relaxation import Alpha, concentration


@dataclass(frozen=True)
class Penalty:
    """A function of the architecture parameters alone; None where nothing is asked for.

    Args:
        anchor_kl: weight of the sum over edges of KL(Dir(beta) || Dir(1)), the distance of DrNAS's concentrations to
            the uniform distribution (Chen et al. 2021, equation 4; as L2 it is the weight decay of alpha).
        cost_weight: weight of the expected cost, as a share of that of equal operation weights (ProxylessNAS, Cai et
            al. 2019, equation 5; SNAS has a resource loss of the same kind).
        costs: for each group (rows, operations) what an operation costs, in any unit.
    """

    anchor_kl: float
    cost_weight: float
    costs: Mapping[str, Tensor]

    def __call__(self, alpha: Alpha, weights: Mapping[str, Tensor]) -> Tensor | None:
        """The penalty (scalar, nats) at parameters `alpha` whose expected operation weights are `weights`."""
        terms = []
        if self.anchor_kl:
            terms += [self.anchor_kl * distance_to_anchor(values) for values in alpha.values()]
        if self.cost_weight:
            terms.append(self.cost_weight * expected_cost(weights, self.costs))
        return torch.stack(terms).sum() if terms else None


def expected_cost(weights: Mapping[str, Tensor], costs: Mapping[str, Tensor]) -> Tensor:
    """The expected cost of an architecture (scalar), 1 at equal operation weights.

    Args:
        weights: for each group (rows, operations).
        costs: likewise, in any unit.
    """
    equal = torch.stack([cost.mean(dim=-1).sum() for cost in costs.values()]).sum()
    return torch.stack([(weights[name] * cost).sum() for name, cost in costs.items()]).sum() / equal


def distance_to_anchor(alpha: Tensor) -> Tensor:
    """The sum over rows of KL(Dir(ELU(alpha) + 1) || Dir(1)), in nats; zero at alpha = 0."""
    beta = concentration(alpha)
    return kl_divergence(Dirichlet(beta), Dirichlet(torch.ones_like(beta))).sum()
