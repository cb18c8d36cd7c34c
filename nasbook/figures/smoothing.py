"""Smoothing: how a loss rises when operation weights are perturbed, and what it does to searches over their epochs.

The pictures of Chen & Hsieh 2020: the schematic of a perturbation (figure 1), with its formulas, and the searches in
NAS-Bench-1Shot1 (figures 3 and 4). Landscapes beside each other on one scale are `figures.sharpness.landscape`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullFormatter, ScalarFormatter

from nasbook.analysis.smoothing import Perturbed, Rises
from nasbook.claims.verdicts import interval
from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted, listed, trend
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Space

Values = Mapping[str, Any]
RANDOM = style.Mark("random, mean", style.BLUE, "o")
WORST = style.Mark("worst found", style.VERMILLION, "D")
TRACE = style.Mark("r²/6 tr H", style.SKY, "", (6, 2))
EIGENVALUE = style.Mark("r²/2 λmax", style.ORANGE, "", (6, 2))
QUADRATIC = style.Mark("with the gradient", style.BLACK, "", (2, 1.5))
KINDS = {
    "random": style.Mark("random", style.BLUE, "o"),
    "adversarial": style.Mark("adversarial", style.VERMILLION, "D"),
}
METHODS = {
    "darts": style.Mark("DARTS", style.BLUE, "s"),
    "sdarts-rs": style.Mark("SDARTS-RS", style.VERMILLION, "D", (7, 2)),
    "sdarts-adv": style.Mark("SDARTS-ADV", style.GREEN, "^", (5, 2)),
}


@style.styled
def rises(measured: Rises, perturbed: Mapping[str, Sequence[float]] | None = None) -> Picture:
    """How the loss rises over the radius, measured and by formula: in a box, in a ball, and as a search does it.

    Args:
        measured: of `analysis.smoothing.rises`.
        perturbed: of `analysis.smoothing.perturbed_rises`, at the same radii; no third panel without it.

    Raises:
        UsageError: a kind of perturbation has not one rise for each radius.
    """
    perturbed = dict(perturbed or {})
    if any(len(values) != len(measured.radii) for values in perturbed.values()):
        raise UsageError(f"There is one rise for each of the {len(measured.radii)} radii.")
    _, axes = style.figure("wide", 1, 3 if perturbed else 2, height=3.3)
    _box(axes[0], measured)
    _ball(axes[1], measured)
    told = [
        f"Over the radius from {measured.radii[0]:g} to {measured.radii[-1]:g}: uniform noise raises the loss on "
        f"average by {_ends(measured.random)} nats, r²/6 times the trace {measured.trace:.2f} says "
        f"{_ends(measured.by_trace)}.",
        f"The worst shift found in a ball raises it by {_ends(measured.worst)}, r²/2 times the largest eigenvalue "
        f"{measured.eigenvalue:.2f} says {_ends(measured.by_eigenvalue)}, and with the gradient "
        f"{_ends(measured.by_quadratic)}.",
    ]
    if perturbed:
        told.append(_as_searched(axes[2], measured.radii, perturbed))
    for ax in axes:
        ax.axhline(0, color=style.GREY, lw=0.8)
        ax.set(xlabel="radius r")
        ax.legend(loc="upper left")
    axes[0].set_ylabel("rise of the loss (nats)")
    return Picture(style.root(axes[0]), " ".join(told))


def _box(ax: Axes, measured: Rises) -> None:
    ax.errorbar(
        measured.radii, measured.random, yerr=2 * np.asarray(measured.random_error), color=RANDOM.colour,
        marker=RANDOM.marker, capsize=2, label=RANDOM.label,
    )  # fmt: skip
    _line(ax, measured.radii, measured.by_trace, TRACE)
    ax.set_title("uniform noise in a box")


def _ball(ax: Axes, measured: Rises) -> None:
    for values, mark in (
        (measured.worst, WORST),
        (measured.by_eigenvalue, EIGENVALUE),
        (measured.by_quadratic, QUADRATIC),
    ):
        _line(ax, measured.radii, values, mark)
    ax.set_title("worst case in a ball")


def _as_searched(ax: Axes, radii: Sequence[float], perturbed: Mapping[str, Sequence[float]]) -> str:
    for kind, values in perturbed.items():
        _line(ax, radii, values, KINDS[kind])
    ax.set_title("as the search does it")
    return f"As the search perturbs: {listed(f'{kind} by {_ends(values)}' for kind, values in perturbed.items())}."


def _line(ax: Axes, radii: Sequence[float], values: Sequence[float], mark: style.Mark) -> None:
    ax.plot(radii, values, color=mark.colour, ls=mark.line, marker=mark.marker, label=mark.label)


def _ends(values: Sequence[float]) -> str:
    return f"{values[0]:.3f} to {values[-1]:.2f}"


@style.styled
def over_epochs(studies: Mapping[str, Sequence[Values]]) -> Picture:
    """Eigenvalue and test error of the derived architecture over the epochs, a column for each space.

    Lines are means over the seeds, bands and bars their 95 % intervals. The errors have a logarithmic axis.

    Args:
        studies: space to the values of the study of smoothing (`claims.studies.smoothing`), one a seed, of which the
            `series` are drawn.

    Raises:
        UsageError: there is no space, or one without a seed.
    """
    if not studies or not all(studies.values()):
        raise UsageError("There is no search to draw: a space needs at least one seed.")
    figure, axes = style.figure("wide", 2, len(studies), height=5.0)
    axes = np.asarray(axes).reshape(2, -1)
    told = [
        _space(list(axes[:, place]), name, [each["series"] for each in values])
        for place, (name, values) in enumerate(studies.items())
    ]
    axes[0, 0].set_ylabel("largest eigenvalue in α")
    axes[1, 0].set_ylabel("test error, derived (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return Picture(figure, f"Means over seeds, by epoch. {' '.join(told)}")


def _space(axes: Sequence[Axes], name: str, runs: Sequence[Values]) -> str:
    """The two panels of one space, and their courses in words."""
    words = []
    for place, method in enumerate(runs[0]):
        mark = METHODS[method]
        series = [run[method] for run in runs]
        epochs, means = _band(axes[0], [each["eigenvalue"] for each in series], mark)
        reached, errors = _bars(axes[1], [each["retrained"] for each in series], mark, 0.25 * (place - 1))
        words.append(
            f"{mark.label}: the eigenvalue {trend(means, 3)} (epochs {epochs[0]} to {epochs[-1]}), the error "
            f"{trend(errors)} % (epochs {reached[0]} to {reached[-1]})"
        )
    axes[0].set(title=name, ylim=(0, None))
    axes[1].set(xlabel="epoch", yscale="log")
    axes[1].yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes[1].yaxis.set_major_formatter(ScalarFormatter())
    axes[1].yaxis.set_minor_formatter(NullFormatter())
    last = max(len(run[method]["valid_accuracy"]) for run in runs for method in run)
    for ax in axes:
        ax.set_xlim(0, 1.05 * last)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return f"{name} ({counted(len(runs), 'seed')}): {listed(words)}."


def _band(ax: Axes, runs: Sequence[Sequence[Sequence[float]]], mark: style.Mark) -> tuple[list[int], list[float]]:
    """The mean of pairs of an epoch and a value as a line, its interval as a band."""
    epochs, found = _by_epoch(runs)
    means = [each.mean for each in found]
    spread = [each.spread or 0.0 for each in found]
    low, high = np.subtract(means, spread), np.add(means, spread)
    ax.fill_between(epochs, low, high, color=mark.colour, alpha=0.18, lw=0)
    ax.plot(epochs, means, color=mark.colour, ls=mark.line, marker=mark.marker, ms=3.5, label=mark.label)
    return epochs, means


def _bars(
    ax: Axes, runs: Sequence[Sequence[Sequence[Any]]], mark: style.Mark, shift: float
) -> tuple[list[int], list[float]]:
    """The mean error over seeds, of each the mean over its trainings, with its interval as a bar, moved aside a bit."""
    pairs = [[(epoch, 100.0 - float(np.mean(accuracies))) for epoch, accuracies in run] for run in runs]
    epochs, found = _by_epoch(pairs)
    means = [each.mean for each in found]
    below = [min(each.spread or 0.0, 0.9 * each.mean) for each in found]  # the axis is logarithmic
    above = [each.spread or 0.0 for each in found]
    ax.errorbar(
        np.add(epochs, shift), means, yerr=[below, above], color=mark.colour, ls=mark.line, marker=mark.marker,
        ms=3.5, capsize=2, elinewidth=0.9,
    )  # fmt: skip
    return epochs, means


def _by_epoch(runs: Sequence[Sequence[Sequence[float]]]) -> tuple[list[int], list[Any]]:
    """Epochs, ascending, and of each the interval over the seeds."""
    found: dict[int, list[float]] = {}
    for run in runs:
        for epoch, value in run:
            found.setdefault(int(epoch), []).append(float(value))
    epochs = sorted(found)
    return epochs, [interval(found[epoch]) for epoch in epochs]


@style.styled
def perturbation(measured: Perturbed, space: Space) -> Picture:
    """The operation weights before (thin) and after (thick) a perturbation, row by row; loss and accuracy beside them.

    Args:
        measured: of `analysis.smoothing.perturbed`.
        space: of the search.
    """
    rows = weight_rows(measured, space)
    _, (left, right) = style.figure("wide", height=max(2.6, 0.5 + 0.36 * len(rows)), columns=2)
    marks = row_marks(rows)
    for place, row in enumerate(rows):
        for values, height, at in ((row.before, 0.16, place - 0.28), (row.after, 0.4, place + 0.06)):
            starts = np.cumsum([0.0, *values[:-1]])
            left.barh([at] * len(values), values, height, starts, color=[marks[name].colour for name in row.columns])
    left.set_yticks(range(len(rows)), [row.name for row in rows])
    left.set(xlabel="weight: thin before, thick after", xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6))
    left.grid(visible=False, axis="y")
    handles = [Patch(color=mark.colour, label=mark.label) for mark in marks.values()]
    style.root(left).legend(handles=handles, loc="outside upper center", ncols=min(5, len(handles)))
    right.bar((0, 1), measured.loss, 0.5, color=(style.LIGHT, style.BLUE))
    for place, (loss, accuracy) in enumerate(zip(measured.loss, measured.accuracy, strict=True)):
        right.annotate(
            f"{loss:.2f} nats\n{accuracy:.0f} %", (place, loss), (0, 3), ha="center", textcoords="offset points"
        )
    right.set_xticks((0, 1), ("before", "after"))
    right.set(ylabel="loss (nats)", xlim=(-0.6, 1.6), ylim=(0, 1.3 * max(measured.loss)))
    told = listed(f"{row.name} {row.words(marks)}" for row in rows)
    return Picture(
        style.root(left),
        f"Operation weights before and after a perturbation: {told}. The loss goes from {measured.loss[0]:.2f} to "
        f"{measured.loss[1]:.2f} nats, the accuracy from {measured.accuracy[0]:.1f} to {measured.accuracy[1]:.1f} %.",
    )


@dataclass(frozen=True)
class WeightRow:
    """One row of operation weights, before and after.

    Args:
        name: what it decides, like "0→2".
        columns: names of the operations or parents.
        before, after: their weights.
    """

    name: str
    columns: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]

    def words(self, marks: Mapping[str, style.Mark]) -> str:
        """ "skip 0.60 to 0.42, sep 3×3 0.40 to 0.58"."""
        pairs = zip(self.columns, self.before, self.after, strict=True)
        return ", ".join(f"{marks[name].label} {before:.2f} to {after:.2f}" for name, before, after in pairs)


def weight_rows(measured: Perturbed, space: Space) -> list[WeightRow]:
    """The rows of all groups of a space; a group's name goes before the row where there are several groups."""
    found = []
    for name, group in space.groups.items():
        before, after = (weights[name].tolist() for weights in (measured.before, measured.after))
        lead = f"{name} " if len(space.groups) > 1 else ""
        for place, row in enumerate(group.rows):
            values = (tuple(map(float, each[place])) for each in (before, after))
            found.append(WeightRow(f"{lead}{row}", tuple(group.operations[place]), *values))
    return found


def row_marks(rows: Sequence[WeightRow]) -> dict[str, style.Mark]:
    """How each column is drawn: operations as everywhere, parents in what is left."""
    names = dict.fromkeys(name for row in rows for name in row.columns)
    others = style.marks(name for name in names if name not in style.OPERATIONS)
    return {name: style.OPERATIONS.get(name) or others[name] for name in names}


@style.styled
def compared(rises: Mapping[str, Sequence[Mapping[str, Sequence[float]]]], radii: Sequence[float]) -> Picture:
    """How the loss of several searches rises over the radius as a search perturbs, a panel for each kind.

    Lines are means over the seeds; with several seeds bars are their 95 % intervals.

    Args:
        rises: search to what `analysis.smoothing.perturbed_rises` returned of each seed.
        radii: of the boxes.

    Raises:
        UsageError: there is no search, or one without a seed.
    """
    if not rises or not all(rises.values()):
        raise UsageError("There is no search to draw: each needs at least one seed.")
    _, axes = style.figure("wide", 1, 2)
    marks = {name: next((m for m in METHODS.values() if m.label == name), None) for name in rises}
    spare = style.marks(name for name, mark in marks.items() if mark is None)
    told = []
    for ax, kind in zip(axes, KINDS, strict=True):
        for name, seeds in rises.items():
            mark = marks[name] or spare[name]
            found = [interval(values) for values in zip(*(each[kind] for each in seeds), strict=True)]
            means = [each.mean for each in found]
            ax.errorbar(
                radii, means, yerr=[each.spread or 0.0 for each in found], color=mark.colour, ls=mark.line,
                marker=mark.marker, capsize=2, label=mark.label,
            )  # fmt: skip
            told.append(f"{kind}, {name}: {_ends(means)}")
        ax.axhline(0, color=style.GREY, lw=0.8)
        ax.set(xlabel="radius", title=kind)
    axes[0].set_ylabel("rise of the loss (nats)")
    axes[0].legend(loc="upper left")
    return Picture(
        style.root(axes[0]), f"Rise of the loss over the radius, {radii[0]:g} to {radii[-1]:g}, {'; '.join(told)} nats."
    )
