"""Pictures of all methods on one space: every seed, the mean with its interval, and our order beside the published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes

from nasbook.claims.comparison import Standing
from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted, listed
from nasbook.runtime.errors import UsageError

METHOD = style.Mark("method", style.BLUE, "o")
CONTROL = style.Mark("control, not searched", style.GREY, "D")


@style.styled
def standings(found: Sequence[Standing], *, title: str = "", ax: Axes | None = None) -> Picture:
    """A row for each method and control, the best on top: a tick a seed, the mean, and its 95 % interval.

    Args:
        found: from `claims.comparison.standings`.
        title: of the axes.
        ax: where to draw, without a legend; a new figure with one otherwise.

    Raises:
        UsageError: there is nothing to draw.
    """
    if not found:
        raise UsageError("There is no method with measured cells to draw.")
    alone, ax = ax is None, style.on(ax, "wide", height=1.0 + 0.24 * len(found))
    for place, each in enumerate(found):
        _row(ax, place, each)
    ax.set_yticks(range(len(found)), labels(found))
    ax.invert_yaxis()
    ax.set(xlabel="test accuracy after training from scratch (%)", xlim=(0, 100), title=title)
    if alone:
        _legend(ax)
    return Picture(style.root(ax), _described(found, title))


def _legend(ax: Axes) -> None:
    for mark in (METHOD, CONTROL):
        ax.plot([], [], ls="", marker=mark.marker, color=mark.colour, label=mark.label)
    ax.plot([], [], ls="", marker="|", ms=8, color=style.INK, label="one seed")
    ax.plot([], [], color=style.GREY, lw=4, alpha=0.35, label="95 % interval of the mean")
    style.root(ax).legend(ncols=4, loc="outside upper center")


def labels(found: Sequence[Standing]) -> list[str]:
    """The names, with the study's where one name stands twice."""
    times = Counter(each.method for each in found)
    return [f"{each.method} ({each.study})" if times[each.method] > 1 else each.method for each in found]


def _row(ax: Axes, place: int, each: Standing) -> None:
    mark, found = CONTROL if each.control else METHOD, each.interval
    if found.spread is not None:
        ax.plot([max(0.0, found.low), min(100.0, found.high)], [place] * 2, color=mark.colour, lw=4, alpha=0.35)
    ax.plot(list(each.accuracies.values()), [place] * len(each.accuracies), "|", color=style.INK, ms=8)
    ax.plot(found.mean, place, mark.marker, color=mark.colour, ms=5.5, mec="white", mew=0.6)


def _described(found: Sequence[Standing], title: str) -> str:
    told = [
        f"{name} {each.interval.mean:.0f}{'' if each.interval.spread is None else f' ± {each.interval.spread:.0f}'}"
        for name, each in zip(labels(found), found, strict=True)
    ]
    where = f"{title}: t" if title else "T"
    return (
        f"{where}est accuracy in percent after training from scratch, mean over seeds and half of its 95 % interval, "
        f"of {counted(len(found), 'row')}: {listed(told)}."
    )


@style.styled
def orders(found: Sequence[Standing], *, ax: Axes | None = None) -> Picture:
    """Two columns of names, the published order and ours, the best on top, and a line for each method.

    Args:
        found: those with a published accuracy are drawn, at least two.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: fewer than two methods have a published accuracy.
    """
    both = [each for each in found if each.published is not None]
    if len(both) < 2:
        raise UsageError("An order needs at least two methods with a published accuracy.")
    ax = style.on(ax, "single", height=0.9 + 0.3 * len(both))
    published = sorted(both, key=lambda each: -(each.published or 0.0))
    measured = sorted(both, key=lambda each: -each.interval.mean)
    for rank, each in enumerate(published):
        here = measured.index(each)
        colour, line = (style.VERMILLION, "--") if here > rank else (style.BLUE, "-")
        ax.plot([0, 1], [rank, here], line, color=colour, marker="o")
        ax.text(-0.05, rank, f"{each.method}  {each.published:.1f}", ha="right", va="center", fontsize=8)
        ax.text(1.05, here, f"{each.interval.mean:.1f}  {each.method}", ha="left", va="center", fontsize=8)
    ax.set(xlim=(-1.1, 2.1), xticks=[0, 1], yticks=[])
    ax.set_xticklabels(["published", "here"])
    ax.xaxis.tick_top()
    ax.invert_yaxis()
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    names = [[each.method for each in order] for order in (published, measured)]
    return Picture(
        style.root(ax),
        f"The order of {counted(len(both), 'method')}, best first: published {listed(names[0])}; "
        f"here {listed(names[1])}. Dashed lines fall, solid ones rise or stay.",
    )
