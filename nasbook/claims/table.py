"""The claims ledger as a chapter shows it, or a part of it: a table on the page, lines of text elsewhere; its sums."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nasbook.claims.findings import Finding
from nasbook.claims.verdicts import FAILS, HOLDS, NOT_MEASURED, WEAK

VERDICTS = (HOLDS, WEAK, FAILS, NOT_MEASURED)
HEAD = ("claim", "measured", "expected", "seeds", "verdict")


@dataclass(frozen=True, repr=False)
class LedgerTable:
    """Claims with what was measured; it comes from stored results and is the same on every machine.

    Args:
        findings: one a claim.
    """

    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        return "\n".join([*(_lines(finding) for finding in self.findings), *notes(self.findings)])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="text-align:left">{text}</th>' for text in HEAD)
        rows = "".join(_row(_cells(finding)) for finding in self.findings)
        below = "".join(f"<p>{html.escape(note)}</p>" for note in notes(self.findings))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{below}"


def notes(found: Iterable[Finding]) -> list[str]:
    """The notes on stored numbers, each once."""
    return list(dict.fromkeys(finding.note for finding in found if finding.note))


def tally(found: Iterable[Finding], by: str) -> dict[str, dict[str, int]]:
    """How many claims have each verdict.

    Args:
        found: the claims, in the order of the ledger.
        by: a field of a claim, "chapter" or "lecture".

    Returns:
        For each value of the field, in the order in which they come, the number of claims for each of `VERDICTS`.
    """
    counts: dict[str, dict[str, int]] = {}
    for finding in found:
        row = counts.setdefault(getattr(finding.claim, by), dict.fromkeys(VERDICTS, 0))
        row[finding.verdict] += 1
    return counts


def _cells(finding: Finding) -> tuple[str, ...]:
    statement = f"{finding.claim.id}: {finding.claim.statement}"
    return statement, finding.measured, finding.expected, str(len(finding.seeds)), finding.verdict


def _row(cells: Sequence[str]) -> str:
    texts = [html.escape(cell) for cell in cells]
    texts[-1] = f"<b>{texts[-1]}</b>"
    return "<tr>" + "".join(f'<td style="text-align:left">{text}</td>' for text in texts) + "</tr>"


def _lines(finding: Finding) -> str:
    count = len(finding.seeds)
    seeds = f"{count} seed{'' if count == 1 else 's'}"
    measured = f", measured {finding.measured} ({seeds}, {finding.size} size)" if count else ""
    return (
        f"{finding.claim.id}  {finding.verdict}: {finding.claim.statement}\n"
        f"{'':{len(finding.claim.id)}}  expected {finding.expected}{measured}"
    )
