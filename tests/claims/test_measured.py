"""A number looked up in every study that measured it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nasbook.claims import measured as module
from nasbook.claims import results
from nasbook.claims.entries import Ledger, Study
from nasbook.claims.measured import measured
from nasbook.runtime.errors import UsageError

HERE = Study("here", "method-order", {"space": "nas-bench-201"}, [0, 1], "nothing")
THERE = Study("there", "method-order", {"space": "s3"}, [0], "nothing")
OTHER = Study("other", "methods", {"space": "s3"}, [0], "nothing")


@pytest.fixture(autouse=True)
def _ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger({study.id: study for study in (HERE, THERE, OTHER)}, ())
    monkeypatch.setattr(module.entries, "load", lambda: ledger)


def store(study: Study, folder: Path, *values: dict[str, Any], size: str = "class") -> None:
    runs = [{"seed": seed, "seconds": 1.0, "device": "cpu", "values": each} for seed, each in enumerate(values)]
    results.write(study, folder, {"manifest": {}, "study": results.identity(study, size), "runs": runs})


def test_every_study_of_the_function_that_stored_the_number(tmp_path: Path) -> None:
    store(HERE, tmp_path, {"gdas_derived": 80.0}, {"gdas_derived": 84.0})
    store(THERE, tmp_path, {"gdas_derived": 70}, size="paper")
    store(OTHER, tmp_path, {"gdas_derived": 1.0})
    here, there = measured("method-order", "gdas_derived", folder=tmp_path)
    assert (here.study, here.settings, here.size) == ("here", {"space": "nas-bench-201"}, "class")
    assert (here.seeds, here.values, here.interval.mean) == ((0, 1), (80.0, 84.0), 82.0)
    assert (there.study, there.size, there.values) == ("there", "paper", (70.0,))


def test_what_no_study_measured_is_not_there(tmp_path: Path) -> None:
    assert measured("method-order", "gdas_derived", folder=tmp_path) == []
    store(HERE, tmp_path, {"darts_derived": 80.0}, {"darts_derived": 84.0, "gdas_derived": 60.0})
    assert measured("method-order", "snas_derived", folder=tmp_path) == []
    assert [each.seeds for each in measured("method-order", "gdas_derived", folder=tmp_path)] == [(1,)]


def test_results_of_other_settings_are_refused(tmp_path: Path) -> None:
    store(Study("here", "method-order", {"space": "s1"}, [0], "nothing"), tmp_path, {"gdas_derived": 1.0})
    with pytest.raises(UsageError, match="with another setting"):
        measured("method-order", "gdas_derived", folder=tmp_path)
