"""The study of the discretisation gap, on a tiny search."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasbook import experiment
from nasbook.claims.studies import discretisation

NUMBERS = {"epochs": 2, "images": 128, "batch": 32, "channels": 4, "layers": 3}


def test_the_gap_is_that_of_the_search_with_the_seed(tmp_path: Path) -> None:
    settings = {"method": "darts", "space": "s2", "numbers": NUMBERS}
    found = discretisation.study(2, settings, size="class", device="cpu", folder=tmp_path, listeners=())
    history = experiment.search(
        "darts", space="s2", numbers=NUMBERS, seed=2, device="cpu", retrain=False, record=("derived-accuracy",)
    ).history
    assert found["supernet_curve"] == pytest.approx([record["valid_accuracy"] for record in history])
    assert found["derived_curve"] == pytest.approx([record["derived_accuracy"] for record in history])
    assert found["gap"] == found["supernet_curve"][-1] - found["derived_curve"][-1]
    assert (tmp_path / "search" / "result.json").exists()
