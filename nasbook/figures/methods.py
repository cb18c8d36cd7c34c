"""Pictures of methods beside each other: the supernet, and the architecture that is read off it, with the same weights.

The distance of the two accuracies is the discretisation gap: what a search trained and does not keep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted, listed, trend
from nasbook.runtime.errors import UsageError

History = Sequence[Mapping[str, Any]]
SUPERNET = style.Mark("supernet", style.BLUE, "s")
ONE_HOT = style.Mark("derived cell, same weights", style.VERMILLION, "o", (6, 2))
_KEYS = {"valid_accuracy": SUPERNET, "derived_accuracy": ONE_HOT}
_WHOSE = {"valid_accuracy": "the supernet's", "derived_accuracy": "the derived cell's"}


@style.styled
def over_epochs(histories: Mapping[str, History]) -> Picture:
    """Accuracy of the supernet and of the derived cell with its weights over the epochs, a panel for each search.

    Args:
        histories: name of a search to its records with `valid_accuracy` and `derived_accuracy`, percent.

    Raises:
        UsageError: there is no search, or a record without one of the two (instrument "derived-accuracy").
    """
    if not histories or not all(histories.values()):
        raise UsageError("There is no search with a finished epoch to draw.")
    if not all(key in record for history in histories.values() for record in history for key in _KEYS):
        raise UsageError('Each record needs derived_accuracy: search with the instrument "derived-accuracy".')
    figure, axes = style.figure("wide", 1, len(histories), height=3.0)
    panels = list(np.atleast_1d(axes))
    told = [_courses(ax, name, history) for ax, (name, history) in zip(panels, histories.items(), strict=True)]
    top = max(float(record[key]) for history in histories.values() for record in history for key in _KEYS)
    for ax in panels:
        ax.set(xlabel="epoch", ylim=(0, min(105.0, 1.1 * top)))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    panels[0].set_ylabel("validation accuracy (%)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return Picture(figure, f"Validation accuracy over the epochs, with the same weights. {' '.join(told)}")


def _courses(ax: Axes, name: str, history: History) -> str:
    """Both lines of one search, and their courses in words."""
    epochs = [int(record.get("epoch", place)) for place, record in enumerate(history, start=1)]
    words = []
    for key, mark in _KEYS.items():
        values = [float(record[key]) for record in history]
        every = max(1, len(values) // 8)
        ax.plot(epochs, values, color=mark.colour, ls=mark.line, marker=mark.marker, markevery=every, label=mark.label)
        words.append(f"{_WHOSE[key]} {trend(values, 0)} %")
    ax.set_title(name)
    return f"{name}: {', '.join(words)}."


@style.styled
def gaps(runs: Sequence[Mapping[str, float]], methods: Sequence[str], *, ax: Axes | None = None) -> Picture:
    """For each method two bars, supernet and derived cell with the same weights: means over runs, each run a point.

    Args:
        runs: values of the study of the methods' order (`claims.studies.order`), of which `M_supernet` and `M_one_hot`
            of each method M are read, percent.
        methods: names of recipes, in the order of the picture.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no run or no method, or a run did not measure one.
    """
    if not runs or not methods:
        raise UsageError("The picture needs at least one run and one method.")
    keys = {"supernet": SUPERNET, "one_hot": ONE_HOT}
    absent = [method for method in methods if not all(f"{method}_{key}" in run for run in runs for key in keys)]
    if absent:
        raise UsageError(f"These runs did not measure {listed(absent)}.")
    ax = style.on(ax, "wide")
    means = {}
    for side, (key, mark) in zip((-1, 1), keys.items(), strict=True):
        values = np.array([[run[f"{method}_{key}"] for method in methods] for run in runs])  # (runs, methods)
        _bars(ax, values, mark, shift=0.2 * side)
        means[key] = values.mean(0)
    ax.set_xticks(range(len(methods)), list(methods))
    ax.set(ylabel="validation accuracy (%)", ylim=(0, 100))
    ax.grid(visible=False, axis="x")
    ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    told = [
        f"{method} {supernet:.0f} and {cell:.0f}"
        for method, supernet, cell in zip(methods, means["supernet"], means["one_hot"], strict=True)
    ]
    gap = means["supernet"] - means["one_hot"]
    return Picture(
        style.root(ax),
        f"Validation accuracy in percent of the supernet and of the derived cell with the same weights, means of "
        f"{counted(len(runs), 'run')}: {listed(told)}. The gap is largest for {methods[int(gap.argmax())]}, "
        f"{gap.max():.0f} points, and smallest for {methods[int(gap.argmin())]}, {gap.min():.0f}.",
    )


def _bars(ax: Axes, values: np.ndarray, mark: style.Mark, *, shift: float) -> None:
    """One bar a method at the mean over runs, and a point for each run."""
    places = np.arange(values.shape[1]) + shift
    ax.bar(places, values.mean(0), 0.36, color=mark.colour, alpha=0.5, edgecolor=mark.colour, label=mark.label)
    spread = 0.05 * (np.arange(len(values)) - (len(values) - 1) / 2)
    for offset, row in zip(spread, values, strict=True):
        ax.plot(places + offset, row, ls="", marker=mark.marker, ms=3, color=style.INK)
