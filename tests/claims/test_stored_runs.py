"""The stored runs of a study as chapters read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nasbook import claims
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder


def test_runs_are_what_the_file_holds_seed_by_seed() -> None:
    stored = json.loads((data_folder() / "results" / "operations.json").read_text(encoding="utf-8"))
    found = claims.runs("operations")
    assert [(run.seed, run.values) for run in found] == [(each["seed"], each["values"]) for each in stored["runs"]]
    assert len(found) > 1
    assert found[0].values["memory_ratio"] > 4


def test_a_study_that_is_not_there_is_refused_with_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no study 'heights'; there are .*operations"):
        claims.runs("heights")


def test_a_study_that_is_not_measured_says_how_to_measure_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not measured yet: nasbook claims measure s2 "):
        claims.runs("s2", folder=tmp_path)
