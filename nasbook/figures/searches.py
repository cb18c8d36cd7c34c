"""Pictures of one search over its epochs: losses, accuracies, and the weights of the operations.

All take the search's history: one record an epoch, as `history.jsonl` and the events hold them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import TITLES, counted, listed, trend
from nasbook.runtime.errors import UsageError
from nasbook.spaces import SearchSpace

History = Sequence[Mapping[str, Any]]
MEASURES = {"loss": ("loss (nats)", "nats", 2), "accuracy": ("accuracy (%)", "%", 1)}
_HALVES = {
    "train": style.Mark("training half", style.BLUE, "s"),
    "valid": style.Mark("validation half", style.VERMILLION, "o", (6, 2)),
}


@style.styled
def curves(history: History, measure: str = "accuracy", *, ax: Axes | None = None) -> Picture:
    """Loss or accuracy of the supernet on both halves of the data.

    Args:
        history: records with `train_...` and `valid_...` of the measure.
        measure: "accuracy" in percent or "loss" in nats.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: no such measure, or no epoch yet.
    """
    if measure not in MEASURES:
        raise UsageError(f"A search's curves show {' or '.join(MEASURES)}, not {measure!r}.")
    epochs = _epochs(history)
    ax = style.on(ax)
    label, unit, digits = MEASURES[measure]
    told = []
    for half, mark in _HALVES.items():
        values = np.array([float(record[f"{half}_{measure}"]) for record in history])
        ax.plot(epochs, values, color=mark.colour, linestyle=mark.line, marker=mark.marker, label=mark.label)
        told.append(f"on the {mark.label} it {trend(values, digits)} {unit}")
    ax.set(xlabel="epoch", ylabel=f"supernet's {label}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    gap = float(history[-1][f"train_{measure}"]) - float(history[-1][f"valid_{measure}"])
    alt = f"The supernet's {measure} over {counted(len(epochs), 'epoch')}: {listed(told)}"
    return Picture(style.root(ax), f"{alt}. The halves end {abs(gap):.{digits}f} {unit} apart.")


@style.styled
def weights_over_epochs(
    history: History, space: SearchSpace, kind: str = "normal", *, what: str = "weights"
) -> Picture:
    """Every operation weight of every edge over the epochs, as heat maps: one panel an edge.

    Args:
        history: records with `weights` and `alpha`.
        space: the search space.
        kind: "normal" or "reduce".
        what: "weights" in [0, 1], or "alpha", which has a map centred at 0.

    Raises:
        UsageError: no such group or quantity, or no epoch yet.
    """
    values = series(history, space, kind, what=what)  # (epochs, edges, operations)
    cell = space.groups[kind]
    columns = min(len(cell.edges), 5)
    rows = math.ceil(len(cell.edges) / columns)
    height = 1.0 + rows * (0.55 + 0.17 * cell.shape[1])
    figure, axes = style.figure("wide", rows, columns, height=height)
    limit = float(np.abs(values).max()) or 1.0
    scale = (0.0, 1.0, style.SEQUENTIAL) if what == "weights" else (-limit, limit, style.DIVERGING)
    flat = np.atleast_1d(axes).ravel()
    image: Any = None
    for index, ax in enumerate(flat):
        if index >= len(cell.edges):
            ax.set_axis_off()
            continue
        image = _panel(ax, values[:, index], cell.operations[index], scale, first=_epochs(history)[0])
        ax.set_title("{} → {}".format(*cell.edges[index]), pad=3)
        if index % columns and len(set(cell.operations)) == 1:
            ax.set_yticklabels([])
        if index + columns >= len(cell.edges):
            ax.set_xlabel("epoch")
    label = "operation weight" if what == "weights" else "α"
    figure.colorbar(image, ax=list(flat), label=label, shrink=0.9, aspect=12 * rows, pad=0.01)
    return Picture(figure, _describe_weights(values, space, kind, what))


def _panel(ax: Axes, values: np.ndarray, names: Sequence[str], scale: tuple[float, float, str], *, first: int) -> Any:
    low, high, colours = scale
    extent = (first - 0.5, first + len(values) - 0.5, len(names) - 0.5, -0.5)
    image = ax.imshow(values.T, aspect="auto", cmap=colours, vmin=low, vmax=high, extent=extent)
    ax.set_yticks(range(len(names)), [style.operation(name).label for name in names])
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    ax.grid(visible=False)
    return image


@style.styled
def bars(weights: Any, space: SearchSpace, kind: str = "normal", *, ax: Axes | None = None) -> Picture:
    """The operation weights of each edge at one moment, side by side.

    Args:
        weights: (edges, operations), a record's or a mixing's weights of this group.
        space: the search space.
        kind: "normal" or "reduce".
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: weights of another shape.
    """
    cell = _group(space, kind)
    values = style.array(weights)
    if values.shape != cell.shape:
        raise UsageError(f"The {TITLES[kind]} takes weights of shape {cell.shape}, not {values.shape}.")
    ax = style.on(ax, "single" if values.size <= 24 else "wide")
    wide = 0.84 / values.shape[1]
    seen: set[str] = set()
    for column in range(values.shape[1]):
        for edge, names in enumerate(cell.operations):
            mark = style.operation(names[column])
            place = edge + wide * (column - (values.shape[1] - 1) / 2)
            label = mark.label if names[column] not in seen else None
            seen.add(names[column])
            ax.bar(place, values[edge, column], wide * 0.92, color=mark.colour, label=label, edgecolor="white", lw=0.3)
    ax.axhline(1 / values.shape[1], color=style.GREY, lw=0.8, ls=":")
    ax.set_xticks(range(len(cell.edges)), ["{}→{}".format(*edge) for edge in cell.edges])
    ax.set(xlabel="edge", ylabel="operation weight", ylim=(0, max(1.0, float(values.max()))))
    ax.grid(visible=False, axis="x")
    ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    best = [
        f"{style.operation(names[top]).label} on {edge[0]} to {edge[1]} ({row[top]:.2f})"
        for edge, names, row, top in zip(cell.edges, cell.operations, values, values.argmax(1), strict=True)
    ]
    alt = f"Operation weights of the {TITLES[kind]} as bars for each edge. The largest: {listed(best)}."
    return Picture(style.root(ax), f"{alt} The dotted line at {1 / values.shape[1]:.2f} is where all would be equal.")


@style.styled
def mean_weights(history: History, space: SearchSpace, kind: str = "normal", *, ax: Axes | None = None) -> Picture:
    """The weight of each operation over the epochs, averaged over the edges that have it.

    Args:
        history: records with `weights`.
        space: the search space.
        kind: "normal" or "reduce".
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: no such group, or no epoch yet.
    """
    values = series(history, space, kind)
    cell = space.groups[kind]
    ax = style.on(ax)
    ends: dict[str, tuple[float, float]] = {}
    top = 0.0
    for name in dict.fromkeys(sum(cell.operations, ())):
        mark = style.operation(name)
        picked = np.array([[each == name for each in names] for names in cell.operations])
        mean = values[:, picked].mean(axis=1)
        ends[mark.label], top = (float(mean[0]), float(mean[-1])), max(top, float(mean.max()))
        every = max(1, len(mean) // 8)
        ax.plot(
            _epochs(history),
            mean,
            color=mark.colour,
            ls=mark.line,
            marker=mark.marker,
            markevery=every,
            label=mark.label,
        )
    ax.set(xlabel="epoch", ylabel="weight, mean over edges", ylim=(0, min(1.0, 1.25 * top)))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(ncols=1 + (len(ends) > 4))
    told = listed(f"{label} {trend(pair, 2)}" for label, pair in ends.items())
    leader = max(ends, key=lambda label: ends[label][1])
    alt = f"Mean operation weights of the {TITLES[kind]} over {counted(len(history), 'epoch')}: {told}."
    return Picture(style.root(ax), f"{alt} {leader} has the largest mean weight at the end.")


def series(history: History, space: SearchSpace, kind: str, *, what: str = "weights") -> np.ndarray:
    """A group's weights or alpha over the epochs: (epochs, edges, operations).

    Raises:
        UsageError: no such group or quantity, no epoch yet, or a history of another space.
    """
    if what not in ("weights", "alpha"):
        raise UsageError(f"A history holds weights and alpha, not {what!r}.")
    cell = _group(space, kind)
    _epochs(history)
    values = np.stack([style.array(record[what][kind]) for record in history])
    if values.shape[1:] != cell.shape:
        raise UsageError(f"Space {space.name} has {what} of shape {cell.shape}; this history has {values.shape[1:]}.")
    return values


def _group(space: SearchSpace, kind: str) -> Any:
    if kind not in space.groups:
        raise UsageError(f"Space {space.name} has no searched {kind!r} cell; it has {', '.join(space.groups)}.")
    return space.groups[kind]


def _epochs(history: History) -> list[int]:
    """The number of each epoch: as recorded, or counted from 1."""
    if not history:
        raise UsageError("This search has no finished epoch yet; there is nothing to draw.")
    return [int(record.get("epoch", index)) for index, record in enumerate(history, start=1)]


def _describe_weights(values: np.ndarray, space: SearchSpace, kind: str, what: str) -> str:
    cell = space.groups[kind]
    name = "Operation weights" if what == "weights" else "Architecture parameters α"
    first, last = values[0], values[-1]
    top = last.argmax(axis=1)
    told = listed(
        f"{source} to {target}: {style.operation(names[best]).label} {last[index, best]:.2f}"
        for index, ((source, target), names, best) in enumerate(zip(cell.edges, cell.operations, top, strict=True))
    )
    return (
        f"{name} of the {TITLES[kind]} over {counted(len(values), 'epoch')}, one heat map for each of "
        f"{counted(len(cell.edges), 'edge')}. The largest entry {trend((first.max(), last.max()), 2)}. "
        f"The largest of each edge at the end: {told}."
    )
