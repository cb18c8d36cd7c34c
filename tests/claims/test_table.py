"""The ledger at the end of a chapter: the same as the command's, on the page and in text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import nasbook
from nasbook.claims import entries, findings
from nasbook.claims.entries import Claim
from nasbook.claims.findings import Finding
from nasbook.claims.table import VERDICTS, LedgerTable, tally
from nasbook.runtime.errors import UsageError

CLAIM = Claim("06.x", "06", "DARTS", "A < B & C.", "study", "value", "above", 1.0, "points")


def test_a_chapter_shows_its_own_part_of_the_ledger() -> None:
    table = nasbook.start("06").claims()
    expected = findings.findings(entries.load(), chapter="06")
    assert list(table.findings) == expected
    text, page = repr(table), table._repr_html_()
    for finding in expected:
        assert f"{finding.claim.id}  {finding.verdict}: {finding.claim.statement}" in text
        assert f"measured {finding.measured} ({len(finding.seeds)} seed" in text or finding.verdict == "not measured"
        assert f"<b>{finding.verdict}</b>" in page
    assert page.count("<tr>") == len(expected) + 1
    assert nasbook.start("06").claims()._repr_html_() == page


def test_text_of_the_ledger_is_safe_on_a_page_and_plain_in_text() -> None:
    table = LedgerTable((Finding(CLAIM, "class", (0, 1), (2.0, 4.0)), Finding(CLAIM, "class", (), ())))
    assert "06.x: A &lt; B &amp; C." in table._repr_html_()
    assert "<td" in table._repr_html_()
    assert re.sub(" +", " ", repr(table)).splitlines() == [
        "06.x weak: A < B & C.",
        " expected > 1, measured 3 ± 13 points (2 seeds, class size)",
        "06.x not measured: A < B & C.",
        " expected > 1",
    ]


def test_a_note_stands_once_under_the_claims() -> None:
    noted = Finding(CLAIM, "class", (0, 1), (2.0, 4.0), "study: corrected <since>.")
    table = LedgerTable((noted, noted, Finding(CLAIM, "class", (0, 1), (2.0, 4.0))))
    assert repr(table).splitlines()[-1] == "study: corrected <since>."
    assert table._repr_html_().endswith("</table><p>study: corrected &lt;since&gt;.</p>")
    assert repr(table).count("corrected") == table._repr_html_().count("corrected") == 1


def test_a_chapter_without_claims_says_so() -> None:
    with pytest.raises(UsageError, match="No claim is of chapter '00'"):
        nasbook.start("00").claims()


def test_the_sums_count_every_claim_once_by_chapter_and_by_topic() -> None:
    found = [
        Finding(CLAIM, "class", (0, 1, 2), (2.0, 2.1, 2.2)),
        Finding(replace(CLAIM, id="07.y", chapter="07"), "class", (0, 1), (2.0, 4.0)),
        Finding(replace(CLAIM, id="07.z", chapter="07", lecture="Scalability"), "class", (0, 1), (0.5, 0.4)),
        Finding(replace(CLAIM, id="06.z"), "class", (), ()),
    ]
    assert tally(found, "chapter") == {
        "06": {"holds": 1, "weak": 0, "fails": 0, "not measured": 1},
        "07": {"holds": 0, "weak": 1, "fails": 1, "not measured": 0},
    }
    assert list(tally(found, "lecture")) == ["DARTS", "Scalability"]
    whole = findings.findings(entries.load())
    assert sum(sum(row.values()) for row in tally(whole, "lecture").values()) == len(whole)
    assert all(tuple(row) == VERDICTS for row in tally(whole, "chapter").values())
