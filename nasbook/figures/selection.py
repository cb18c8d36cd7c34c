"""Selection by perturbation: one decision, the log of all, and what is selected beside other selections.

The pictures of Wang et al. 2021 (figures 4 and 6, tables 4 and 5), each with what they leave out beside it: how well
the supernet does before and after, controls that no selection made, and intervals over the seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from nasbook.claims.verdicts import Interval, interval
from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted, listed, trend
from nasbook.runtime.errors import UsageError
from nasbook.selection.records import Record, decisions, favourite

KEPT = style.Mark("kept", style.BLUE, "s")
LEFT_OUT = style.Mark("given up", style.LIGHT, "o")
FAVOURITE = style.Mark("largest weight", style.VERMILLION, "^")
RULES = {
    "magnitude": style.Mark("magnitude", style.VERMILLION, "o", (6, 2)),
    "perturbation": style.Mark("perturbation", style.BLUE, "s"),
}
_ROW = 0.34  # inches of a picture, for one row


def option(name: str) -> str:
    """An option of a decision in a picture: an operation by its short name, anything else as it stands."""
    return style.OPERATIONS[name].label if name in style.OPERATIONS else name


@style.styled
def decision(made: Record, *, axes: Sequence[Axes] | None = None) -> Picture:
    """One decision: beside each option its operation weight, and the supernet's accuracy without it.

    Args:
        made: a decision of a record (see `PerturbationSelection.run_epoch`).
        axes: where to draw, two of one figure; a new figure without them.
    """
    names = [option(name) for name in made["options"]]
    rows, first = np.arange(len(names)), favourite(made)
    if axes is None:
        axes = style.figure("wide", 1, 2, height=1.1 + _ROW * len(names))[1]
    weights, without = axes
    marks = [KEPT if name in made["kept"] else LEFT_OUT for name in made["options"]]
    for ax, values in ((weights, made["weights"]), (without, made["accuracies"])):
        ax.barh(rows, values, color=[mark.colour for mark in marks], edgecolor=style.INK, lw=0.8)
        ax.set_yticks(rows, names)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.grid(visible=False, axis="y")
    for row, name in enumerate(made["options"]):
        if name in made["kept"]:
            without.text(made["accuracies"][row], row, " kept", va="center")
        if name == first:
            weights.plot(made["weights"][row], row, FAVOURITE.marker, color=FAVOURITE.colour, ms=8)
    without.axvline(made["before"], color=style.INK, lw=1, ls=(0, (4, 2)))
    without.set(xlim=(0, 1.15 * max(*made["accuracies"], made["before"])))
    weights.set(xlabel="operation weight (triangle: the largest)", ylabel=made["where"])
    without.set(xlabel="accuracy without it (%); dashed: before")
    return Picture(style.root(weights), words_of(made))


def words_of(made: Record) -> str:
    """One decision in a sentence."""
    told = listed(
        f"{option(name)} {accuracy:.1f} % (weight {weight:.2f})"
        for name, accuracy, weight in zip(made["options"], made["accuracies"], made["weights"], strict=True)
    )
    first = favourite(made)
    said = f" The largest weight is that of {option(first)}." if first else ""
    kept = listed(option(name) for name in made["kept"])
    return (
        f"Decision on {made['where']}: the supernet reaches {made['before']:.1f} %, and without {told}. "
        f"Kept: {kept}, after which it reaches {made['after']:.1f} %.{said}"
    )


@style.styled
def log(records: Iterable[Record]) -> Picture:
    """All decisions as a table, a row each: the points lost without each option, and the supernet before and after.

    Framed is what was kept; a triangle marks the largest operation weight.

    Args:
        records: one a stop.

    Raises:
        UsageError: there is no decision.
    """
    made = decisions(records)
    if not made:
        raise UsageError("There is no decision to draw: the selection has not begun.")
    height = 1.2 + _ROW * len(made)
    figure, (table, course) = style.figure("wide", 1, 2, height=height)
    _table(table, made)
    rows = np.arange(len(made))
    before, after = ([each[key] for each in made] for key in ("before", "after"))
    course.plot(before, rows, "o", color=style.INK, label="before the decision")
    course.plot(after, rows, KEPT.marker, color=KEPT.colour, label="after it")
    for row in rows:
        course.plot([before[row], after[row]], [row, row], color=style.GREY, lw=1)
    course.set(
        xlabel="accuracy of the supernet (%)", ylim=(len(made) - 0.5, -0.5), xlim=(0, 1.08 * max(before + after))
    )
    course.set_yticks(rows, ["" for _ in made])
    course.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    overruled = sum(favourite(each) is not None and favourite(each) not in each["kept"] for each in made)
    told = "; ".join(f"{each['where']}: {listed(option(name) for name in each['kept'])}" for each in made)
    return Picture(
        figure,
        f"{counted(len(made), 'decision')} in their order, each with what is kept. {told}. In {overruled} of them the "
        f"largest weight is not kept. The supernet {trend([before[0], after[-1]])} %.",
    )


def _table(ax: Axes, made: Sequence[Record]) -> None:
    """A cell for each option, as dark as what the supernet loses without it."""
    changes = [[accuracy - each["before"] for accuracy in each["accuracies"]] for each in made]
    most = max(abs(value) for row in changes for value in row) or 1.0
    paint = matplotlib.colormaps[style.DIVERGING]
    for row, each in enumerate(made):
        for place, (name, change) in enumerate(zip(each["options"], changes[row], strict=True)):
            colour = paint(0.5 - 0.25 * change / most)  # dark letters are to be read on it
            ax.add_patch(Rectangle((place, row - 0.42), 0.96, 0.84, facecolor=colour, edgecolor="none"))
            mark = "▲ " if name == favourite(each) else ""
            ax.text(place + 0.48, row, f"{mark}{option(name)} {change:+.1f}", ha="center", va="center", fontsize=7.5)
            if name in each["kept"]:
                frame = Rectangle((place, row - 0.42), 0.96, 0.84, fill=False, edgecolor=style.INK, lw=1.8)
                ax.add_patch(frame)
    ax.set_yticks(range(len(made)), [each["where"] for each in made])
    ax.set(xlim=(0, max(len(row) for row in changes)), ylim=(len(made) - 0.5, -0.5))
    ax.set(xticks=[], xlabel="points that the supernet gains or loses without the option")
    ax.grid(visible=False)


Scores = Mapping[str, Sequence[float]]


@style.styled
def per_space(measured: Mapping[str, Scores], published: Mapping[str, Mapping[str, float]] | None = None) -> Picture:
    """A panel for each space: test errors of what each selection found, and under it those that are published.

    A dot is a seed, the mean has its 95 % interval.

    Args:
        measured: space to method to its test errors in percent, one a seed; all spaces have the same methods.
        published: space to method to its published test error in percent, where there is one.

    Raises:
        UsageError: there is no space, or spaces have different methods, or one has no score.
    """
    methods = list(next(iter(measured.values()), {}))
    if not methods or any(list(each) != methods or not all(map(len, each.values())) for each in measured.values()):
        raise UsageError("Every space needs at least one score of each method, and all spaces the same methods.")
    rows = 2 if published else 1
    height = 0.9 + rows * (0.5 + 0.2 * len(methods))
    figure, drawn = style.figure("wide", rows, len(measured), height=height)
    panels = np.reshape(drawn, (rows, len(measured)))
    told = [_space(ax, name, scores) for ax, (name, scores) in zip(panels[0], measured.items(), strict=True)]
    for ax, name in zip(panels[-1] if published else (), measured, strict=False):
        told.append(_published(ax, name, methods, (published or {}).get(name, {})))
    for row in panels:
        for place, ax in enumerate(row):
            ax.set_yticks(range(len(methods)), methods if place == 0 else [""] * len(methods))
            ax.set_ylim(len(methods) - 0.5, -0.5)
            ax.xaxis.set_major_locator(MaxNLocator(4))
    middle = len(measured) // 2
    panels[0][middle].set_xlabel("test error measured here (%)")
    if published:
        panels[1][middle].set_xlabel("published test error (%)")
    return Picture(figure, f"Test errors in percent. {' '.join(told)}")


def _space(ax: Axes, name: str, scores: Scores) -> str:
    """One panel, and its means in words."""
    words = []
    for row, (method, values) in enumerate(scores.items()):
        found = interval(values)
        ax.plot(values, np.full(len(values), row), "o", color=style.GREY, ms=3)
        _whisker(ax, found, row)
        spread = "" if found.spread is None else f" ± {found.spread:.1f}"
        words.append(f"{method} {found.mean:.1f}{spread}")
    ax.set_title(name)
    return f"{name} ({counted(len(next(iter(scores.values()))), 'seed')}): {listed(words)}."


def _whisker(ax: Axes, found: Interval, row: float) -> None:
    if found.spread is not None:
        ax.plot([found.low, found.high], [row, row], color=KEPT.colour, lw=1.4)
    ax.plot(found.mean, row, KEPT.marker, color=KEPT.colour, ms=5)


def _published(ax: Axes, name: str, methods: Sequence[str], errors: Mapping[str, float]) -> str:
    for row, method in enumerate(methods):
        if method in errors:
            ax.plot(errors[method], row, "D", color=style.BLACK, ms=5)
    if not errors:
        ax.text(0.5, 0.5, "none", ha="center", va="center", transform=ax.transAxes)
        return f"None is published in {name}."
    told = listed(f"{method} {errors[method]:.2f}" for method in methods if method in errors)
    return f"Published in {name}: {told}."


Curve = Sequence[Sequence[Any]]


@style.styled
def over_search(runs: Sequence[Mapping[str, Curve]], *, ax: Axes | None = None) -> Picture:
    """Test accuracy of what each rule selects after so many epochs of one search: a dot a seed, means with intervals.

    Args:
        runs: one a seed, each with rule ("magnitude", "perturbation") to pairs of epoch and test accuracies (percent).
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no run, or runs have other epochs.
    """
    if not runs or any({rule: _epochs(run[rule]) for rule in RULES} != _both(runs[0]) for run in runs):
        raise UsageError("Accuracy over the search is drawn of at least one run, all with the same epochs.")
    ax = style.on(ax)
    told = []
    for shift, (rule, mark) in zip((-0.08, 0.08), RULES.items(), strict=True):
        epochs = np.array(_epochs(runs[0][rule]), dtype=float)
        values = np.array([[np.mean(found) for _, found in run[rule]] for run in runs])  # (seeds, epochs)
        intervals = [interval(column) for column in values.T.tolist()]
        for row in values:
            ax.plot(epochs + shift, row, mark.marker, color=mark.colour, alpha=0.35, ms=3.5)
        for epoch, found in zip(epochs, intervals, strict=True):
            if found.spread is not None:
                ax.plot([epoch + shift] * 2, [found.low, found.high], color=mark.colour, lw=1.2)
        ax.plot(epochs + shift, values.mean(0), color=mark.colour, ls=mark.line, marker=mark.marker, label=mark.label)
        told.append(f"by {rule} {trend(values.mean(0))} %")
    ax.set(xlabel="epoch of the search", ylabel="test accuracy of the cell (%)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return Picture(
        style.root(ax),
        f"Mean test accuracy over {counted(len(runs), 'seed')} of what is selected after each epoch: {listed(told)}.",
    )


def _epochs(curve: Curve) -> list[int]:
    return [int(epoch) for epoch, _ in curve]


def _both(run: Mapping[str, Curve]) -> dict[str, list[int]]:
    return {rule: _epochs(run[rule]) for rule in RULES}


@style.styled
def over_decisions(courses: Mapping[str, Iterable[Record]], *, ax: Axes | None = None) -> Picture:
    """Accuracy of the supernet over the decisions of selections, before and after each.

    Args:
        courses: name of a selection to its records, one a stop.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no selection, or one without a decision.
    """
    every = {name: decisions(records) for name, records in courses.items()}
    if not every or not all(every.values()):
        raise UsageError("There is no decision to draw: the selection has not begun.")
    ax = style.on(ax)
    told = []
    for name, mark in style.marks(every).items():
        made = every[name]
        places = [place + shift for place in range(1, len(made) + 1) for shift in (-0.15, 0.15)]
        values = [each[key] for each in made for key in ("before", "after")]
        ax.plot(places, values, color=mark.colour, ls=mark.line, marker=mark.marker, ms=3.5, label=mark.label)
        told.append(f"{name} {trend(values)} %")
    top = 1.08 * max(each["before"] for made in every.values() for each in made)
    ax.set(xlabel="decision (left dot before, right dot after)", ylabel="accuracy of the supernet (%)", ylim=(0, top))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return Picture(style.root(ax), f"The supernet over the decisions: {listed(told)}.")
