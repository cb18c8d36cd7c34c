"""The expected cost of the architecture that a search is about to choose (Cai et al. 2019, equation 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nasbook.datasets import Dataset
from nasbook.runtime.random import RandomStream
from nasbook.search import building
from nasbook.search.penalty import expected_cost
from nasbook.sizes import SearchNumbers
from nasbook.spaces import Space


def multiply_adds(space: Space, dataset: Dataset, numbers: SearchNumbers) -> dict[str, Tensor]:
    """The multiply-adds of every operation on one image, summed over the cells that share its weight.

    Returns:
        For each group of the space (edges, operations).
    """
    with RandomStream(0).scope():
        supernet = building.build_supernet(space, dataset, numbers, partial=numbers.partial, device=torch.device("cpu"))
    return building.costs(supernet, space, dataset, "multiply-adds")


def expected(weights: Mapping[str, Any], costs: Mapping[str, Tensor]) -> float:
    """The cost of each edge by its operation weights, summed over edges, over that of equal weights.

    Args:
        weights: for each group (edges, operations), tensors or the lists that a history holds.
        costs: likewise, in any unit.
    """
    return float(expected_cost({name: torch.as_tensor(weights[name]).detach() for name in costs}, costs))
