"""A method's card as it is shown: its fields with numbers, published and measured results computed from the data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nasbook
from nasbook import sizes
from nasbook.claims import measured as measuring
from nasbook.claims import results
from nasbook.claims.entries import Ledger, Study
from nasbook.course.method_card import method_card
from nasbook.runtime.errors import UsageError
from nasbook.search import RECIPES, cards

ORDER = Study("order", "method-order", {"space": "nas-bench-201"}, [0, 1], "nothing")
COSTS = Study("costs", "methods", {"space": "darts"}, [0], "nothing")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results in which GDAS is 80 and 84 % accurate and holds a quarter of the activations."""
    monkeypatch.setattr(measuring.entries, "load", lambda: Ledger({"order": ORDER, "costs": COSTS}, ()))
    values = {"order": [{"gdas_derived": 80.0}, {"gdas_derived": 84.0}], "costs": [{"gdas_memory": 0.25}]}
    for study in (ORDER, COSTS):
        measured = {"seconds": 1.0, "device": "cpu"}
        runs = [{"seed": seed, **measured, "values": each} for seed, each in enumerate(values[study.id])]
        results.write(study, tmp_path, {"manifest": {}, "study": results.identity(study, "class"), "runs": runs})
    return tmp_path


@pytest.mark.parametrize("name", RECIPES)
def test_every_card_is_shown_whole(name: str) -> None:
    shown = method_card(name)
    assert shown.fields.items() >= cards.card_fields(name).items()
    assert list(shown.fields)[-1] == "Known failures"
    text, page = repr(shown), shown._repr_markdown_()
    for field in shown.fields:
        assert f"\n{field}\n    " in text
        assert f"**{field}**\n\n" in page
    for line in shown.fields["Command"].splitlines():
        assert f"\n    {line}\n" in page
    assert f"relaxation {RECIPES[name].relaxation}, hypergradient {RECIPES[name].hypergradient}" in text
    assert json.loads(json.dumps(shown.row()))["fields"] == shown.fields


def test_measured_results_stand_beside_the_published_ones(folder: Path) -> None:
    fields = method_card("gdas", folder=folder).fields
    assert "- test error on CIFAR-10: 2.93 %, 0.3 GPU-days" in fields["Published"]
    first, second, third = fields["Measured here"].splitlines()
    # the interval of 80 and 84: t = 12.706 with one degree of freedom, times sqrt(8) / sqrt(2)
    assert first.endswith(": 82 ± 25 % in nas-bench-201 (class size, 2 seeds, study order)")
    assert second == "- time of a step over that of DARTS: not measured yet"
    assert third.endswith(": 0.25 times (one seed) in darts (class size, 1 seed, study costs)")


def test_what_is_not_measured_says_so(folder: Path) -> None:
    assert method_card("nasp", folder=folder).fields["Measured here"].count("not measured yet") == 3
    assert len(method_card("darts", folder=folder).fields["Measured here"].splitlines()) == 1  # DARTS is the measure


def test_a_method_without_a_published_error_shows_none() -> None:
    assert "test error on CIFAR-10" not in method_card("dsnas").fields["Published"]
    assert method_card("darts-exact").fields["Published"] == "No number of its own."
    assert "3.00 ± 0.14 %, 0.4 GPU-days" in method_card("darts").fields["Published"]


@pytest.mark.parametrize("name", RECIPES)
def test_numbers_are_those_of_the_table(name: str) -> None:
    shown = method_card(name).fields["Numbers"]
    given = {
        (size.name, family): numbers
        for size in sizes.SIZES.values()
        for family, numbers in size.methods.get(name, size.methods.get(name.removesuffix("+pt"), {})).items()
        if numbers
    }
    lines = shown.splitlines()[1:]
    assert len(lines) == len(given)
    for (size, family), numbers in given.items():
        where = f"- {size} size in the family {family}: " if family else f"- {size} size: "
        (line,) = [each for each in lines if each.startswith(where)]
        assert line.count(",") == len(numbers) - 1
        for key, value in numbers.items():
            assert f"{key} {value}" in line


def test_any_method_with_the_suffix_has_the_card_of_the_selection_and_the_numbers_of_its_search() -> None:
    shown = method_card("gdas+pt")
    assert shown.heading == method_card("darts+pt").heading
    assert "`nasbook methods gdas`" in shown.fields["Search"]
    assert shown.fields["Command"] == "nasbook search --method gdas+pt --space s2"
    assert shown.fields["Numbers"] == method_card("gdas").fields["Numbers"]
    assert "relaxation hard-gumbel" in repr(shown)
    assert "selection perturbation" in repr(shown)
    assert "2.93" not in shown.fields["Published"]  # GDAS's own error is not this method's


def test_a_chapter_shows_a_card() -> None:
    nb = nasbook.start("04")
    assert repr(nb.card("gdas")) == repr(method_card("gdas"))
    with pytest.raises(UsageError, match=r"Method 'enas' does not run here.*; there are darts"):
        nb.card("enas")
