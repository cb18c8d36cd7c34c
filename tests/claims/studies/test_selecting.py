"""The study of selections, on tiny searches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nasbook import experiment, spaces
from nasbook.claims.studies import selecting
from nasbook.claims.studies.fresh_training import fresh_accuracies

NUMBERS = {"epochs": 2, "images": 128, "batch": 32, "channels": 4}
TRAINING = {"epochs": 1, "images": 128, "batch": 32, "channels": 4}
SETTINGS = {
    "space": "s2",
    "methods": ["darts", "darts+pt-fixed-alpha", "sdarts-adv"],
    "retrainings": 2,
    "numbers": NUMBERS,
    "selection_numbers": {"tuning_steps": 1},
    "train_numbers": TRAINING,
}
TOPOLOGY = {**SETTINGS, "space": "nas-bench-201", "methods": ["darts"], "retrainings": 1, "over_epochs": 1}
NAMES = {
    "darts",
    "darts+pt",
    "darts+pt-fixed-alpha",
    "sdarts-adv",
    "sdarts-adv+pt",
    "random",
    "convolutions",
}


def measure(settings: dict[str, Any], folder: Path | None, seed: int = 2) -> dict[str, Any]:
    return selecting.study(seed, settings, size="class", device="cpu", folder=folder, listeners=())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("selecting")
    return folder, measure(SETTINGS, folder)


@pytest.fixture(scope="module")
def of_topologies() -> dict[str, Any]:
    return measure(TOPOLOGY, None)


def test_every_search_is_selected_from_by_its_own_rule_and_by_perturbation(found):
    _, values = found
    assert set(values["trained"]) == set(values["cells"]) == NAMES
    assert set(values["decisions"]) == {name for name in NAMES if "+pt" in name}
    for records in values["decisions"].values():
        made = [each for record in records for each in record["decisions"]]
        assert [each["kind"] for each in made] == ["operation"] * 5 + ["edges"]


def test_what_is_selected_is_what_the_recipe_selects(found):
    """One search serves two rules: the recipe that has both in one gives the same cell and the same decisions."""
    _, values = found
    numbers = {**NUMBERS, "tuning_steps": 1}
    outcome = experiment.search("darts+pt", space="s2", numbers=numbers, seed=2, device="cpu", retrain=False)
    assert values["cells"]["darts+pt"] == str(outcome.genotype)
    kept = [[each["kept"] for each in record["decisions"]] for record in outcome.decisions]
    assert [[each["kept"] for each in record["decisions"]] for record in values["decisions"]["darts+pt"]] == kept


def test_numbers_are_differences_of_mean_accuracies(found):
    _, values = found
    means = {name: sum(accuracies) / 2 for name, accuracies in values["trained"].items()}
    for name in NAMES:
        assert values[f"{name}_derived"] == pytest.approx(means[name], abs=1e-3)
        for other in ("darts", "random", "convolutions"):
            assert values[f"{name}_minus_{other}"] == pytest.approx(means[name] - means[other], abs=2e-3)
    both = means["sdarts-adv+pt"] - means["sdarts-adv"], means["sdarts-adv+pt"] - means["darts+pt"]
    names = ("sdarts-adv+pt_minus_sdarts-adv", "sdarts-adv+pt_minus_darts+pt")
    assert tuple(values[name] for name in names) == pytest.approx(both, abs=2e-3)
    fixed = means["darts+pt-fixed-alpha"] - means["darts+pt"]
    assert values["darts+pt-fixed-alpha_minus_darts+pt"] == pytest.approx(fixed, abs=2e-3)
    assert values["convolutions_kept_convolutions"] == 1.0


def test_a_change_is_a_row_where_alpha_pointed_elsewhere():
    def row(weights, kept, kind="operation"):
        return {"kind": kind, "options": ["skip", "conv"], "weights": weights, "kept": [kept]}

    records = [
        {"decisions": [row([0.9, 0.1], "conv")]},
        {"decisions": [row([0.2, 0.8], "conv")]},
        {"decisions": [row([0.9, 0.1], "skip"), row([0.4, 0.6], "skip")]},
        {"decisions": [row([0.1, 0.9], "skip", kind="edges")]},
    ]
    assert selecting.changed(records) == 0.5


def test_the_curve_over_epochs_is_of_one_search(of_topologies):
    curves = of_topologies["over_epochs"]
    assert [epoch for epoch, _ in curves["magnitude"]] == [epoch for epoch, _ in curves["perturbation"]] == [1, 2]
    assert curves["magnitude"][-1][1] == of_topologies["trained"]["darts"]
    assert curves["perturbation"][-1][1] == of_topologies["trained"]["darts+pt"]
    best = max(accuracy for _, (accuracy,) in curves["perturbation"])
    assert of_topologies["pt_fall"] == pytest.approx(best - curves["perturbation"][-1][1][0], abs=2e-3)


def test_magnitude_without_none_is_a_control_on_nas_bench_201(of_topologies):
    assert "none" not in of_topologies["cells"]["without-none"]
    difference = of_topologies["darts+pt_derived"] - of_topologies["without-none_derived"]
    assert of_topologies["darts+pt_minus_without-none"] == pytest.approx(difference, abs=2e-3)


def test_parts_that_are_done_are_not_run_again(found):
    folder, values = found
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")}
    assert measure(SETTINGS, folder) == values
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")} == before
    assert len(before) > 8


def test_fresh_trainings_differ_and_equal_cells_are_trained_once(tmp_path):
    space = spaces.get("s2", nodes=2, reduction="fixed")
    cell = space.parse(
        "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1)], "
        "normal_concat=range(2, 4), reduce=[], reduce_concat=[])"
    )
    swapped = space.parse(
        str(cell).replace("('skip_connect', 0), ('sep_conv_3x3', 1)", "('sep_conv_3x3', 1), ('skip_connect', 0)")
    )
    asked = {"retrainings": 2, "size": "class", "device": "cpu", "numbers": TRAINING, "folder": tmp_path}
    first = fresh_accuracies(cell, seed=1, **asked)
    assert first[0] != first[1]
    folders = set(tmp_path.iterdir())
    assert fresh_accuracies(swapped, seed=1, **asked) == first
    assert set(tmp_path.iterdir()) == folders
