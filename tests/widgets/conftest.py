"""Histories of searches that never ran: small, and different in every epoch."""

import ipywidgets
import pytest
import torch

from nasbook import spaces
from nasbook.claims.studies import order
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


def order_values(*, seed=0):
    """Values of the study of the methods' order, made up: 8 or 16 epochs; rsps chooses its cell after the last."""
    space = spaces.get("nas-bench-201")
    values = {"records": {}, "series": {}, "cells": {}, "trained": {"random": 60.0 + seed}}
    for place, (method, epochs) in enumerate({"darts": 8, "gdas": 16, "pc-darts": 16, "rsps": 16}.items()):
        records = history(space, epochs, seed=10 * seed + place)
        for record in records:
            record["derived_accuracy"] = record["valid_accuracy"] / (2 + place)
            if method == "pc-darts":
                weights = [1.0, record["epoch"] / 40, 1 - record["epoch"] / 40, 0.25, 0.25, 0.5]
                record["weights"]["normal edges"] = [weights]
            if method == "rsps":
                record["weights"]["normal"] = [[0.2] * 5] * space.edges
                record["genotype"] = str(magnitude(space, {"normal": torch.full((space.edges, 5), 0.2)}))
        kept = records[epochs // 8 - 1 :: epochs // 8]
        values["records"][method] = [{key: record[key] for key in order.KEPT} for record in kept]
        values["series"][method] = {key: [record[key] for record in records] for key in order.SERIES}
        values["cells"][method] = records[-1]["genotype"]
        values["trained"][method] = 62.0 - 3 * place + seed
    values["cells"]["rsps"] = values["cells"]["darts"]
    return values


@pytest.fixture
def buttons_of():
    """All buttons of a widget with a text, in their order on the page."""

    def find(widget):
        if isinstance(widget, ipywidgets.Button):
            return [widget]
        return [found for child in getattr(widget, "children", ()) for found in find(child)]

    return find


@pytest.fixture
def make_history():
    return history


@pytest.fixture
def make_values():
    return order_values


@pytest.fixture
def s3():
    return spaces.get("s3", nodes=2, reduction="fixed")


@pytest.fixture
def darts():
    return spaces.get("darts")
