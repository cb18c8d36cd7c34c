"""Histories of searches that never ran: small, and different in every epoch."""

import pytest
import torch

from nasbook import spaces
from nasbook.selection import magnitude


def history(space, epochs, *, seed=0, first=1):
    """Records as a search writes them, with weights that sharpen from epoch to epoch."""
    generator = torch.Generator().manual_seed(seed)
    direction = {name: torch.randn(cell.shape, generator=generator) for name, cell in space.groups.items()}
    records = []
    for epoch in range(first, first + epochs):
        alpha = {name: epoch * values / 4 for name, values in direction.items()}
        weights = {name: values.softmax(-1) for name, values in alpha.items()}
        records.append(
            {
                "stage": "search",
                "epoch": epoch,
                "train_accuracy": 20.0 + 3 * epoch + seed,
                "valid_accuracy": 18.0 + 2 * epoch + seed,
                "alpha": {name: values.tolist() for name, values in alpha.items()},
                "weights": {name: values.tolist() for name, values in weights.items()},
                "genotype": str(magnitude(space, weights)),
            }
        )
    return records


@pytest.fixture
def make_history():
    return history


@pytest.fixture
def s3():
    return spaces.get("s3", nodes=2, reduction="fixed")


@pytest.fixture
def darts():
    return spaces.get("darts")
