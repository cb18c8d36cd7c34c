"""How searches fail, over seeds: scores of cells in several spaces, and a quantity over the steps of searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted, listed, trend
from nasbook.runtime.errors import UsageError

_GROUP = 0.8  # of the distance between two groups is taken by bars


@style.styled
def by_group(
    scores: Mapping[str, Mapping[str, Sequence[float]]], *, ylabel: str = "test accuracy (%)", ax: Axes | None = None
) -> Picture:
    """Bars in groups: the mean of each kind of cell in each space, every run a dot.

    Args:
        scores: group (a space) to kind (such as "derived") to its scores over seeds; all groups have the same kinds.
        ylabel: what the score is, with its unit.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no group, groups have different kinds, or one has no score.
    """
    kinds = list(next(iter(scores.values()), {}))
    if not kinds or any(list(each) != kinds or not all(map(len, each.values())) for each in scores.values()):
        raise UsageError("Every group needs at least one score of each kind, and all groups the same kinds.")
    ax = style.on(ax, "wide")
    wide = _GROUP / len(kinds)
    for place, (kind, mark) in enumerate(style.marks(kinds).items()):
        centres = np.arange(len(scores)) + wide * (place - (len(kinds) - 1) / 2)
        values = [style.array(each[kind]) for each in scores.values()]
        means = [each.mean() for each in values]
        ax.bar(centres, means, 0.9 * wide, color=mark.colour, alpha=0.5, edgecolor=mark.colour, label=mark.label)
        for centre, each in zip(centres, values, strict=True):
            spread = np.linspace(-0.25, 0.25, len(each)) * wide if len(each) > 1 else np.zeros(1)
            ax.plot(centre + spread, each, ls="", marker=mark.marker, color=style.INK, ms=3.2)
    ax.set_xticks(range(len(scores)), list(scores))
    ax.set(ylabel=ylabel)
    ax.grid(visible=False, axis="x")
    ax.legend(ncols=len(kinds), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    told = [
        f"{group}: " + listed(f"{kind} {np.mean(each[kind]):.1f} ({counted(len(each[kind]), 'run')})" for kind in kinds)
        for group, each in scores.items()
    ]
    return Picture(style.root(ax), f"{ylabel[0].upper() + ylabel[1:]}, means over runs. {'; '.join(told)}.")


@style.styled
def over_steps(
    searches: Mapping[str, Sequence[Mapping[str, Any]]],
    key: str,
    *,
    steps: Mapping[str, int],
    ylabel: str,
    ax: Axes | None = None,
) -> Picture:
    """One recorded quantity over the steps of searches whose epochs differ in length.

    Lines are means over the runs and bands go from the lowest to the highest run.

    Args:
        searches: name to runs with lists `epoch` and `key`, which all runs of a name have at the same epochs.
        key: the quantity.
        steps: name to the steps of an epoch.
        ylabel: what the quantity is, with its unit.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: a name has no run, runs with different epochs, or a run without the quantity.
    """
    ax = style.on(ax)
    told = []
    for name, mark in style.marks(searches).items():
        values = _values(name, searches[name], key)
        at = steps[name] * np.asarray(searches[name][0]["epoch"])
        every = max(1, len(at) // 8)
        ax.fill_between(at, values.min(axis=0), values.max(axis=0), color=mark.colour, alpha=0.15, lw=0)
        mean = values.mean(axis=0)
        ax.plot(at, mean, color=mark.colour, ls=mark.line, marker=mark.marker, markevery=every, label=mark.label)
        told.append(f"{mark.label} ({counted(len(values), 'run')}, {at[-1]:,} steps) {trend(mean, 2)}")
    ax.set(xlabel="steps", ylabel=ylabel)
    ax.legend()
    return Picture(style.root(ax), f"{ylabel[0].upper() + ylabel[1:]} over the steps, means over runs: {listed(told)}.")


def _values(name: str, runs: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    """(runs, epochs) of a quantity."""
    if not runs or any(list(run["epoch"]) != list(runs[0]["epoch"]) for run in runs):
        raise UsageError(f"{name} needs at least one run, and all with the same epochs.")
    rows = [run.get(key) or [] for run in runs]
    if any(len(row) != len(runs[0]["epoch"]) or None in row for row in rows):
        raise UsageError(f"A run of {name} has no {key!r} for each of its epochs.")
    return style.array(rows)
