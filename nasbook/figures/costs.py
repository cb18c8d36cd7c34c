"""What a search costs: published GPU-days against error, and measured time and memory against operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter

from nasbook.figures import style
from nasbook.figures.drawing import Box
from nasbook.figures.picture import Picture
from nasbook.figures.words import listed, trend
from nasbook.runtime.errors import UsageError

_LABEL, _LINE = 7.5, 10.0  # points, of a label's letters and of its line
_GAPS = (3, 8, 14, 21, 29, 38, 48, 60, 74, 90)
_DIRECTIONS = [(math.sin(turn * math.pi / 8), math.cos(turn * math.pi / 8)) for turn in (0, 8, 4, 12, *range(16))]


@style.styled
def cost_error(rows: Sequence[Mapping[str, Any]], *, ax: Axes | None = None) -> Picture:
    """Published systems: test error against the GPU-days of their search, on a logarithmic axis.

    Systems without GPU-days (designed by hand, or not reported) are thin grey lines at their error.

    Args:
        rows: dictionaries with `name` (the label), `year`, `family`, `error_percent`, `error_std` and `gpu_days`;
            the last two may be None.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: no row has GPU-days.
    """
    searched = [row for row in rows if row["gpu_days"]]
    if not searched:
        raise UsageError("No row has GPU-days; there is nothing to place on the axis of cost.")
    ax = style.on(ax, "wide", height=4.8)
    ax.set_xscale("log")
    _families(ax, searched)
    ax.margins(x=0.12, y=0.12)
    others = [row for row in rows if not row["gpu_days"]]
    _grey_lines(ax, others)
    ax.set(xlabel="GPU-days of the search (log scale)", ylabel="test error on CIFAR-10 (%)")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5)
    _label_points(ax, searched)
    return Picture(style.root(ax), _describe_costs(searched, others))


def _families(ax: Axes, searched: Sequence[Mapping[str, Any]]) -> None:
    """A point for each system, marked by its class of method, with its standard deviation where there is one."""
    for name, mark in style.marks(str(row["family"]) for row in searched).items():
        family = [row for row in searched if row["family"] == name]
        days, errors = [row["gpu_days"] for row in family], [row["error_percent"] for row in family]
        spread = [row.get("error_std") or 0.0 for row in family]
        ax.errorbar(
            days,
            errors,
            spread,
            ls="",
            marker=mark.marker,
            color=mark.colour,
            ms=6.5,
            elinewidth=1,
            capsize=2,
            mec="white",
            mew=0.6,
            label=mark.label,
        )


def _grey_lines(ax: Axes, others: Sequence[Mapping[str, Any]]) -> None:
    """The errors of systems without GPU-days."""
    for row in others:
        ax.axhline(row["error_percent"], color=style.GREY, lw=0.8, ls=":", zorder=1)
        ax.annotate(
            str(row["name"]),
            (1.0, row["error_percent"]),
            xycoords=("axes fraction", "data"),
            fontsize=_LABEL,
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            color=style.GREY,
        )


def _label_points(ax: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Name every point where there is room: close by if it can be, else further off with a thin line."""
    figure = style.root(ax)
    figure.draw_without_rendering()  # the layout must be settled before distances in points mean anything
    scale = 72 / figure.dpi
    points = [ax.transData.transform((row["gpu_days"], row["error_percent"])) * scale for row in rows]
    frame = np.array(ax.get_window_extent().extents) * scale
    taken = [Box("", float(x), float(y), 11, 11) for x, y in points]
    for row, (x, y) in sorted(zip(rows, points, strict=True), key=lambda pair: (pair[1][1], pair[1][0])):
        size = (float(TextPath((0, 0), str(row["name"]), size=_LABEL).get_extents().width) + 2, _LINE)
        spots = [_beside(float(x), float(y), size, way, gap) for gap in _GAPS for way in _DIRECTIONS]
        free = [box for box in spots if _within(box, frame) and not any(box.overlaps(other) for other in taken)]
        box = min(free or spots, key=lambda spot: _detour(spot, float(x), float(y), taken))
        taken.append(box)
        far = np.hypot(max(0.0, abs(box.x - x) - box.width / 2), max(0.0, abs(box.y - y) - box.height / 2)) > 10
        words = ax.annotate(
            str(row["name"]),
            (row["gpu_days"], row["error_percent"]),
            (box.x - float(x), box.y - float(y)),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=_LABEL,
            arrowprops={"arrowstyle": "-", "color": style.GREY, "lw": 0.5, "shrinkA": 0} if far else None,
        )
        words.set_in_layout(False)  # all lie inside the frame; the layout must not move again


def _beside(x: float, y: float, size: tuple[float, float], way: tuple[float, float], gap: float) -> Box:
    across, up = way
    return Box("", x + across * (size[0] / 2 + 3 + gap * 0.7), y + up * (size[1] / 2 + 3 + gap * 0.7), *size)


def _detour(spot: Box, x: float, y: float, taken: Sequence[Box]) -> float:
    """How far a label is from its point, and through what other labels and points the line to it would run."""
    line = np.linspace((x, y), (spot.x, spot.y), 15)
    through = sum(bool(box.holds(line).any()) for box in taken if not (box.x == x and box.y == y))
    return float(np.hypot(spot.x - x, 2.5 * (spot.y - y))) + 60.0 * through


def _within(box: Box, frame: np.ndarray) -> bool:
    left, low, right, high = frame
    return bool(
        left < box.x - box.width / 2
        and box.x + box.width / 2 < right
        and low < box.y - box.height / 2
        and box.y + box.height / 2 < high
    )


def _describe_costs(rows: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> str:
    dear, cheap = (pick(rows, key=lambda row: row["gpu_days"]) for pick in (max, min))
    best = min(rows, key=lambda row: row["error_percent"])
    beside = f" Thin lines give {listed(str(row['name']) for row in others)}, without GPU-days." if others else ""
    return (
        f"Test error against GPU-days of {len(rows)} published systems, on a logarithmic axis. The most costly search "
        f"is {_told(dear)}, the cheapest {_told(cheap)}: {dear['gpu_days'] / cheap['gpu_days']:,.0f} times less. "
        f"The lowest error is {best['error_percent']:g} % ({best['name']}).{beside}"
    )


def _told(row: Mapping[str, Any]) -> str:
    return f"{row['name']} ({row['year']}) with {row['gpu_days']:,g} GPU-days and {row['error_percent']:g} %"


@style.styled
def against_operations(
    counts: Sequence[int], measured: Mapping[str, Sequence[float]], *, ylabel: str, ax: Axes | None = None
) -> Picture:
    """A measured cost of the supernet against the number of operations an edge, and what K times would be.

    Args:
        counts: (points,) numbers of operations K, ascending.
        measured: name to (points,) costs, such as seconds a step or MiB.
        ylabel: what is measured, with its unit.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: fewer than two points, or lists of different lengths.
    """
    if len(counts) < 2 or any(len(values) != len(counts) for values in measured.values()) or not measured:
        raise UsageError("The cost against K needs at least two numbers of operations and one cost for each of them.")
    ax = style.on(ax)
    ks, told = np.asarray(counts, dtype=float), []
    for name, mark in style.marks(measured).items():
        values = style.array(measured[name])
        ax.plot(ks, values, color=mark.colour, ls=mark.line, marker=mark.marker, label=mark.label)
        told.append(f"{mark.label} {trend(values, 2)}, {values[-1] / values[0]:.1f} times")
    first = style.array(next(iter(measured.values())))[0]
    ax.plot(ks, first * ks / ks[0], color=style.GREY, lw=0.9, ls=":", label="in proportion to K")
    ax.set(xlabel="operations on an edge, K", ylabel=ylabel, xticks=list(counts))
    ax.set_ylim(bottom=0)
    ax.legend()
    name = ylabel[0].upper() + ylabel[1:]
    alt = f"{name} against the number of operations on an edge, from {counts[0]} to {counts[-1]}"
    return Picture(style.root(ax), f"{alt} ({ks[-1] / ks[0]:.1f} times): {listed(told)}. Dotted: in proportion to K.")


@style.styled
def lines(
    counts: Sequence[int],
    measured: Mapping[str, Sequence[float]],
    fitted: Mapping[str, Callable[[float], float]],
    *,
    until: int,
    ax: Axes | None = None,
) -> Picture:
    """Measured memory against the number of operations an edge, and the fitted lines, drawn on beyond the points.

    Args:
        counts: (points,) numbers of operations K, ascending.
        measured: name to (points,) MiB.
        fitted: name to the line, a function of K.
        until: the K at which the lines end.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: no line is to be drawn beyond the points, or the names or lengths differ.
    """
    if set(measured) != set(fitted) or not measured or any(len(each) != len(counts) for each in measured.values()):
        raise UsageError("The lines need one memory for each number of operations, and one fit for each name.")
    if until < counts[-1]:
        raise UsageError(f"The lines end at {until} operations, before the last measured point at {counts[-1]}.")
    ax = style.on(ax)
    told = []
    for name, mark in style.marks(measured).items():
        along = [fitted[name](end) for end in (counts[0], until)]
        ax.plot(counts, style.array(measured[name]), color=mark.colour, marker=mark.marker, ls="", label=mark.label)
        ax.plot([counts[0], until], along, color=mark.colour, ls=mark.line)
        told.append(f"{mark.label} from {along[0]:,.0f} to {along[1]:,.0f} MiB")
    ax.set(xlabel="operations on an edge, K", ylabel="memory (MiB)")
    ax.set_ylim(bottom=0)
    ax.legend()
    return Picture(
        style.root(ax),
        f"Memory against the number of operations on an edge: points measured from {counts[0]} to {counts[-1]}, with "
        f"lines fitted to them and drawn on to {until}: {listed(told)}.",
    )


@style.styled
def budgets(needed: Mapping[str, float], free: Mapping[str, float], *, ax: Axes | None = None) -> Picture:
    """What some searches need, as points on a logarithmic axis, and upright lines where budgets end.

    Args:
        needed: name to MiB.
        free: name of a budget to MiB, ascending.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is nothing to draw, or an amount is not above 0.
    """
    if not needed or not free or min([*needed.values(), *free.values()]) <= 0:
        raise UsageError("What fits is drawn for at least one need and one budget, each above 0 MiB.")
    ax = style.on(ax, "wide", height=1.5 + 0.35 * len(needed))
    told, amounts = [], [*needed.values(), *free.values()]
    for place, (name, mib) in enumerate(needed.items()):
        ax.plot(mib, place, color=style.BLUE, marker="o", ls="")
        ax.annotate(f"   {mib:,.0f} MiB", (mib, place), va="center", fontsize=_LABEL)
        fits = [each for each, amount in free.items() if mib <= amount]
        told.append(f"{name} needs {mib:,.0f} MiB and fits {f'from {fits[0]} on' if fits else 'nowhere'}")
    for name, amount in free.items():
        ax.axvline(amount, color=style.VERMILLION, ls="--", lw=1)
        ax.annotate(name, (amount, 1.0), xycoords=("data", "axes fraction"), fontsize=_LABEL, ha="center", va="bottom")
    ax.set_xscale("log")
    ax.set(xlabel="memory (MiB, log scale)", xlim=(min(amounts) / 2, 3 * max(amounts)), ylim=(-0.5, len(needed) - 0.5))
    ax.set_yticks(range(len(needed)), list(needed))
    ax.invert_yaxis()
    return Picture(style.root(ax), f"Memory of searches beside budgets: {'; '.join(told)}.")
