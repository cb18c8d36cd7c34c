"""Pictures of searches that learn a distribution: what is still open over the epochs; curvature at equal accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.searches import History
from nasbook.figures.words import counted, listed, trend
from nasbook.runtime.errors import UsageError

Series = Mapping[str, Sequence[float]]
_SUPERNET = style.Mark("supernet", style.BLUE, "s")
_DRAWN = {
    "mixture_accuracies": style.Mark("drawn mixtures", style.SKY, "o", (6, 2)),
    "cell_accuracies": style.Mark("drawn cells", style.VERMILLION, "D", (2, 1.5)),
}
_DERIVED = style.Mark("derived cell", style.INK, "*", (5, 2, 1, 2))


@style.styled
def narrowing(histories: Mapping[str, History]) -> Picture:
    """Entropy of the expected weights, and for each search the accuracies of what is drawn from it, over the epochs.

    A band goes from the worst to the best draw, its line is their mean.

    Args:
        histories: method to its records, with `valid_accuracy` and what the instruments `spread` and
            `derived-accuracy` record.

    Raises:
        UsageError: there is no history, or one without an epoch.
    """
    if not histories or not all(len(each) for each in histories.values()):
        raise UsageError("What is still open is drawn of at least one search, and of at least one epoch.")
    axes = style.figure("wide", 1, 1 + len(histories), height=3.4)[1]
    entropies = {}
    for name, mark in style.marks(histories).items():
        entropies[mark.label] = [record["mean_entropy"] for record in histories[name]]
        line = {"color": mark.colour, "ls": mark.line, "marker": mark.marker, "label": mark.label}
        axes[0].plot(_epochs(histories[name]), entropies[mark.label], **line)
    axes[0].set(xlabel="epoch", ylabel="entropy of the mean weights (nats)", ylim=(0, None))
    axes[0].legend(loc="lower left")
    told = [f"{name}: {_bands(ax, each)}" for ax, (name, each) in zip(axes[1:], histories.items(), strict=True)]
    top = max(ax.get_ylim()[1] for ax in axes[1:])
    for ax, name in zip(axes[1:], histories, strict=True):
        ax.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(0, top), title=name)
    style.root(axes[0]).legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    for ax in axes:
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    opened = listed(f"{name} {trend(values, 2)}" for name, values in entropies.items())
    return Picture(
        style.root(axes[0]),
        f"Over {counted(len(next(iter(histories.values()))), 'epoch')} the entropy of the mean weights: {opened} nats. "
        f"Accuracies on validation images, in percent. {' '.join(told)}",
    )


def _bands(ax: Axes, history: History) -> str:
    """The accuracies of one search, and their course in words."""
    epochs, told = _epochs(history), []
    for key, mark in _DRAWN.items():
        values = np.array([record[key] for record in history])  # (epochs, draws)
        ax.fill_between(epochs, values.min(1), values.max(1), color=mark.colour, alpha=0.25, lw=0)
        _line(ax, epochs, values.mean(1), mark)
        ranges = np.ptp(values, axis=1)
        told.append(f"the mean of {mark.label} {trend(values.mean(1))}, their range {trend(ranges)}")
    for key, mark in (("valid_accuracy", _SUPERNET), ("derived_accuracy", _DERIVED)):
        values = np.array([record[key] for record in history])
        _line(ax, epochs, values, mark)
        told.append(f"the {mark.label} {trend(values)}")
    return f"{listed(told)}."


def _line(ax: Axes, epochs: Sequence[int], values: np.ndarray, mark: style.Mark) -> None:
    ax.plot(epochs, values, color=mark.colour, ls=mark.line, marker=mark.marker, ms=4, label=mark.label)


def _epochs(history: History) -> list[int]:
    return [int(record.get("epoch", place)) for place, record in enumerate(history, start=1)]


@style.styled
def at_equal_accuracy(
    searches: Mapping[str, Sequence[Series]], key: str, *, ylabel: str, ax: Axes | None = None
) -> Picture:
    """A quantity of the supernet against its accuracy: a line for each search, a dot for each epoch, a ring at the end.

    Searches that are trained unequally far are compared where their lines pass the same accuracy.

    Args:
        searches: method to its searches over seeds, each with lists `valid_accuracy` (percent) and `key`.
        key: the quantity.
        ylabel: what it is, with its unit.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no search, or one whose lists are empty or of different lengths.
    """
    if not searches or not all(searches.values()):
        raise UsageError("Curvature at equal accuracy is drawn of at least one search of each method.")
    ax = style.on(ax)
    told = []
    for name, mark in style.marks(searches).items():
        for place, each in enumerate(searches[name]):
            accuracy, values = _pair(name, each, key)
            label = mark.label if place == 0 else None
            ax.plot(accuracy, values, color=mark.colour, ls=mark.line, marker=mark.marker, ms=3, lw=1.0, label=label)
            ax.plot(accuracy[-1], values[-1], "o", ms=9, mfc="none", mec=mark.colour, mew=1.4)
        ends = np.array([[part[-1] for part in _pair(name, each, key)] for each in searches[name]])
        told.append(
            f"{mark.label} ({counted(len(ends), 'run')}) ends at {_range(ends[:, 0], 1)} % with {_range(ends[:, 1], 3)}"
        )
    ax.set(xlabel="accuracy of the supernet (%)", ylabel=ylabel)
    ax.legend()
    return Picture(
        style.root(ax), f"{ylabel[0].upper() + ylabel[1:]} against the accuracy of the supernet: {listed(told)}."
    )


def _pair(name: str, series: Series, key: str) -> tuple[Sequence[float], Sequence[float]]:
    accuracy, values = series["valid_accuracy"], series.get(key) or ()
    if not accuracy or len(accuracy) != len(values):
        raise UsageError(f"A search of {name} has not one {key!r} for each of its accuracies.")
    return accuracy, values


def _range(values: np.ndarray, digits: int) -> str:
    low, high = (f"{float(value):.{digits}f}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"
