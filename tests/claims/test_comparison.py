"""Methods beside each other: what studies trained, paired within a study, with what was published of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nasbook.claims import comparison, entries, results
from nasbook.claims.comparison import Standing, distinct, not_measured, standings
from nasbook.claims.entries import Ledger, Study
from nasbook.runtime.errors import UsageError

ALONE = Study("s2", "collapse", {"space": "s2"}, [0, 1], "nothing")
BOTH = Study("pt-s2", "selecting", {"space": "s2"}, [4, 5], "nothing")
OTHER = Study("costs", "methods", {"space": "s2"}, [0], "nothing")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of DARTS alone, of which the controls are trained once, and one of several methods, thrice each."""
    monkeypatch.setattr(entries, "load", lambda: Ledger({each.id: each for each in (ALONE, BOTH, OTHER)}, ()))
    write(
        tmp_path,
        ALONE,
        {0: {"derived": 20.0, "trained": {"random": 60.0}}, 1: {"derived": 30.0, "trained": {"random": 64.0}}},
    )
    trained = {
        4: {"darts": [21.0, 22.0, 23.0], "darts+pt": [60.0, 63.0, 66.0], "random": [50.0, 50.0, 50.0]},
        5: {"darts": [40.0, 40.0, 43.0], "darts+pt": [70.0, 70.0, 70.0], "random": [71.0, 71.0, 71.0]},
    }
    write(tmp_path, BOTH, {seed: {"trained": found} for seed, found in trained.items()})
    write(tmp_path, OTHER, {0: {"darts_time": 1.0}})
    return tmp_path


def write(folder: Path, study: Study, values: dict[int, dict[str, Any]]) -> None:
    runs = [{"seed": seed, "seconds": 1.0, "device": "cpu", "values": each} for seed, each in values.items()]
    results.write(study, folder, {"manifest": {}, "study": results.identity(study, "class"), "runs": runs})


def test_the_best_mean_stands_first_and_each_seed_is_the_mean_of_its_trainings(folder: Path) -> None:
    found = standings("s2", "pt-s2", folder=folder)
    assert [(each.method, each.study) for each in found] == [
        ("darts+pt", "pt-s2"),
        ("random", "s2"),
        ("random", "pt-s2"),
        ("darts", "pt-s2"),
        ("darts", "s2"),
    ]
    assert found[0].accuracies == {4: 63.0, 5: 70.0}
    assert found[-1].accuracies == {0: 20.0, 1: 30.0}
    assert found[0].interval.mean == 66.5
    assert [each.control for each in found] == [False, True, True, False, False]


def test_what_two_studies_measured_alike_stands_there_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = Study("more-s2", "selecting", {"space": "s2", "methods": ["darts", "gdas"]}, [4, 5], "nothing")
    monkeypatch.setattr(entries, "load", lambda: Ledger({each.id: each for each in (BOTH, again)}, ()))
    darts = {4: [21.0, 22.0, 23.0], 5: [40.0, 40.0, 43.0]}
    others = {4: {"gdas": [1.0], "random": [51.0]}, 5: {"gdas": [2.0], "random": [71.0]}}
    write(folder, again, {seed: {"trained": {"darts": darts[seed], **others[seed]}} for seed in (4, 5)})
    found = distinct(standings("pt-s2", "more-s2", folder=folder))
    assert {(each.method, each.study) for each in found} == {
        ("darts", "pt-s2"),
        ("darts+pt", "pt-s2"),
        ("random", "pt-s2"),
        ("random", "more-s2"),  # another accuracy of one seed
        ("gdas", "more-s2"),
    }


def test_published_accuracies_are_those_of_methods_in_the_same_space(folder: Path) -> None:
    found = {each.method: each for each in standings("pt-s2", folder=folder)}
    assert found["darts"].published == pytest.approx(100 - 4.85)  # the lecture's table of S2 on CIFAR-10
    assert found["darts+pt"].published == pytest.approx(100 - 2.79)
    assert found["random"].published is None


def test_differences_are_paired_by_seed(folder: Path) -> None:
    found = {each.method: each for each in standings("pt-s2", folder=folder)}
    difference = found["darts+pt"].minus(found["darts"])
    assert difference.mean == pytest.approx((41.0 + 29.0) / 2)
    # t = 12.706 with one degree of freedom, times sqrt(72) / sqrt(2)
    assert difference.spread == pytest.approx(12.7062 * 6.0, rel=1e-4)


def test_studies_of_other_seeds_are_not_paired(folder: Path) -> None:
    found = standings("s2", "pt-s2", folder=folder)
    with pytest.raises(UsageError, match="darts\\+pt is of pt-s2, random of s2"):
        found[0].minus(found[1])


def test_a_study_that_is_not_measured_adds_nothing_and_is_named(folder: Path) -> None:
    results.path(BOTH, folder).unlink()
    assert {each.study for each in standings("s2", "pt-s2", folder=folder)} == {"s2"}
    assert not_measured("s2", "pt-s2", folder=folder) == ("pt-s2",)


def test_a_study_without_cells_or_without_an_entry_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="costs trains no cells"):
        standings("costs", folder=folder)
    with pytest.raises(UsageError, match="no study 'pt-s3'"):
        standings("pt-s3", folder=folder)


def test_the_books_own_studies_of_each_space_are_in_the_ledger_and_of_that_space() -> None:
    known = entries.load().studies
    for space, names in comparison.STUDIES.items():
        assert {known[name].settings["space"] for name in names} == {space}
        found = standings(*names)
        assert all(isinstance(each, Standing) and each.space == space for each in found)
        assert {each.method for each in found} >= {"darts", "random", "convolutions"}
