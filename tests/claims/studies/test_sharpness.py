"""The study of Taylor's formula, on a tiny search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from nasbook import datasets, experiment, instruments, sizes, spaces
from nasbook.claims.studies import STUDIES, sharpness
from nasbook.instruments import Line
from nasbook.search import Search, recipes
from nasbook.selection import magnitude

NUMBERS = {"epochs": 3, "images": 128, "batch": 32, "channels": 4, "layers": 3, "precision": "float64"}
SETTINGS = {"space": "s2", "architectures": 8, "numbers": NUMBERS}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("taylor")
    return sharpness.taylor(2, SETTINGS, size="class", device="cpu", folder=folder, listeners=())


@pytest.fixture(scope="module")
def search() -> Search:
    """The search of the study, at its end."""
    numbers = sizes.override(sizes.get("class").search, NUMBERS)
    data = datasets.load("street_numbers")
    space = spaces.get("s2", nodes=2, reduction="fixed")
    made = Search(space, data, recipe=recipes.get("darts"), numbers=numbers, derive=magnitude, seed=2)
    for _ in range(numbers.epochs):
        made.run_epoch(lambda step, steps: None)
    return made


def test_the_numbers_are_those_of_the_lines(found: dict[str, Any]) -> None:
    assert STUDIES["taylor"] is sharpness.taylor
    lines = [Line(**each) for each in found["lines"]]
    assert len(lines) == len(found["eigenvalue"]) == 3
    gap = [line.gap for line in lines]
    for name, other in (
        ("estimate", [line.curvature / 2 for line in lines]),
        ("gradient", [line.slope + line.curvature / 2 for line in lines]),
        ("eigenvalue", found["eigenvalue"]),
        ("number", [1, 2, 3]),
    ):
        assert found[f"{name}_over_epochs"] == pytest.approx(spearmanr(other, gap).statistic)
    assert found["eigenvalue_gain"] == found["eigenvalue_over_epochs"] - found["number_over_epochs"]
    assert found["ratio"] * gap[-1] == pytest.approx(lines[-1].curvature / 2, rel=1e-3)
    assert found["error"] == abs(found["ratio"] - 1)
    assert found["gradient_ratio"] * gap[-1] == pytest.approx(lines[-1].curvature / 2 + lines[-1].slope, rel=1e-3)
    above = [line.eigenvalue * line.length**2 / 2 > line.gap for line in lines]
    assert found["bound_share"] == pytest.approx(sum(above) / 3)


def test_measuring_does_not_change_the_search(found: dict[str, Any], search: Search) -> None:
    plain = experiment.search("darts", space="s2", numbers=NUMBERS, seed=2, device="cpu", retrain=False)
    there = instruments.line(search, points=2, images=64)
    assert search.validate()[0] == plain.history[-1]["valid_loss"]
    assert found["lines"][-1]["loss"] == pytest.approx(there.loss, rel=1e-4)


def test_the_gap_to_the_derived_architecture_is_that_of_the_line(search: Search) -> None:
    derived = search.genotype()
    line = instruments.line(search, derived, points=2, images=64)
    one = sharpness.gaps(search, [derived])
    assert one["gap"][0] == pytest.approx(line.gap)
    assert one["estimate"][0] == pytest.approx(line.estimated_gap())
    assert one["gradient"][0] == pytest.approx(line.estimated_gap(gradient=True))
    assert one["bound"][0] == pytest.approx(line.bound)


def test_architectures_are_drawn_once_each_and_ranked(found: dict[str, Any], search: Search) -> None:
    drawn = sharpness.draw(search, 8, 2)
    assert 1 < len(drawn) == len(set(drawn)) <= 8
    assert drawn == sharpness.draw(search, 8, 2)
    assert drawn != sharpness.draw(search, 8, 3)
    assert np.shape(list(found["drawn"].values())) == (4, len(drawn))
    for name in ("estimate", "gradient", "bound"):
        rho = spearmanr(found["drawn"][name], found["drawn"]["gap"]).statistic
        assert found[f"{name}_over_architectures"] == pytest.approx(rho)


def test_a_killed_study_goes_on_to_the_same_numbers(found: dict[str, Any], tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def kill(event: Any) -> None:
        if getattr(event, "epoch", 0) == 2:
            raise KilledError

    with pytest.raises(KilledError):
        sharpness.taylor(2, SETTINGS, size="class", device="cpu", folder=tmp_path, listeners=[kill])
    again = sharpness.taylor(2, SETTINGS, size="class", device="cpu", folder=tmp_path, listeners=())
    assert again == found
