"""Training shared weights: how the accuracy of paths goes on the way, and how the ranking of architectures grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.stacks import PATHS
from nasbook.figures.words import counted, listed, trend
from nasbook.runtime.errors import UsageError


@style.styled
def course(
    batches: Sequence[int],
    accuracies: Any,
    *,
    turn: int | None = None,
    names: Sequence[str] = "AB",
    ax: Axes | None = None,
) -> Picture:
    """The accuracy of paths while shared weights are trained.

    Args:
        batches: (looks,) batches trained so far.
        accuracies: (paths, looks) in percent.
        turn: the batch after which another path is trained; a line marks it.
        names: of the paths.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: the numbers of paths or looks differ.
    """
    values = style.array(accuracies)
    if values.shape != (len(names), len(batches)):
        raise UsageError(f"{len(names)} paths at {len(batches)} looks need as many accuracies, not {values.shape}.")
    ax = style.on(ax)
    told = []
    for name, row in zip(names, values, strict=True):
        mark = PATHS[name]
        ax.plot(batches, row, color=mark.colour, ls=mark.line, marker=mark.marker, label=f"path {name}")
        told.append(_told(name, batches, row, turn))
    if turn is not None:
        ax.axvline(turn, color=style.GREY, lw=1, ls=":")
    ax.set(xlabel="batches trained", ylabel="accuracy (%)", ylim=(0, None))
    ax.legend()
    return Picture(style.root(ax), f"Accuracy over the batches trained. {' '.join(told)}")


def _told(name: str, batches: Sequence[int], row: np.ndarray, turn: int | None) -> str:
    if turn is None:
        return f"Path {name} {trend(row)} %."
    after = [value for batch, value in zip(batches, row, strict=True) if batch >= turn]
    return f"Path {name} {trend(row[: len(row) - len(after) + 1])} % up to batch {turn}, then {trend(after)} %."


@style.styled
def growth(
    epochs: Sequence[int],
    correlations: Any,
    *,
    live: Mapping[int, float] | None = None,
    ceiling: float | None = None,
    ylabel: str = "Kendall's τ with training apart",
    ax: Axes | None = None,
) -> Picture:
    """A rank correlation over the epochs that a supernet was trained: mean and range over seeds.

    Args:
        epochs: (marks,) epochs trained.
        correlations: (seeds, marks).
        live: epoch to the correlation of a run of now, drawn over the stored band.
        ceiling: what a second training of each architecture reaches, as a thin line.
        ylabel: which correlation.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: the numbers of marks differ.
    """
    values = np.atleast_2d(style.array(correlations))
    if values.shape[1] != len(epochs):
        raise UsageError(f"{len(epochs)} marks need as many correlations of each seed, not {values.shape[1]}.")
    ax = style.on(ax)
    mean = values.mean(axis=0)
    ax.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=style.BLUE, alpha=0.18, lw=0)
    label = f"stored, mean and range of {counted(len(values), 'seed')}"
    ax.plot(epochs, mean, color=style.BLUE, marker="o", label=label)
    told = (
        f"{ylabel} {trend(mean, 2)} over {epochs[-1]} epochs of single paths, mean of {counted(len(values), 'seed')}."
    )
    if live:
        ax.plot(list(live), list(live.values()), color=style.VERMILLION, marker="D", ls="--", label="this run")
        told += f" The run of now has {listed(f'{value:.2f} at epoch {epoch}' for epoch, value in live.items())}."
    if ceiling is not None:
        ax.axhline(ceiling, color=style.GREY, lw=1)
        ax.annotate("a second training", (epochs[-1], ceiling), (0, 3), textcoords="offset points", ha="right", size=8)
        told += f" A second training of every architecture reaches {ceiling:.2f}."
    ax.axhline(0, color=style.LIGHT, lw=1)
    ax.set(xlabel="epochs of the supernet", ylabel=ylabel)
    ax.legend(loc="lower right")
    return Picture(style.root(ax), told)


@style.styled
def apart_and_shared(
    scores: Mapping[str, Sequence[float]], *, names: Sequence[str] = "AB", ax: Axes | None = None
) -> Picture:
    """Bars of the same paths' accuracies in several situations, side by side.

    Args:
        scores: situation, such as "trained apart", to one accuracy a path, in percent.
        names: of the paths.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: a situation has not one accuracy for each path.
    """
    if not scores or any(len(values) != len(names) for values in scores.values()):
        raise UsageError(f"Each situation needs one accuracy for each of the {len(names)} paths.")
    ax = style.on(ax, "square")
    width, hatches = 0.8 / len(names), ("", "///", "...")
    told = []
    for index, name in enumerate(names):
        places = np.arange(len(scores)) + (index - (len(names) - 1) / 2) * width
        values = [each[index] for each in scores.values()]
        look: Any = {"color": PATHS[name].colour, "alpha": 0.75, "hatch": hatches[index % 3], "edgecolor": "white"}
        drawn = ax.bar(places, values, width * 0.94, label=f"path {name}", **look)
        ax.bar_label(drawn, fmt="%.1f", fontsize=8, padding=2)
        told.append(f"path {name} " + listed(f"{value:.1f} % {at}" for at, value in zip(scores, values, strict=True)))
    ax.set_xticks(range(len(scores)), list(scores))
    ax.set(ylabel="accuracy (%)", ylim=(0, 1.22 * max(max(values) for values in scores.values())))
    ax.grid(visible=False, axis="x")
    ax.legend(loc="upper right", ncols=len(names))
    return Picture(style.root(ax), f"Accuracies: {'; '.join(told)}.")
