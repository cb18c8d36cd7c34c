"""The study of strength, on tiny searches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nasbook.claims.studies import strength
from nasbook.runtime.errors import UsageError

NUMBERS = {"epochs": 1, "images": 160, "batch": 32, "channels": 4, "layers": 3, "tuning_steps": 1}


def measure(folder: Path | None, **settings: Any) -> dict[str, Any]:
    asked = {"numbers": NUMBERS, **settings}
    return strength.study(1, asked, size="class", device="cpu", folder=folder, listeners=())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("strength")
    return folder, measure(folder, space="s2", forced=True)


def test_means_are_over_the_edges(found):
    values = found[1]
    edges = values["strengths"]
    assert [each["where"] for each in edges] == ["0→2", "1→2", "0→3", "1→3", "2→3"]
    agree = [(each["weights"][0] > each["weights"][1]) == (each["tuned"][0] >= each["tuned"][1]) for each in edges]
    assert values["alpha_picks_best"] == pytest.approx(sum(agree) / 5)
    assert values["chance"] == 0.5
    gaps = [abs(each["tuned"][0] - each["tuned"][1]) for each in edges]
    assert values["chance_regret"] == pytest.approx(sum(gaps) / 10, abs=1e-3)
    missed = [max(each["tuned"]) - each["tuned"][each["without"].index(min(each["without"]))] for each in edges]
    assert values["pt_regret"] == pytest.approx(sum(missed) / 5, abs=1e-3)
    assert values["pt_minus_alpha"] == pytest.approx(values["pt_correlation"] - values["alpha_correlation"], abs=1e-4)


def test_forced_convolutions_are_means_over_all_assignments(found):
    values = found[1]
    assert len(values["assignments"]) == 32
    ones = [accuracy for ways, accuracy in values["assignments"].items() if ways.count("1") == 2]
    assert len(ones) == 10
    assert values["forced"][2] == pytest.approx(sum(ones) / 10, rel=1e-4)
    assert (values["forced_low"][2], values["forced_high"][2]) == (min(ones), max(ones))
    gain = values["assignments"]["11111"] - values["assignments"]["00000"]
    assert values["forced_gain"] == pytest.approx(gain, abs=1e-3)
    difference = values["assignments"][values["pt"]] - values["assignments"][values["magnitude"]]
    assert values["pt_minus_magnitude"] == pytest.approx(difference, abs=1e-3)
    assert len(values["pt_path"]) == 5


def test_a_killed_seed_goes_on_from_its_search(found):
    folder, values = found
    assert len((folder / "search" / "history.jsonl").read_text().splitlines()) == 1
    assert measure(folder, space="s2", forced=True) == values


def test_some_edges_of_another_space():
    values = measure(None, space="nas-bench-201", edges=1, repeats=1, numbers={**NUMBERS, "layers": 5})
    (edge,) = values["strengths"]
    assert edge["operations"] == ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
    assert values["chance"] == pytest.approx(0.2)
    assert "repeat_correlation" not in values
    assert "forced" not in values


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"space": "s2", "edges": 6}, "1 to 5 can be drawn"), ({"space": "s3", "forced": True}, "not in s3")],
)
def test_what_cannot_be_measured_is_said_before_anything_runs(settings, words, tmp_path):
    with pytest.raises(UsageError, match=words):
        measure(tmp_path, **settings)
    assert not list(tmp_path.iterdir())
