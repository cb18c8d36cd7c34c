"""The expected cost of the architecture that a search is about to choose (Cai et al. 2019, equation 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nasbook.datasets import Dataset
from nasbook.runtime.random import RandomStream
from nasbook.search import building
from nasbook.sizes import SearchNumbers
from nasbook.spaces import Space
from nasbook.supernet.operation_costs import IMAGES, operation_costs


def multiply_adds(space: Space, dataset: Dataset, numbers: SearchNumbers) -> dict[str, Tensor]:
    """The multiply-adds of every operation on one image, summed over the cells that share its weight.

    Returns:
        For each group of the space (edges, operations).
    """
    device = torch.device("cpu")
    with RandomStream(0, device=device).scope():
        supernet = building.build_supernet(space, dataset, numbers, partial=numbers.partial, device=device)
        images = torch.zeros(IMAGES, *dataset.image, dtype=getattr(torch, numbers.precision))
        return operation_costs(supernet, space, images, "multiply-adds")


def expected(weights: Mapping[str, Any], costs: Mapping[str, Tensor]) -> float:
    """The cost of each edge by its operation weights, summed over edges, over that of equal weights.

    Args:
        weights: for each group (edges, operations), tensors or the lists that a history holds.
        costs: likewise, in any unit.
    """
    total = sum(float((torch.as_tensor(weights[name]).detach() * cost).sum()) for name, cost in costs.items())
    return total / sum(float(cost.mean(dim=-1).sum()) for cost in costs.values())
