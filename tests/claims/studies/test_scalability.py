"""The studies of what runs of an edge, and of a price on operations."""

from __future__ import annotations

import json

import pytest

from nasbook import sizes
from nasbook.analysis import cost
from nasbook.claims.studies import scalability

QUICK = {"size": "class", "device": "cpu", "folder": None, "listeners": ()}


@pytest.fixture
def small(monkeypatch):
    preset = sizes.SIZES["class"]
    search = sizes.override(
        preset.search, {"images": 64, "channels": 4, "layers": 3, "batch": 8, "nodes": 1, "epochs": 2}
    )
    train = sizes.override(preset.train, {"images": 32, "channels": 4, "layers": 3, "batch": 8, "epochs": 1})
    methods = {name: {"": {"partial": 4} if name == "pc-darts" else {}} for name in preset.methods}
    changed = sizes.replace(preset, search=search, train=train, methods=methods)
    monkeypatch.setitem(sizes.SIZES, "class", changed)


def test_ratios_of_modes_are_those_of_the_series(small):
    values = scalability.modes(0, {"operations": [2, 3, 4], "repeats": 1}, **QUICK)
    json.dumps(values, allow_nan=False)
    saved, seconds = values["saved_mib"], values["seconds"]
    assert list(saved) == list(seconds) == list(cost.MODES)
    for mode in ("partial channels", "two paths", "one path"):
        name = mode.replace(" ", "_")
        assert values[f"{name}_memory"] == saved[mode][2] / saved["all operations"][2]
        assert values[f"{name}_time"] == seconds[mode][2] / seconds["all operations"][2]
    assert values["one_path_growth"] == saved["one path"][2] / saved["one path"][0] == pytest.approx(1, rel=1e-3)
    assert values["two_paths_growth"] == saved["two paths"][2] / saved["two paths"][0] == pytest.approx(1, rel=1e-3)
    assert values["extrapolation"] < 1e-3
    line = values["lines"]["all operations"]
    assert line["base"] + 4 * line["slope"] == pytest.approx(saved["all operations"][2])


def test_the_error_of_extrapolation_is_that_at_the_last_point():
    assert scalability._missed([1, 2, 4], [1.0, 2.0, 5.0]) == pytest.approx(0.2)


def test_methods_are_compared_with_the_first_and_their_calls_counted(small):
    settings = {"space": "darts7", "methods": ["darts", "gdas", "pc-darts"], "repeats": 1}
    values = scalability.methods(3, settings, **QUICK)
    json.dumps(values, allow_nan=False)
    assert values["methods"] == settings["methods"]
    assert values["gdas_memory"] == values["saved_mib"][1] / values["saved_mib"][0] < 1
    assert values["pc-darts_memory"] == values["saved_mib"][2] / values["saved_mib"][0] < 1
    assert values["gdas_time"] == values["seconds"][1] / values["seconds"][0]
    assert [values[f"{name}_operations"] for name in settings["methods"]] == [7, 1, 7]
    assert values["calls"]["gdas"] == {"step on alpha": [1, 1], "step on weights": [1, 1]}


def test_a_price_is_compared_with_none(small, tmp_path):
    settings = {"method": "darts", "space": "s2", "cost_weight": 50.0, "numbers": {"alpha_lr": 0.5}}
    values = scalability.penalty(1, settings, **{**QUICK, "folder": tmp_path})
    json.dumps(values, allow_nan=False)
    free, priced = values["free"], values["priced"]
    assert len(free["expected"]) == len(priced["expected"]) == 2
    assert values["expected_ratio"] == priced["expected"][-1] / free["expected"][-1] < 1
    assert (values["expected_free"], values["expected_priced"]) == (free["expected"][-1], priced["expected"][-1])
    assert values["macs_ratio"] == priced["macs"] / free["macs"]
    assert values["accuracy_change"] == priced["test_accuracy"] - free["test_accuracy"]
    assert "sep_conv_3x3" not in priced["genotype"]
    assert scalability.penalty(1, settings, **{**QUICK, "folder": tmp_path}) == values  # read from the folder
