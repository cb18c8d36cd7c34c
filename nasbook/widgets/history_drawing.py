"""What the cost explorer computes and how it looks: pure functions of its state."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import FuncFormatter

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted
from nasbook.runtime.errors import UsageError
from nasbook.strategies.published import FAMILIES, PublishedMethod
from nasbook.widgets import page

SMALLEST, LARGEST = -1.5, 4.5  # of the budget, in powers of ten of a GPU-day
LOWEST, HIGHEST = 1.5, 6.5  # of the error, in percent
WIDTH, HEIGHT, MARGIN = 640, 300, 44  # of the live drawing, in pixels
SIGNS = {
    "human design": "■□",
    "random search": "◆◇",
    "reinforcement learning": "▼▽",
    "evolution": "▲△",
    "gradient": "●○",
}
"""How a system of each family is drawn in the live view: within the budget, and beyond it."""


@dataclass(frozen=True)
class CostState:
    """What the widget shows.

    Args:
        budget: of a search, in GPU-days.
        families: the families of methods that are shown, in the order of `FAMILIES`.
    """

    budget: float
    families: tuple[str, ...]

    def __str__(self) -> str:
        return f"budget={_plain(self.budget)} families={','.join(self.families)}"

    @classmethod
    def parse(cls, text: str) -> CostState:
        """Read `str(state)` back.

        Raises:
            UsageError: the text has another form, or names something that is not there.
        """
        try:
            first, second = text.split(" ", 1)
            budget, names = float(first.removeprefix("budget=")), second.removeprefix("families=")
        except ValueError:
            raise UsageError(f"A state reads like 'budget=1 families=evolution,gradient', not {text!r}.") from None
        return cls(check_budget(budget), check_families(tuple(name for name in names.split(",") if name)))


@dataclass(frozen=True)
class CostResult:
    """What a budget buys.

    Args:
        shown: the systems of the chosen families whose cost is known.
        fitting: those that fit the budget, the lowest error first.
        best: the first of them, None where none fits.
    """

    shown: tuple[PublishedMethod, ...]
    fitting: tuple[PublishedMethod, ...]
    best: PublishedMethod | None


def compute(methods: Sequence[PublishedMethod], state: CostState) -> CostResult:
    """Which systems are shown, and which of them fit the budget."""
    shown = tuple(row for row in methods if row.gpu_days is not None and row.family in state.families)
    affordable = (row for row in shown if row.gpu_days is not None and row.gpu_days <= state.budget)
    fitting = tuple(sorted(affordable, key=lambda row: row.error_percent))
    return CostResult(shown, fitting, fitting[0] if fitting else None)


def sentence(result: CostResult, state: CostState) -> str:
    """What the budget buys, in words."""
    start = f"{len(result.fitting)} of {counted(len(result.shown), 'system')} fit {_plain(state.budget)} GPU-days"
    if result.best is None:
        return f"{start}."
    return f"{start}; the lowest error among them is {result.best.error_percent:.2f} %, of {result.best.title}."


@style.styled
def picture(result: CostResult, state: CostState) -> Picture:
    """Error against cost, with the budget as a line and what does not fit as hollow marks."""
    drawn, axis = style.figure("wide")
    for family in state.families:
        mark, rows = style.FAMILIES[family], [row for row in result.shown if row.family == family]
        for fits in (True, False):
            part = [row for row in rows if (row in result.fitting) == fits]
            axis.plot(
                [row.gpu_days for row in part],
                [row.error_percent for row in part],
                mark.marker,
                color=mark.colour,
                fillstyle="full" if fits else "none",
                markersize=6,
                label=family if fits else None,
            )
    axis.axvline(state.budget, color=style.INK, linewidth=1.0)
    if result.best is not None:
        place = (result.best.gpu_days or 0.0, result.best.error_percent)
        axis.annotate(result.best.title, place, textcoords="offset points", xytext=(0, -13), ha="center", fontsize=8)
    axis.set(xscale="log", xlim=(10**SMALLEST, 10**LARGEST), ylim=(LOWEST, HIGHEST))
    axis.set(xlabel="GPU-days of the search (log scale)", ylabel="test error on CIFAR-10 (%)")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if state.families:
        axis.legend(loc="upper left")
    return Picture(drawn, description(result, state))


def description(result: CostResult, state: CostState) -> str:
    """The picture in words."""
    words = (
        "Test error on CIFAR-10 against the GPU-days of the search; filled marks fit the budget, hollow ones do not."
    )
    return f"{words} {sentence(result, state)}"


def live(result: CostResult, state: CostState) -> str:
    """The same picture as lines and letters, drawn within milliseconds, and the best systems that fit as a table."""
    rows = "".join(
        f"<tr><td>{html.escape(row.title)}</td><td>{html.escape(row.paper)}</td><td>{row.error_percent:.2f}</td>"
        f"<td>{row.gpu_days:g}</td><td>{html.escape(row.note)}</td></tr>"
        for row in result.fitting[:5]
    )
    heads = "".join(f"<th>{name}</th>" for name in ("system", "paper", "error (%)", "GPU-days", "note"))
    table = f"<table><tr>{heads}</tr>{rows}</table>" if rows else ""
    return f"<p>{html.escape(sentence(result, state))}</p>{_svg(result, state)}{table}"


def _svg(result: CostResult, state: CostState) -> str:
    line = _across(state.budget)
    parts = [f'<line x1="{line:.1f}" x2="{line:.1f}" y1="0" y2="{HEIGHT - MARGIN}" stroke="{style.INK}"/>']
    for power in range(math.ceil(SMALLEST), math.floor(LARGEST) + 1):
        parts.append(_text(_across(10**power), HEIGHT - MARGIN + 16, f"{10.0**power:g}"))
    for error in range(math.ceil(LOWEST), math.floor(HIGHEST) + 1):
        y = _down(error)
        parts.append(f'<line x1="{MARGIN}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="{style.LIGHT}"/>')
        parts.append(_text(MARGIN - 14, y + 4, str(error)))
    parts.append(
        _text((WIDTH + MARGIN) / 2, HEIGHT - 10, "GPU-days of the search; vertical: test error on CIFAR-10 (%)")
    )
    for row in result.shown:
        sign = SIGNS[row.family][0 if row in result.fitting else 1]
        x, y = _across(row.gpu_days or 0.0), _down(row.error_percent)
        parts.append(_text(x, y + 6, sign, style.FAMILIES[row.family].colour, size=17, hint=row.title))
    for place, family in enumerate(state.families):
        words = f"{SIGNS[family][0]} {family}"
        parts.append(_text(MARGIN + 90, 16 + 16 * place, words, style.FAMILIES[family].colour))
    return page.svg(WIDTH, HEIGHT, description(result, state), "".join(parts))


def _text(x: float, y: float, words: str, colour: str = style.INK, *, size: int = 13, hint: str = "") -> str:
    title = f"<title>{html.escape(hint)}</title>" if hint else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" text-anchor="middle">'
        f"{html.escape(words)}{title}</text>"
    )


def _across(gpu_days: float) -> float:
    return MARGIN + (WIDTH - MARGIN) * (math.log10(gpu_days) - SMALLEST) / (LARGEST - SMALLEST)


def _down(error: float) -> float:
    return (HEIGHT - MARGIN) * (HIGHEST - error) / (HIGHEST - LOWEST)


def _plain(number: float) -> str:
    return f"{float(f'{number:.3g}'):g}"


def check_budget(value: float) -> float:
    """A budget that the slider can show.

    Raises:
        UsageError: it is out of range.
    """
    if not 0.99 * 10**SMALLEST <= value <= 1.01 * 10**LARGEST:  # the ends are rounded to three digits
        raise UsageError(f"The budget lies between {10**SMALLEST:.2g} and {10**LARGEST:.2g} GPU-days, not {value:g}.")
    return float(value)


def check_families(names: tuple[str, ...]) -> tuple[str, ...]:
    """These families in the order of `FAMILIES`.

    Raises:
        UsageError: there is no such family.
    """
    for name in names:
        if name not in FAMILIES:
            raise UsageError(f"There is no family {name!r}; there are {', '.join(FAMILIES)}.")
    return tuple(name for name in FAMILIES if name in names)
