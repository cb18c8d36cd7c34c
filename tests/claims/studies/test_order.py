"""The study of the methods' order, on tiny searches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nasbook import experiment, spaces
from nasbook.claims.studies import order

NUMBERS = {"epochs": 2, "images": 128, "batch": 32, "channels": 4}
SETTINGS = {
    "space": "nas-bench-201",
    "methods": ["darts", "gdas", "drnas"],
    "retrainings": 2,
    "numbers": NUMBERS,
    "train_numbers": {"epochs": 1, "images": 128, "batch": 32, "channels": 4},
}


def measure(folder: Path | None, seed: int = 2) -> dict[str, Any]:
    return order.study(seed, SETTINGS, size="class", device="cpu", folder=folder, listeners=())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("order")
    return folder, measure(folder)


def test_each_method_is_searched_by_its_own_numbers_and_the_seed(found):
    history = experiment.search(
        "gdas",
        space="nas-bench-201",
        numbers=NUMBERS,
        seed=2,
        device="cpu",
        retrain=False,
        record=("derived-accuracy",),
    ).history
    values = found[1]
    assert values["gdas_supernet"] == pytest.approx(history[-1]["valid_accuracy"], rel=1e-4)
    assert values["gdas_one_hot"] == pytest.approx(history[-1]["derived_accuracy"], rel=1e-4)
    assert values["cells"]["gdas"] == history[-1]["genotype"]


def test_numbers_are_differences_of_what_was_trained(found):
    values = found[1]
    trained = values["trained"]
    assert set(trained) == {*SETTINGS["methods"], "random", "convolutions", "without-none"}
    for method in SETTINGS["methods"]:
        assert values[f"{method}_derived"] == trained[method]
        assert values[f"{method}_minus_random"] == pytest.approx(trained[method] - trained["random"], abs=1e-3)
        gap = values[f"{method}_supernet"] - values[f"{method}_one_hot"]
        assert values[f"{method}_gap"] == pytest.approx(gap, abs=1e-3)
        assert values[f"darts_gap_minus_{method}"] == pytest.approx(values["darts_gap"] - gap, abs=1e-3)
    assert -1 <= values["order"] <= 1


def test_controls_are_what_they_say(found):
    cells = {name: spaces.read(text) for name, text in found[1]["cells"].items()}
    assert cells["convolutions"].operations == ("nor_conv_3x3",) * 6
    assert "none" not in cells["without-none"].operations
    again = order._Runner(2, SETTINGS, "class", "cpu", None, ()).controls(
        experiment.search("darts", space="nas-bench-201", numbers=NUMBERS, seed=2, device="cpu", retrain=False)
    )
    assert again == {name: cells[name] for name in again}


def test_trainings_of_one_cell_have_images_and_seeds_of_their_own(found):
    folder, values = found
    parts = sorted(path.name for path in folder.iterdir() if path.name.startswith("train-"))
    assert len(parts) == 2 * len(set(values["cells"].values()))
    results = [(folder / part / "result.json").read_text() for part in parts if parts[0][8:] in part]
    assert len(set(results)) == 2


def test_a_killed_seed_reads_what_is_done(found):
    folder, values = found
    assert measure(folder) == {**values, **{key: pytest.approx(values[key]) for key in values if "seconds" in key}}


def test_published_order_is_one_for_the_published_accuracies_and_minus_one_for_their_reverse():
    published = {"darts": 54.30, "rsps": 87.66, "snas-bilevel": 92.77, "gdas": 93.23, "drnas": 94.36}
    assert order.published_order("nas-bench-201", published) == pytest.approx(1.0)
    reverse = {name: -value for name, value in published.items()}
    assert order.published_order("nas-bench-201", reverse | {"nasp": 1000.0}) == pytest.approx(-1.0)
