"""The claims ledger as a picture: how many claims hold, are weak, fail, or are not measured."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from nasbook.claims.table import VERDICTS
from nasbook.claims.verdicts import FAILS, HOLDS, NOT_MEASURED, WEAK
from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted, listed
from nasbook.runtime.errors import UsageError

# Colour and hatching of each verdict: the hatching alone tells them apart.
MARKS = MappingProxyType(
    {
        HOLDS: (style.BLUE, ""),
        WEAK: (style.SKY, "///"),
        FAILS: (style.VERMILLION, "xx"),
        NOT_MEASURED: (style.LIGHT, ""),
    }
)


@style.styled
def verdicts(counts: Mapping[str, Mapping[str, int]], *, ylabel: str, ax: Axes | None = None) -> Picture:
    """A bar for each chapter or topic, as long as it has claims, parted by their verdicts, with the numbers in it.

    Args:
        counts: from `claims.table.tally`.
        ylabel: what the bars stand for.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no claim.
    """
    if not counts:
        raise UsageError("There is no claim to count.")
    ax = style.on(ax, "wide", height=1.1 + 0.27 * len(counts))
    _bars(ax, counts)
    ax.set_yticks(range(len(counts)), list(counts))
    ax.invert_yaxis()
    ax.set(xlabel="claims", ylabel=ylabel)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=False, axis="y")
    patches = [Patch(fc=MARKS[each][0], hatch=MARKS[each][1], ec="white", label=each) for each in VERDICTS]
    ax.legend(handles=patches, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return Picture(style.root(ax), _described(counts))


def _bars(ax: Axes, counts: Mapping[str, Mapping[str, int]]) -> None:
    """One part after another of all bars, each with its number."""
    left = np.zeros(len(counts))
    around = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"}
    for verdict, (colour, hatch) in MARKS.items():
        values = np.array([row[verdict] for row in counts.values()])
        bars = ax.barh(range(len(counts)), values, 0.72, left=left, color=colour, hatch=hatch, edgecolor="white")
        for place, (bar, value) in enumerate(zip(bars, values, strict=True)):
            if value:
                middle = bar.get_x() + bar.get_width() / 2
                ax.text(middle, place, str(value), ha="center", va="center", fontsize=7, bbox=around)
        left += values


def _described(counts: Mapping[str, Mapping[str, int]]) -> str:
    totals = {verdict: sum(row[verdict] for row in counts.values()) for verdict in VERDICTS}
    told = listed(f"{number} {_words(verdict, number)}" for verdict, number in totals.items() if number)
    rows = "; ".join(
        f"{name}: {listed(f'{number} {_words(verdict, number)}' for verdict, number in row.items() if number)}"
        for name, row in counts.items()
    )
    return f"Of {counted(sum(totals.values()), 'claim')} {told}. {rows}."


def _words(verdict: str, number: int) -> str:
    one, many = {
        HOLDS: ("holds", "hold"),
        WEAK: ("is weak", "are weak"),
        FAILS: ("fails", "fail"),
        NOT_MEASURED: ("is not measured", "are not measured"),
    }[verdict]
    return one if number == 1 else many
