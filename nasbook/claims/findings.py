"""The ledger with what was measured: a finding a claim, its verdict computed from the stored numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nasbook.claims import results
from nasbook.claims.entries import ABOVE, Claim, Ledger, Study
from nasbook.claims.verdicts import Interval, interval, verdict
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder


@dataclass(frozen=True)
class Finding:
    """A claim and its numbers.

    Args:
        claim: the entry.
        size: "class" or "paper", as measured or else as the study would be.
        seeds: the measured seeds.
        values: one per seed.
        note: what a reader must know about the stored numbers; empty if there is nothing.
    """

    claim: Claim
    size: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    note: str = ""

    @property
    def interval(self) -> Interval | None:
        """The mean and its interval; None without numbers."""
        return interval(self.values, exact=self.claim.exact) if self.values else None

    @property
    def verdict(self) -> str:
        """`holds`, `weak`, `fails` or `not measured`: see `verdicts`."""
        return verdict(self.interval, expect=self.claim.expect, threshold=self.claim.threshold)

    @property
    def expected(self) -> str:
        """The side of the threshold: "> 5"."""
        return f"{'>' if self.claim.expect == ABOVE else '<'} {self.claim.threshold:g}"

    @property
    def measured(self) -> str:
        """The mean and half its interval, in words: "23.1 ± 4.2 points"."""
        found = self.interval
        return "-" if found is None else found.words(self.claim.unit, exact=self.claim.exact)

    def row(self) -> dict[str, Any]:
        """What `nasbook claims --json` says of it."""
        found = self.interval
        return {
            "id": self.claim.id,
            "chapter": self.claim.chapter,
            "lecture": self.claim.lecture,
            "statement": self.claim.statement,
            "verdict": self.verdict,
            "value": None if found is None else found.mean,
            "spread": None if found is None else found.spread,
            "unit": self.claim.unit,
            "expect": self.claim.expect,
            "threshold": self.claim.threshold,
            "exact": self.claim.exact,
            "seeds": list(self.seeds),
            "values": list(self.values),
            "size": self.size,
            "study": self.claim.study,
            "note": self.note,
        }


def findings(ledger: Ledger, *, folder: Path | None = None, chapter: str | None = None) -> list[Finding]:
    """The claims by chapter, with what is stored.

    Args:
        ledger: the entries.
        folder: of results; the book's own without.
        chapter: the number of one chapter; all without.

    Raises:
        UsageError: no claim is of that chapter, or a file of results is damaged or of other settings.
    """
    claims = ledger.claims if chapter is None else ledger.of_chapter(chapter)
    place = folder or data_folder() / "results"
    stored = {name: results.read(ledger.studies[name], place) for name in {claim.study for claim in claims}}
    found = [_finding(claim, ledger.studies[claim.study], stored[claim.study]) for claim in claims]
    return found if folder else [_noted(each, ledger.studies[each.claim.study]) for each in found]


def _noted(finding: Finding, study: Study) -> Finding:
    """The finding with a note if the package was corrected after the book's results were measured."""
    return replace(finding, note=f"{study.id}: {study.corrected}") if study.corrected and finding.seeds else finding


def _finding(claim: Claim, study: Study, stored: dict[str, Any] | None) -> Finding:
    if stored is None:
        return Finding(claim, study.size, (), ())
    runs = stored["runs"]
    try:
        values = tuple(float(run["values"][claim.value]) for run in runs)
        if not all(map(math.isfinite, values)):
            raise ValueError
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UsageError(
            f"The results of study {study.id} have no number {claim.value}, which {claim.id} reads: measure again."
        ) from None
    return Finding(claim, stored["study"]["size"], tuple(run["seed"] for run in runs), values)
