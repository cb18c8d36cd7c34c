"""The study of curvature at equal accuracy, on tiny searches."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasbook import experiment
from nasbook.claims.studies import curvature

NUMBERS = {"epochs": 2, "images": 128, "batch": 32, "channels": 4, "layers": 3}


def test_searches_are_compared_where_both_first_reach_one_accuracy() -> None:
    slow = {"valid_accuracy": [10.0, 30.0, 50.0], "eigenvalue": [1.0, 2.0, 3.0]}
    fast = {"valid_accuracy": [20.0, 60.0, 55.0], "eigenvalue": [4.0, 8.0, 16.0]}
    assert curvature.common_level(slow, fast) == 50.0
    assert curvature.at_equal_accuracy(slow, fast, "eigenvalue") == 3.0 / 8.0
    assert curvature.at_equal_accuracy(fast, slow, "eigenvalue") == 8.0 / 3.0


def test_the_numbers_are_those_of_the_searches(tmp_path: Path) -> None:
    settings = {"space": "s2", "methods": ["darts", "drnas"], "numbers": NUMBERS}
    found = curvature.study(2, settings, size="class", device="cpu", folder=tmp_path, listeners=())
    history = experiment.search(
        "drnas",
        space="s2",
        numbers=NUMBERS,
        seed=2,
        device="cpu",
        retrain=False,
        record=("derived-accuracy", "eigenvalue"),
    ).history
    assert found["series"]["drnas"]["mixing_eigenvalue"] == pytest.approx(
        [record["mixing_eigenvalue"] for record in history], rel=1e-3
    )
    ends = [found["series"][method]["eigenvalue"][-1] for method in ("drnas", "darts")]
    assert found["eigenvalue_ratio_end"] == pytest.approx(ends[0] / ends[1], rel=1e-3)
    assert found["drnas_gap"] == pytest.approx(found["drnas_supernet"] - found["drnas_one_hot"], abs=1e-3)
    assert {path.name for path in tmp_path.iterdir()} == {"darts", "drnas"}
