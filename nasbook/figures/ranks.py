"""Comparing architectures and strategies: two scores against each other, best so far, bars with their seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted, listed
from nasbook.runtime.errors import UsageError


@style.styled
def scatter(
    x: Any, y: Any, *, xlabel: str, ylabel: str, kendall: float, spearman: float | None = None, ax: Axes | None = None
) -> Picture:
    """Two scores of the same architectures: one point each.

    Args:
        x: (architectures,) the cheap score, such as accuracy with shared weights.
        y: (architectures,) the costly score, such as accuracy after training from scratch.
        xlabel: what x is, with its unit.
        ylabel: what y is, with its unit.
        kendall: Kendall's rank correlation of both.
        spearman: Spearman's rank correlation of both.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: the two have different lengths, or fewer than two points.
    """
    xs, ys = style.array(x), style.array(y)
    if xs.shape != ys.shape or xs.ndim != 1 or len(xs) < 2:
        raise UsageError(f"A scatter takes two equally long lists of at least 2 scores, not {xs.shape} and {ys.shape}.")
    ax = style.on(ax, "square")
    ax.plot(xs, ys, ls="", marker="o", ms=5, color=style.BLUE, mec="white", mew=0.6, alpha=0.85)
    words = f"Kendall's τ = {kendall:.2f}" + ("" if spearman is None else f"\nSpearman's ρ = {spearman:.2f}")
    ax.annotate(words, (0.03, 0.97), xycoords="axes fraction", va="top", fontsize=8, bbox={"fc": "white", "ec": "none"})
    ax.set(xlabel=xlabel, ylabel=ylabel)
    across, down = (label.partition(" (")[0] for label in (xlabel, ylabel))
    best = int(xs.argmax())
    place = 1 + int((ys > ys[best]).sum())
    alt = (
        f"{counted(len(xs), 'architecture')}: {down} against {across}. {words.replace(chr(10), ', ')}: "
        f"the two orders {_agreement(kendall)}. The best by {across} is number {place} of {len(xs)} by {down}."
    )
    return Picture(style.root(ax), alt)


def _agreement(kendall: float) -> str:
    if kendall < -0.3:
        return "are rather opposite"
    words = ((0.1, "have little to do with each other"), (0.4, "agree a little"), (0.7, "agree in part"))
    return next((word for limit, word in words if kendall < limit), "agree well")


@style.styled
def best_so_far(
    histories: Mapping[str, Any], *, ylabel: str = "best validation accuracy (%)", ax: Axes | None = None
) -> Picture:
    """The best score so far over the evaluations of several strategies: mean and range over seeds.

    Args:
        histories: strategy to (seeds, evaluations) best scores so far; those of `style.METHODS` keep their colours.
        ylabel: what the score is, with its unit.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no strategy, or one has no evaluation.
    """
    runs = {name: np.atleast_2d(style.array(values)) for name, values in histories.items()}
    if not runs or not all(values.size for values in runs.values()):
        raise UsageError("Each strategy needs best scores so far of shape (seeds, evaluations).")
    ax = style.on(ax)
    told, ends = [], {}
    for name, mark in style.marks(runs).items():
        values = runs[name]
        steps, mean = np.arange(1, values.shape[1] + 1), values.mean(axis=0)
        every = max(1, len(mean) // 8)
        if len(values) > 1:
            ax.fill_between(steps, values.min(axis=0), values.max(axis=0), color=mark.colour, alpha=0.15, lw=0)
        ax.plot(steps, mean, color=mark.colour, ls=mark.line, marker=mark.marker, markevery=every, label=mark.label)
        ends[mark.label] = float(mean[-1])
        told.append(f"{mark.label} from {mean[0]:.1f} to {mean[-1]:.1f} ({counted(len(values), 'seed')})")
    ax.set(xlabel="architectures evaluated", ylabel=ylabel)
    ax.legend()
    best = max(ends, key=lambda label: ends[label])
    alt = f"{ylabel[0].upper() + ylabel[1:]} over the architectures evaluated, mean over seeds with their range: "
    return Picture(style.root(ax), f"{alt}{listed(told)}. {best} ends highest.")


@style.styled
def bars(
    scores: Mapping[str, Sequence[float]], *, ylabel: str = "test accuracy (%)", ax: Axes | None = None
) -> Picture:
    """The mean score of each method as a bar, each seed as a dot.

    Bars start at 0, so that their lengths can be compared; the seeds' dots tell how much to trust a difference.

    Args:
        scores: method to its scores over seeds.
        ylabel: what the score is, with its unit.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no method, or one has no score.
    """
    values = {name: style.array(each) for name, each in scores.items()}
    if not values or not all(each.size for each in values.values()):
        raise UsageError("Each bar needs at least one score.")
    ax = style.on(ax, "single" if len(values) <= 6 else "wide")
    told = []
    for place, (name, mark) in enumerate(style.marks(values).items()):
        each = values[name].ravel()
        ax.bar(place, each.mean(), 0.62, color=mark.colour, alpha=0.55, edgecolor=mark.colour)
        spread = 0.12 * (np.arange(len(each)) - (len(each) - 1) / 2) / max(1, len(each) / 4)
        ax.plot(place + spread, each, ls="", marker=mark.marker, color=style.INK, ms=4)
        told.append(f"{mark.label} {each.mean():.1f} ({counted(len(each), 'seed')})")
    ax.set_xticks(range(len(values)), [mark.label.replace(", ", ",\n") for mark in style.marks(values).values()])
    ax.set(ylabel=ylabel)
    ax.grid(visible=False, axis="x")
    means = {mark.label: float(values[name].mean()) for name, mark in style.marks(values).items()}
    best = max(means, key=lambda label: means[label])
    return Picture(
        style.root(ax), f"{ylabel[0].upper() + ylabel[1:]}, mean over seeds: {listed(told)}. {best} is highest."
    )
