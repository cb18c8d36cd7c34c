"""Sharpness: the loss on the way to an architecture, the surface around a search, the eigenvalue over epochs.

The three pictures of Zela et al. 2020 (figure 4) and Chen & Hsieh 2020 (figures 1 and 2), each with what the lecture
leaves out beside it: the gradient term, one colour scale, and controls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted, trend
from nasbook.instruments import Landscape, Line
from nasbook.runtime.errors import UsageError

Run = Mapping[str, Any]
MEASURES = {"accuracy": ("accuracy (%)", "%", 1), "loss": ("loss (nats)", "nats", 2)}
COLOURS = {"accuracy": style.SEQUENTIAL, "loss": f"{style.SEQUENTIAL}_r"}  # bright is good in both
MEASURED = style.Mark("measured", style.BLUE, "o")
TAYLOR = {
    False: style.Mark("Taylor, ½ t² d′Hd alone", style.VERMILLION, "", (6, 2)),
    True: style.Mark("Taylor with the gradient term", style.ORANGE, "", (2, 1.5)),
}
RUNS = style.Mark("search", style.BLUE, "o")
CONTROLS = style.Mark("α frozen", style.GREY, "s", (4, 2))
LEVELS = 13
DIRECTIONS = {"eigenvector": "top eigenvector", "gradient": "gradient"}
_COORDINATES = {"alpha": "α", "mixing": "the operation weights"}


@style.styled
def line(measured: Line, *, at: int | None = None, axes: Sequence[Axes] | None = None) -> Picture:
    """Loss with both Taylor estimates, and accuracy, from where a search stands (t = 0) to an architecture (t = 1).

    Args:
        measured: of `instruments.line`.
        at: the point to mark on all curves, by its index.
        axes: where to draw, two of one figure; a new figure without them.

    Raises:
        UsageError: there is no such point.
    """
    if at is not None and not 0 <= at < len(measured.t):
        raise UsageError(f"The line has the points 0 to {len(measured.t) - 1}, not {at}.")
    loss, accuracy = style.figure("wide", 1, 2)[1] if axes is None else axes
    curves: list[tuple[Sequence[float], style.Mark, Axes]] = [(measured.loss, MEASURED, loss)]
    curves += [(measured.taylor(gradient=gradient).tolist(), mark, loss) for gradient, mark in TAYLOR.items()]
    curves.append((measured.accuracy, MEASURED, accuracy))
    for values, mark, ax in curves:
        ax.plot(measured.t, values, color=mark.colour, ls=mark.line, marker=mark.marker, ms=3.2, label=mark.label)
        if at is not None:
            ax.plot(measured.t[at], values[at], "o", ms=8, mfc="none", mec=mark.colour, mew=1.6)
    loss.set(xlabel="t", ylabel="loss (nats)")
    accuracy.set(xlabel="t", ylabel="accuracy (%)", ylim=(0, None))
    loss.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
    return Picture(style.root(loss), _line_words(measured, at))


def _line_words(measured: Line, at: int | None) -> str:
    alt = (
        f"From the operation weights of the search, t = 0, to the architecture, t = 1, {measured.length:.2f} away: the "
        f"loss {trend(measured.loss, 2)} nats, the accuracy {trend(measured.accuracy)} %. The gap of "
        f"{measured.gap:.2f} nats is estimated as {measured.estimated_gap():.2f} by the curvature alone and "
        f"{measured.estimated_gap(gradient=True):.2f} with the gradient term {measured.slope:.2f}; half the largest "
        f"eigenvalue times the squared distance is {measured.bound:.2f}."
    )
    if at is None:
        return alt
    return f"{alt} Marked: t = {measured.t[at]:.2f}, {measured.loss[at]:.2f} nats, {measured.accuracy[at]:.1f} %."


@style.styled
def landscape(
    surfaces: Landscape | Mapping[str, Landscape],
    measure: str = "accuracy",
    *,
    at: tuple[int, int] | None = None,
    axes: Sequence[Axes] | None = None,
) -> Picture:
    """Surfaces around searches as filled contours, side by side in one colour scale.

    Args:
        surfaces: of `instruments.landscape`; several by name.
        measure: "accuracy" in percent or "loss" in nats.
        at: (row, column) of a grid point to mark.
        axes: where to draw, one for each surface, of one figure; a new figure without them.

    Raises:
        UsageError: no such measure or point, no surface, or as many axes as there are not.
    """
    named = {"": surfaces} if isinstance(surfaces, Landscape) else dict(surfaces)
    if measure not in MEASURES:
        raise UsageError(f"A landscape shows {' or '.join(MEASURES)}, not {measure!r}.")
    if not named or (axes is not None and len(axes) != len(named)):
        raise UsageError("A landscape needs at least one surface, and one axes for each where axes are given.")
    if axes is None:
        size = "square" if len(named) == 1 else "wide"
        drawn = style.figure(size, 1, len(named), height=3.6 if len(named) == 1 else 0.9 + 6.6 / len(named))[1]
        axes = list(np.atleast_1d(drawn))
    label, unit, digits = MEASURES[measure]
    values = {name: np.asarray(getattr(surface, measure)) for name, surface in named.items()}
    levels = _levels(values.values())
    filled: Any = None
    for ax, (name, surface) in zip(axes, named.items(), strict=True):
        filled = ax.contourf(surface.offsets, surface.offsets, values[name], levels=levels, cmap=COLOURS[measure])
        _mark(ax, surface, at)
        ax.set(xlabel=DIRECTIONS[surface.direction], title=name, aspect="equal")
        ax.grid(visible=False)
    axes[0].set_ylabel("random, orthogonal")
    style.root(axes[0]).colorbar(filled, ax=list(axes), label=label, shrink=0.9, pad=0.02)
    told = [_surface_words(name, named[name], each, unit, digits, at) for name, each in values.items()]
    shared = " All have one colour scale." if len(named) > 1 else ""
    return Picture(style.root(axes[0]), f"{label.split(' (')[0].capitalize()} around {'; '.join(told)}.{shared}")


def _levels(grids: Iterable[np.ndarray]) -> np.ndarray:
    """Round contour levels over the values of all surfaces."""
    everything = np.concatenate([each.ravel() for each in grids])
    low, high = float(everything.min()), float(everything.max())
    return np.asarray(MaxNLocator(LEVELS).tick_values(low, high if high > low else low + 1.0))


def _mark(ax: Axes, surface: Landscape, at: tuple[int, int] | None) -> None:
    ax.plot(0, 0, "+", ms=10, mew=2, color="white")
    ax.plot(0, 0, "+", ms=9, mew=1, color=style.INK)
    if at is None:
        return
    last = len(surface.offsets) - 1
    if not all(0 <= place <= last for place in at):
        raise UsageError(f"The surface has rows and columns 0 to {last}, not {at}.")
    row, column = at
    ax.plot(surface.offsets[column], surface.offsets[row], "o", ms=9, mfc="none", mec="white", mew=2.6)
    ax.plot(surface.offsets[column], surface.offsets[row], "o", ms=9, mfc="none", mec=style.VERMILLION, mew=1.4)


def _surface_words(
    name: str, surface: Landscape, values: np.ndarray, unit: str, digits: int, at: tuple[int, int] | None
) -> str:
    middle, way = len(surface.offsets) // 2, DIRECTIONS[surface.direction]
    first, second = (f"{ends[0]:.{digits}f} and {ends[-1]:.{digits}f}" for ends in (values[middle], values[:, middle]))
    told = (
        f"{name or 'where the search stands'}, {surface.radius:g} each way in {_COORDINATES[surface.coordinates]}: "
        f"{values[middle, middle]:.{digits}f} {unit} in the middle, {first} at the ends of the {way}, {second} at "
        f"those of the random direction, and everywhere between {values.min():.{digits}f} and {values.max():.{digits}f}"
    )
    return told if at is None else f"{told}; marked: {values[at]:.{digits}f} {unit}"


@style.styled
def three_panels(
    runs: Sequence[Run],
    controls: Sequence[Run] = (),
    *,
    labels: tuple[str, str] = (RUNS.label, CONTROLS.label),
    axes: Sequence[Axes] | None = None,
) -> Picture:
    """Over the epochs: validation error of the supernet, test error of the derived architecture, dominant eigenvalue.

    Lines are means over the runs and bands go from the lowest to the highest run.

    Args:
        runs: each with lists `epoch`, `valid_accuracy` (percent), `eigenvalue`, and, where derived architectures were
            trained from scratch, `retrained`: (epoch, test accuracy in percent) pairs.
        controls: the same of searches that the picture compares with.
        labels: of the runs and of the controls.
        axes: where to draw, three of one figure; a new figure without them.

    Raises:
        UsageError: there is no run, or one without an epoch or with lists of different lengths.
    """
    if not runs:
        raise UsageError("The three panels need at least one run.")
    panels = style.figure("wide", 1, 3, height=2.9)[1] if axes is None else axes
    told = []
    for group, mark, label in zip((runs, controls), (RUNS, CONTROLS), labels, strict=True):
        if group:
            words = [_draw(ax, band, mark, label) for ax, band in zip(panels, bands(group), strict=True)]
            told.append((label, len(group), words))
    names = ("supernet: validation error (%)", "derived cell: test error (%)", "dominant eigenvalue")
    for ax, name in zip(panels, names, strict=True):
        ax.set(xlabel="epoch", ylabel=name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    panels[0].legend()
    sentences = [
        f"{label} ({counted(count, 'run')}): the supernet's validation error {words[0]}, the test error of the derived "
        f"cell {words[1]}, the dominant eigenvalue {words[2]}."
        for label, count, words in told
    ]
    return Picture(style.root(panels[0]), f"Means over runs, by epoch. {' '.join(sentences)}")


Band = Mapping[int, Sequence[float]]


def bands(runs: Sequence[Run]) -> tuple[Band, Band, Band]:
    """The three quantities of some runs, epoch to the values of the runs that have one there, epochs ascending.

    Returns:
        Validation error of the supernet and test error of the derived architecture in percent, dominant eigenvalue.

    Raises:
        UsageError: a run has no epoch or lists of different lengths.
    """
    supernet: list[tuple[int, float]] = []
    derived: list[tuple[int, float]] = []
    eigenvalue: list[tuple[int, float]] = []
    for run in runs:
        lengths = {len(run[key]) for key in ("epoch", "valid_accuracy", "eigenvalue")}
        if len(lengths) != 1 or 0 in lengths:
            raise UsageError("A run needs one validation accuracy and one eigenvalue for each of its epochs.")
        supernet += [(epoch, 100 - value) for epoch, value in zip(run["epoch"], run["valid_accuracy"], strict=True)]
        eigenvalue += list(zip(run["epoch"], run["eigenvalue"], strict=True))
        derived += [(epoch, 100 - value) for epoch, value in run.get("retrained", ())]
    return _by_epoch(supernet), _by_epoch(derived), _by_epoch(eigenvalue)


def _by_epoch(pairs: Sequence[tuple[int, float]]) -> Band:
    found: dict[int, list[float]] = {}
    for epoch, value in sorted(pair for pair in pairs if pair[1] is not None):
        found.setdefault(int(epoch), []).append(float(value))
    return found


def _draw(ax: Axes, band: Band, mark: style.Mark, label: str) -> str:
    """One quantity of one group of runs, and its course in words."""
    if not band:
        return "was not measured"
    epochs, rows = list(band), list(band.values())
    mean = np.array([np.mean(row) for row in rows])
    ax.fill_between(epochs, [min(row) for row in rows], [max(row) for row in rows], color=mark.colour, alpha=0.18, lw=0)
    few = len(epochs) <= 12
    ax.plot(epochs, mean, color=mark.colour, ls=mark.line, marker=mark.marker if few else "", label=label)
    return f"{trend(mean, 2)} (at the end {min(rows[-1]):.2f} to {max(rows[-1]):.2f})"
