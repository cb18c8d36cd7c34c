"""The ledger with its two choosers, without a browser."""

import pytest

from nasbook.claims.entries import Claim
from nasbook.claims.findings import Finding
from nasbook.runtime.errors import UsageError
from nasbook.widgets.ledger import LedgerFilter


def finding(name, values):
    claim = Claim(name, name[:2], "DARTS", f"It is {name}.", "study", "value", "above", 1.0, "points")
    return Finding(claim, "class", tuple(range(len(values))), tuple(values))


FOUND = (
    finding("06.holds", [2.0, 2.1]),
    finding("06.fails", [0.0, 0.1]),
    finding("07.fails", [0.0, 0.2]),
    finding("07.open", []),
)


@pytest.fixture
def ledger():
    return LedgerFilter(FOUND)


def shown(box):
    return [each.claim.id for each in box.result().findings]


def test_it_opens_with_the_whole_ledger(ledger):
    assert ledger.state() == "chapter=all verdict=all"
    assert shown(ledger) == ["06.holds", "06.fails", "07.fails", "07.open"]
    assert ledger._shown.value.count("<tr>") == len(FOUND) + 1


@pytest.mark.parametrize(
    ("state", "left"),
    [
        ("chapter=07 verdict=all", ["07.fails", "07.open"]),
        ("chapter=all verdict=fails", ["06.fails", "07.fails"]),
        ("chapter=06 verdict=fails", ["06.fails"]),
        ("chapter=all verdict=not-measured", ["07.open"]),
        ("chapter=07 verdict=holds", []),
    ],
)
def test_a_state_leaves_its_part(ledger, state, left):
    ledger.restore(state)
    assert shown(ledger) == left
    assert ledger.state() == state
    assert LedgerFilter(FOUND, state=state)._shown.value == ledger._shown.value
    assert all(f"It is {name}." in ledger._shown.value for name in left)
    assert ledger._shown.value.count("<tr>") == len(left) + 1
    assert f"{len(left)} claim" in ledger.figure().alt


def test_choosers_and_state_follow_each_other(ledger):
    chapter, verdict = ledger.children[1].children
    assert list(chapter.options) == ["all", "06", "07"]
    assert list(verdict.options) == ["all", "holds", "weak", "fails", "not-measured"]
    chapter.value = "07"
    verdict.value = "fails"
    assert shown(ledger) == ["07.fails"]
    ledger.restore("chapter=06 verdict=all")
    assert (chapter.value, verdict.value) == ("06", "all")
    assert chapter.description == "chapter"
    assert chapter.tooltip


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("chapter=05 verdict=all", "no chapter '05'; there are all, 06, 07"),
        ("chapter=06 verdict=true", "no verdict 'true'"),
        ("06", "A state reads like"),
    ],
)
def test_a_state_that_is_not_there_is_refused_and_changes_nothing(ledger, state, says):
    with pytest.raises(UsageError, match=says):
        ledger.restore(state)
    with pytest.raises(UsageError, match=says):
        LedgerFilter(FOUND, state=state)
    assert ledger.state() == "chapter=all verdict=all"


def test_the_books_own_ledger_is_shown(alt_of):
    whole = LedgerFilter(state="chapter=08 verdict=fails")
    assert {each.claim.chapter for each in whole.result().findings} == {"08"}
    data = whole._repr_mimebundle_()
    assert "of chapter 08" in alt_of(data)
