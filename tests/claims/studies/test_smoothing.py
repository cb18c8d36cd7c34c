"""The study of smoothing, on tiny searches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbook import experiment, instruments, spaces
from nasbook.analysis import smoothing as analysis
from nasbook.analysis.smoothing import Rises
from nasbook.claims.studies import smoothing
from nasbook.claims.studies.fresh_training import fresh_accuracies
from nasbook.instruments import Landscape
from nasbook.runtime.errors import UsageError

NUMBERS = {"epochs": 3, "images": 64, "batch": 32, "channels": 4, "layers": 3, "attack_steps": 1}
TRAINING = {"epochs": 1, "images": 64, "batch": 32, "channels": 4, "layers": 3}
SETTINGS = {
    "space": "s2",
    "methods": ["darts", "sdarts-adv"],
    "numbers": NUMBERS,
    "train_numbers": TRAINING,
    "eigenvalue_every": 2,
    "eigenvalue_images": 32,
    "retrain_at": [1],
    "retrainings": 2,
}


def measure(folder: Path | None, **changes: Any) -> dict[str, Any]:
    return smoothing.study(2, {**SETTINGS, **changes}, size="class", device="cpu", folder=folder, listeners=())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("smoothing")
    return folder, measure(folder)


def test_series_are_those_of_the_method_and_the_seed(found):
    history = experiment.search(
        "sdarts-adv",
        space="s2",
        numbers=NUMBERS,
        seed=2,
        device="cpu",
        retrain=False,
        record=("derived-accuracy",),
    ).history
    series = found[1]["series"]["sdarts-adv"]
    assert series["genotype"] == [record["genotype"] for record in history]
    for key in ("valid_accuracy", "derived_accuracy"):
        assert series[key] == pytest.approx([record[key] for record in history], rel=1e-4)
    assert [epoch for epoch, _ in series["eigenvalue"]] == [2, 3]  # every second epoch, and the last


def test_the_eigenvalue_is_that_of_the_hessian_and_only_now_and_then():
    search = smoothing._Runner(2, SETTINGS, "class", "cpu", None, ()).start("sdarts-rs")
    measure_every_second = smoothing.every(2, 32)
    search.epoch = 1
    assert measure_every_second(search) == {}
    search.epoch = 2
    matrix = instruments.hessian(search, batches=1, batch=32)
    assert measure_every_second(search) == {"eigenvalue": matrix.largest}
    search.epoch = search.epochs
    assert smoothing.every(2, 32)(search) == {"eigenvalue": matrix.largest}


def test_what_is_derived_is_trained_on_fresh_images(found):
    values = found[1]
    for method in SETTINGS["methods"]:
        series = values["series"][method]
        assert [epoch for epoch, _ in series["retrained"]] == [1, 3]
        assert [len(accuracies) for _, accuracies in series["retrained"]] == [1, 2]
        assert values[f"{method}_derived"] == pytest.approx(sum(series["retrained"][-1][1]) / 2, abs=1e-3)
    cell = spaces.read(values["series"]["darts"]["genotype"][-1])
    again = fresh_accuracies(cell, seed=2, retrainings=2, size="class", device="cpu", numbers=TRAINING)
    assert values["series"]["darts"]["retrained"][-1][1] == pytest.approx(again, rel=1e-4)


def test_the_others_are_compared_with_darts(found):
    values = found[1]
    assert not any(key.startswith("darts_minus") or key == "darts_gap_minus_darts" for key in values)
    for method in ("sdarts-adv",):
        ratio = values[f"{method}_eigenvalue"] / values["darts_eigenvalue"]
        assert values[f"{method}_eigenvalue_over_darts"] == pytest.approx(ratio, rel=1e-3)
        for key, difference in (("derived", "minus"), ("gap", "gap_minus")):
            right = values[f"{method}_{key}"] - values[f"darts_{key}"]
            assert values[f"{method}_{difference}_darts"] == pytest.approx(right, abs=2e-3)
        series = values["series"][method]
        gap = series["valid_accuracy"][-1] - series["derived_accuracy"][-1]
        assert values[f"{method}_gap"] == pytest.approx(gap, abs=1e-3)


def test_the_eigenvalue_is_the_mean_of_the_last_fifth():
    measured = [[5, 100.0], [16, 50.0], [17, 1.0], [18, 2.0], [20, 6.0]]
    assert smoothing.at_the_end(measured, 20) == 3.0


def test_a_killed_seed_reads_what_is_done_and_equal_architectures_are_trained_once(found):
    folder, values = found
    assert measure(folder) == values
    cells = {text for series in values["series"].values() for text in (series["genotype"][0], series["genotype"][-1])}
    trained = [path for path in folder.iterdir() if path.name.startswith("train-")]
    assert len(trained) <= 2 * len(cells)


def test_surroundings_are_those_of_the_ends_of_the_searches(tmp_path):
    numbers = {**NUMBERS, "epochs": 1, "precision": "float64"}
    settings = {"space": "s2", "methods": ["darts", "sdarts-rs"], "numbers": numbers}
    settings |= {"radii": [0.1, 0.3], "images": 32, "points": 3, "radius": 0.5}
    values = smoothing.surroundings(3, settings, size="class", device="cpu", folder=tmp_path, listeners=())
    runner = smoothing._Runner(3, settings, "class", "cpu", tmp_path, ())
    search = runner.start("sdarts-rs")
    (last,) = runner.history("sdarts-rs", search)
    surface = Landscape(**values["landscapes"]["sdarts-rs"])
    right = instruments.landscape(search, coordinates="mixing", points=3, radius=0.5, images=32)
    assert np.array(surface.loss) == pytest.approx(np.array(right.loss), rel=1e-3)
    risen = Rises(**values["rises"]["sdarts-rs"])
    assert risen.trace == pytest.approx(values["sdarts-rs_trace"])
    assert risen.worst == pytest.approx(analysis.rises(search, (0.1, 0.3), images=32).worst, rel=1e-3)
    assert values["sdarts-rs_one_hot"] == pytest.approx(last["derived_accuracy"], rel=1e-4)
    found = analysis.perturbed_rises(search, (0.3,), images=32)
    for kind, (rise,) in found.items():
        assert values[f"sdarts-rs_{kind}"] == values["as_searched"]["sdarts-rs"][kind][-1]
        assert values[f"sdarts-rs_{kind}"] == pytest.approx(rise, rel=1e-3)
        difference = values[f"sdarts-rs_{kind}"] - values[f"darts_{kind}"]
        assert values[f"sdarts-rs_{kind}_minus_darts"] == pytest.approx(difference, abs=1e-4)
    assert values["sdarts-rs_top_over_darts"] == pytest.approx(values["sdarts-rs_top"] / values["darts_top"], rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": ["sdarts-rs"]}, "must be one of them"),
        ({"retrain_at": [4]}, "nothing to measure at epoch 4"),
        ({"eigenvalue_every": 0}, "nothing to measure at epoch 0"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_runs(changes, words, tmp_path):
    with pytest.raises(UsageError, match=words):
        measure(tmp_path, **changes)
    assert not list(tmp_path.iterdir())
