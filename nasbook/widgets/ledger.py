"""The whole claims ledger, and of it what a chapter, a topic of the lecture, or a verdict leaves.

LedgerFilter()                                          the book's own ledger
LedgerFilter(state="chapter=08 verdict=fails")          the same, opened at a part
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook.claims import entries
from nasbook.claims.findings import Finding, findings
from nasbook.claims.table import VERDICTS, LedgerTable, tally
from nasbook.figures import drawing, ledger, style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted
from nasbook.runtime.errors import UsageError
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import row, scrolled
from nasbook.widgets.state import NamedState, names

ALL = "all"
TASK = "Which chapter has the most claims that fail? Read what was expected there, and how far off the number is."


@dataclass(frozen=True)
class LedgerState(NamedState):
    """What is left of the ledger.

    Args:
        chapter: two digits, or "all".
        verdict: one of `claims.table.VERDICTS` with a hyphen for each space, or "all".
    """

    chapter: str = ALL
    verdict: str = ALL


class LedgerFilter(Stateful[LedgerState]):
    """A table of claims, with a chooser for the chapter and one for the verdict.

    Args:
        found: the claims with what was measured; the book's own without.
        state: where to begin, as `state()` returned it; everything without.

    Raises:
        UsageError: the state is of another form, or names a chapter or a verdict that is not there.
    """

    state_type = LedgerState

    chapter = traitlets.Unicode(ALL)
    verdict = traitlets.Unicode(ALL)

    def __init__(self, found: Sequence[Finding] | None = None, *, state: str | None = None) -> None:
        self.findings = tuple(findings(entries.load()) if found is None else found)
        self._shown = widgets.HTML()
        controls = self._make_controls()
        begin = LedgerState() if state is None else self._read(state)
        super().__init__([widgets.HTML(f"<b>{TASK}</b>"), row(controls.values()), self._shown])
        self._begin(begin, controls.items())

    def result(self) -> LedgerTable:
        """The claims that are left."""
        left = (each for each in self.findings if self.chapter in (ALL, each.claim.chapter))
        return LedgerTable(tuple(each for each in left if self.verdict in (ALL, _word(each.verdict))))

    def sentence(self) -> str:
        """How many claims are left, and of what."""
        of = "" if self.chapter == ALL else f" of chapter {self.chapter}"
        verdict = "" if self.verdict == ALL else f' with the verdict "{self.verdict.replace("-", " ")}"'
        return f"{counted(len(self.result().findings), 'claim')}{of}{verdict}, of {len(self.findings)} in the ledger."

    @style.styled
    def figure(self) -> Picture:
        """What is left, counted by chapter."""
        left = self.result().findings
        if left:
            drawn = ledger.verdicts(tally(left, "chapter"), ylabel="chapter")
            return Picture(drawn.figure, f"{self.sentence()} {drawn.alt}")
        figure, ax = style.figure("wide", height=0.6)
        words = drawing.Box("text", 400, 30, 0, 0, self.sentence(), "none", "none")
        drawing.draw(drawing.Drawing(800, 60, (words,), self.sentence()), ax)
        return Picture(figure, self.sentence())

    @traitlets.validate(*names(LedgerState))
    def _check(self, proposal: Any) -> Any:
        return self._checked(proposal)

    def _allowed(self, state: LedgerState) -> LedgerState:
        for name, options in self._options().items():
            if getattr(state, name) not in options:
                raise UsageError(f"There is no {name} {getattr(state, name)!r}; there are {', '.join(options)}.")
        return state

    def _options(self) -> dict[str, list[str]]:
        chapters = sorted({each.claim.chapter for each in self.findings})
        return {"chapter": [ALL, *chapters], "verdict": [ALL, *map(_word, VERDICTS)]}

    def _make_controls(self) -> dict[str, Any]:
        tooltips = {"chapter": "The chapter whose claims are shown", "verdict": "The verdict that is shown"}
        return {
            name: widgets.Dropdown(options=options, description=name, tooltip=tooltips[name], layout={"width": "15em"})
            for name, options in self._options().items()
        }

    def _draw(self, _change: Any = None) -> None:
        self._shown.value = f"<p>{self.sentence()}</p>{scrolled(self.result()._repr_html_())}"


def _word(verdict: str) -> str:
    """A verdict without spaces, as a state has it."""
    return verdict.replace(" ", "-")
