"""The ledger at the end of a chapter: the same as the command's, on the page and in text."""

from __future__ import annotations

import re

import pytest

import nasbook
from nasbook.claims import entries, findings
from nasbook.claims.entries import Claim
from nasbook.claims.findings import Finding
from nasbook.course.ledger import LedgerTable
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


def test_a_chapter_without_claims_says_so() -> None:
    with pytest.raises(UsageError, match="No claim is of chapter '00'"):
        nasbook.start("00").claims()
