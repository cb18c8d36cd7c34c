"""The book's own ledger and its stored results: they fit together, and the cheap ones are measured again."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest

from nasbook.claims import entries, results
from nasbook.claims.findings import findings
from nasbook.claims.measuring import measure
from nasbook.claims.studies import STUDIES
from nasbook.course.book import load_book
from nasbook.runtime.resources import data_folder

LEDGER = entries.load()
FOLDER = data_folder() / "results"
# What is deterministic and takes seconds; the timings that its studies take besides are not compared.
CHEAP = ("bilevel-toy", "operations")


def test_every_claim_is_of_a_chapter_and_of_a_study_that_runs() -> None:
    chapters = {chapter.number for chapter in load_book()}
    assert {claim.chapter for claim in LEDGER.claims} <= chapters
    assert {study.function for study in LEDGER.studies.values()} <= set(STUDIES)
    assert {claim.study for claim in LEDGER.claims} == set(LEDGER.studies)
    for claim in LEDGER.claims:
        assert re.fullmatch(r"[A-Z].*\.", claim.statement), claim.id


def test_every_study_can_be_called_in_the_same_way() -> None:
    for function in STUDIES.values():
        assert list(inspect.signature(function).parameters) == [
            "seed",
            "settings",
            "size",
            "device",
            "folder",
            "listeners",
        ]


@pytest.mark.parametrize("name", LEDGER.studies)
def test_what_is_stored_is_of_the_entries_settings_and_seeds(name: str) -> None:
    study = LEDGER.studies[name]
    stored = results.read(study, FOLDER, size=study.size)
    if stored is None:
        assert {each.verdict for each in findings(LEDGER) if each.claim.study == name} == {"not measured"}
        return
    assert [run["seed"] for run in stored["runs"]] == sorted(study.seeds)
    assert stored["manifest"]["seeds"] == sorted(study.seeds)
    seeds = ",".join(map(str, sorted(study.seeds)))
    assert stored["manifest"]["command"] == f"nasbook claims measure {name} --seeds {seeds} --folder data/results"


def test_every_stored_result_is_told_in_the_data_folders_readme() -> None:
    text = (data_folder() / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `results/([\w-]+)\.json`", text, flags=re.MULTILINE)
    assert sorted(told) == sorted(path.stem for path in FOLDER.glob("*.json"))


def test_every_stored_file_of_claims_belongs_to_a_study() -> None:
    files = [path for path in FOLDER.glob("*.json") if "study" in json.loads(path.read_text(encoding="utf-8"))]
    assert {path.stem for path in files} <= set(LEDGER.studies)


@pytest.mark.parametrize("name", CHEAP)
def test_a_claim_measured_again_has_the_stored_verdict(name: str, tmp_path: Path) -> None:
    measure(LEDGER, [LEDGER.studies[name]], folder=tmp_path, seeds=[0], device="cpu")
    again = {each.claim.id: each for each in findings(LEDGER, folder=tmp_path) if each.claim.study == name}
    stored = {each.claim.id: each for each in findings(LEDGER) if each.claim.study == name}
    compared = [each for each in stored.values() if each.claim.exact]
    assert compared
    for each in compared:
        assert again[each.claim.id].verdict == each.verdict != "not measured"
        assert again[each.claim.id].values[0] == pytest.approx(each.values[0], rel=1e-3, abs=1e-6)
