"""Pictures of one search over its epochs: losses, accuracies, and the weights of the operations.

All take the search's history: one record an epoch, as `history.jsonl` and the events hold them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted, listed, title, trend
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Group, Space

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
def weights_over_epochs(history: History, space: Space, kind: str = "normal", *, what: str = "weights") -> Picture:
    """Every weight of a group over the epochs, as heat maps: one panel an edge, or another row.

    Args:
        history: records with `weights` and `alpha`.
        space: the search space.
        kind: a group of the space, such as "normal".
        what: "weights" in [0, 1], or "alpha", which has a map centred at 0.

    Raises:
        UsageError: no such group or quantity, or no epoch yet.
    """
    values = series(history, space, kind, what=what)  # (epochs, rows, columns)
    group = space.groups[kind]
    columns = min(len(group.rows), 5)
    rows = math.ceil(len(group.rows) / columns)
    height = 1.0 + rows * (0.55 + 0.17 * group.shape[1])
    figure, axes = style.figure("wide", rows, columns, height=height)
    limit = float(np.abs(values).max()) or 1.0
    scale = (0.0, 1.0, style.SEQUENTIAL) if what == "weights" else (-limit, limit, style.DIVERGING)
    flat = np.atleast_1d(axes).ravel()
    image: Any = None
    for index, ax in enumerate(flat):
        if index >= len(group.rows):
            ax.set_axis_off()
            continue
        image = _panel(ax, values[:, index], group.operations[index], scale, first=_epochs(history)[0])
        ax.set_title(group.rows[index], pad=3)
        if index % columns and len(set(group.operations)) == 1:
            ax.set_yticklabels([])
        if index + columns >= len(group.rows):
            ax.set_xlabel("epoch")
    label = "weight" if what == "weights" else "α"
    figure.colorbar(image, ax=list(flat), label=label, shrink=0.9, aspect=12 * rows, pad=0.01)
    return Picture(figure, _describe_weights(values, space, kind, what))


def _panel(ax: Axes, values: np.ndarray, names: Sequence[str], scale: tuple[float, float, str], *, first: int) -> Any:
    low, high, colours = scale
    extent = (first - 0.5, first + len(values) - 0.5, len(names) - 0.5, -0.5)
    image = ax.imshow(values.T, aspect="auto", cmap=colours, vmin=low, vmax=high, extent=extent)
    marks = _marks(names)
    ax.set_yticks(range(len(names)), [marks[name].label for name in names])
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    ax.grid(visible=False)
    return image


@style.styled
def bars(weights: Any, space: Space, kind: str = "normal", *, ax: Axes | None = None) -> Picture:
    """The weights of each edge, or of another row, at one moment, side by side.

    Args:
        weights: (rows, columns), a record's or a mixing's weights of this group.
        space: the search space.
        kind: a group of the space, such as "normal".
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: weights of another shape.
    """
    group = _group(space, kind)
    values, marks = style.array(weights), _marks(sum(group.operations, ()))
    if values.shape != group.shape:
        raise UsageError(f"The {title(kind)} takes weights of shape {group.shape}, not {values.shape}.")
    ax = style.on(ax, "single" if values.size <= 24 else "wide")
    wide = 0.84 / values.shape[1]
    seen: set[str] = set()
    for column in range(values.shape[1]):
        for row, names in enumerate(group.operations):
            mark = marks[names[column]]
            place = row + wide * (column - (values.shape[1] - 1) / 2)
            label = mark.label if names[column] not in seen else None
            seen.add(names[column])
            ax.bar(place, values[row, column], wide * 0.92, color=mark.colour, label=label, edgecolor="white", lw=0.3)
    ax.axhline(1 / values.shape[1], color=style.GREY, lw=0.8, ls=":")
    ax.set_xticks(range(len(group.rows)), group.rows)
    ax.set(xlabel=_noun(group), ylabel="weight", ylim=(0, max(1.0, float(values.max()))))
    ax.grid(visible=False, axis="x")
    ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    best = [
        f"{marks[names[top]].label} on {_in_words(name)} ({row[top]:.2f})"
        for name, names, row, top in zip(group.rows, group.operations, values, values.argmax(1), strict=True)
    ]
    alt = f"Weights of the {title(kind)} as bars for each {_noun(group)}. The largest: {listed(best)}."
    return Picture(style.root(ax), f"{alt} The dotted line at {1 / values.shape[1]:.2f} is where all would be equal.")


@style.styled
def mean_weights(history: History, space: Space, kind: str = "normal", *, ax: Axes | None = None) -> Picture:
    """The weight of each operation over the epochs, averaged over the edges, or other rows, that have it.

    Args:
        history: records with `weights`.
        space: the search space.
        kind: a group of the space, such as "normal".
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: no such group, or no epoch yet.
    """
    values = series(history, space, kind)
    group = space.groups[kind]
    ax = style.on(ax)
    ends: dict[str, tuple[float, float]] = {}
    top = 0.0
    for name, mark in _marks(sum(group.operations, ())).items():
        picked = np.array([[each == name for each in names] for names in group.operations])
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
    ax.set(xlabel="epoch", ylabel=f"weight, mean over {_noun(group)}s", ylim=(0, min(1.0, 1.25 * top)))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(ncols=1 + (len(ends) > 4))
    told = listed(f"{label} {trend(pair, 2)}" for label, pair in ends.items())
    leader = max(ends, key=lambda label: ends[label][1])
    alt = f"Mean weights of the {title(kind)} over {counted(len(history), 'epoch')}: {told}."
    return Picture(style.root(ax), f"{alt} {leader} has the largest mean weight at the end.")


def series(history: History, space: Space, kind: str, *, what: str = "weights") -> np.ndarray:
    """A group's weights or alpha over the epochs: (epochs, rows, columns).

    Raises:
        UsageError: no such group or quantity, no epoch yet, or a history of another space.
    """
    if what not in ("weights", "alpha"):
        raise UsageError(f"A history holds weights and alpha, not {what!r}.")
    group = _group(space, kind)
    _epochs(history)
    values = np.stack([style.array(record[what][kind]) for record in history])
    if values.shape[1:] != group.shape:
        raise UsageError(f"Space {space.name} has {what} of shape {group.shape}; this history has {values.shape[1:]}.")
    return values


def _group(space: Space, kind: str) -> Group:
    if kind not in space.groups:
        raise UsageError(f"Space {space.name} has no searched group {kind!r}; it has {', '.join(space.groups)}.")
    return space.groups[kind]


def _marks(names: Iterable[str]) -> dict[str, style.Mark]:
    """How the columns of a group are drawn: operations as everywhere, parents and others in what is left."""
    names = list(dict.fromkeys(names))
    others = style.marks(name for name in names if name not in style.OPERATIONS)
    return {name: style.OPERATIONS.get(name) or others[name] for name in names}


def _noun(group: Group) -> str:
    """What a row is."""
    return "edge" if all("→" in row for row in group.rows) else "row"


def _in_words(row: str) -> str:
    return row.replace("→", " to ")


def _epochs(history: History) -> list[int]:
    """The number of each epoch: as recorded, or counted from 1."""
    if not history:
        raise UsageError("This search has no finished epoch yet; there is nothing to draw.")
    return [int(record.get("epoch", index)) for index, record in enumerate(history, start=1)]


def _describe_weights(values: np.ndarray, space: Space, kind: str, what: str) -> str:
    group, marks = space.groups[kind], _marks(sum(space.groups[kind].operations, ()))
    name = "Weights" if what == "weights" else "Architecture parameters α"
    first, last = values[0], values[-1]
    top = last.argmax(axis=1)
    told = listed(
        f"{_in_words(row)}: {marks[names[best]].label} {last[index, best]:.2f}"
        for index, (row, names, best) in enumerate(zip(group.rows, group.operations, top, strict=True))
    )
    return (
        f"{name} of the {title(kind)} over {counted(len(values), 'epoch')}, one heat map for each of "
        f"{counted(len(group.rows), _noun(group))}. The largest entry {trend((first.max(), last.max()), 2)}. "
        f"The largest of each {_noun(group)} at the end: {told}."
    )
