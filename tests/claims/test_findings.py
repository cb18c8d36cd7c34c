"""Findings: verdicts from stored numbers, and how they read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nasbook.claims.entries import Ledger
from nasbook.claims.findings import findings
from nasbook.claims.measuring import measure
from nasbook.runtime.errors import UsageError


@pytest.mark.usefixtures("calls")
def test_verdicts_follow_from_what_is_stored(ledger: Ledger, tmp_path: Path) -> None:
    nothing = findings(ledger, folder=tmp_path / "empty")
    assert [each.verdict for each in nothing] == ["not measured", "not measured"]
    assert nothing[1].row() | {"verdict": ""} == {
        "id": "06.high",
        "chapter": "06",
        "lecture": "DARTS",
        "statement": "It is high.",
        "verdict": "",
        "value": None,
        "spread": None,
        "unit": "m",
        "expect": "above",
        "threshold": 5,
        "exact": False,
        "seeds": [],
        "values": [],
        "size": "class",
        "study": "heights",
        "note": "",
    }
    measure(ledger, ledger.chosen([]), folder=tmp_path, device="cpu")
    deep, high = findings(ledger, folder=tmp_path)
    assert (high.values, high.seeds, high.verdict) == ((10.0, 11.0, 12.0), (0, 1, 2), "holds")
    assert (high.measured, high.expected) == ("11 ± 2.5 m", "> 5")
    assert high.row()["spread"] == pytest.approx(2.484, abs=1e-3)
    assert (deep.values, deep.verdict) == ((-5.0,), "holds")
    assert (deep.measured, deep.expected) == ("-5 m", "< 0")
    assert json.loads(json.dumps(deep.row(), allow_nan=False))["spread"] == 0
    assert findings(ledger, folder=tmp_path, chapter="05") == [deep]


@pytest.mark.usefixtures("calls")
def test_one_seed_is_weak_at_best_and_says_so(ledger: Ledger, tmp_path: Path) -> None:
    measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, seeds=[4], size="paper", device="cpu")
    (high,) = findings(ledger, folder=tmp_path, chapter="06")
    assert (high.verdict, high.measured, high.size) == ("weak", "14 m (one seed)", "paper")
    assert json.loads(json.dumps(high.row(), allow_nan=False))["spread"] is None


@pytest.mark.usefixtures("calls")
def test_results_of_other_settings_or_without_the_number_are_refused(ledger: Ledger, tmp_path: Path) -> None:
    measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, device="cpu")
    path = tmp_path / "heights.json"
    text = path.read_text()
    path.write_text(text.replace('"height"', '"width"'))
    with pytest.raises(UsageError, match=r"no number height, which 06\.high reads: measure again"):
        findings(ledger, folder=tmp_path)
    path.write_text(text.replace('"base": 10.0', '"base": 11.0'))
    with pytest.raises(UsageError, match="with another setting"):
        findings(ledger, folder=tmp_path)


@pytest.mark.usefixtures("calls")
def test_a_correction_is_noted_beside_the_books_own_results_alone(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results of a reader's own are measured with the present code."""
    studies = {name: replace(each, corrected="a row was counted twice.") for name, each in ledger.studies.items()}
    noted = replace(ledger, studies={**ledger.studies, "heights": studies["heights"]})
    measure(noted, noted.chosen([]), folder=tmp_path / "results", device="cpu")
    assert [each.note for each in findings(noted, folder=tmp_path / "results")] == ["", ""]
    monkeypatch.setattr("nasbook.claims.findings.data_folder", lambda: tmp_path)
    assert [each.note for each in findings(noted)] == ["", "heights: a row was counted twice."]
