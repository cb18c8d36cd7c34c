"""Pictures of strength: weights beside accuracies, both orders of an edge's operations, and forced convolutions.

After Wang et al. 2021, figures 1 to 3, with the range of what was measured drawn in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nasbook.analysis.forcing import Assignment, convolution_columns
from nasbook.analysis.strength import Strength
from nasbook.figures import style
from nasbook.figures.cells import cell
from nasbook.figures.picture import Picture, together
from nasbook.figures.words import counted, listed, trend
from nasbook.runtime.errors import UsageError
from nasbook.spaces import SearchSpace

MOST_EDGES = 4  # side by side
CHOSEN = {
    "magnitude": style.Mark("chosen by weight", style.VERMILLION, "v"),
    "pt": style.Mark("chosen by perturbation", style.GREEN, "^"),
}
KEPT = {
    True: style.Mark("convolution kept", style.BLUE, "s"),
    False: style.Mark("the other kept", style.VERMILLION, "o"),
}
ORDERS = {"weights": "weight of the operation", "missed": "points lost without it, less the edge's mean"}


@style.styled
def bars(edges: Sequence[Strength]) -> Picture:
    """For each edge the weights of its operations above, and below their accuracies once the edge is fixed to them.

    The operation of the largest weight is outlined in both, the most accurate one has a star; dots are the repeats.

    Args:
        edges: of `strength.strength`, one to four.

    Raises:
        UsageError: there is no edge, or more than fit side by side.
    """
    if not 1 <= len(edges) <= MOST_EDGES:
        raise UsageError(f"Bars are drawn of 1 to {MOST_EDGES} edges, not of {len(edges)}.")
    _, axes = style.figure("wide", 2, len(edges), height=4.6)
    grid = np.asarray(axes).reshape(2, len(edges))
    floor = min(accuracy for each in edges for repeat in each.repeats for accuracy in repeat)
    top = max(accuracy for each in edges for repeat in each.repeats for accuracy in repeat)
    room = max(top - floor, 0.5)
    for place, each in enumerate(edges):
        _bars_of_edge(grid[0, place], grid[1, place], each)
        grid[1, place].set_ylim(floor - 0.25 * room, top + 0.3 * room)
        grid[0, place].set_ylim(0, 1.15 * max(max(other.weights) for other in edges))
    grid[0, 0].set_ylabel("weight")
    grid[1, 0].set_ylabel("accuracy with it alone (%)")
    return Picture(style.root(grid[0, 0]), " ".join(_edge_words(each) for each in edges))


def _bars_of_edge(above: Axes, below: Axes, edge: Strength) -> None:
    marks = [style.operation(name) for name in edge.operations]
    chosen, best = (values.index(max(values)) for values in (list(edge.weights), list(edge.tuned)))
    for ax, values in ((above, edge.weights), (below, edge.tuned)):
        for place, (mark, value) in enumerate(zip(marks, values, strict=True)):
            outline: dict[str, Any] = (
                {"edgecolor": style.INK, "lw": 2.0} if place == chosen else {"edgecolor": mark.colour, "lw": 0.8}
            )
            ax.bar(place, value, 0.7, color=mark.colour, alpha=0.55, **outline)
        ax.set_xticks(range(len(marks)), [mark.label for mark in marks], rotation=60, ha="right")
        ax.grid(visible=False, axis="x")
    above.set_xticklabels([])
    above.set_title(edge_name(edge))
    for repeat in edge.repeats:
        below.plot(range(len(repeat)), repeat, ls="", marker="o", ms=3, color=style.INK)
    highest = max(repeat[best] for repeat in edge.repeats)
    below.annotate("★", (best, highest), (0, 3), textcoords="offset points", ha="center", fontsize=9)


def edge_name(edge: Strength) -> str:
    """The edge in words, with its cell where that is not the normal one."""
    return f"edge {edge.where}" if edge.group == "normal" else f"edge {edge.where}, {edge.group}"


def _edge_words(edge: Strength) -> str:
    labels = [style.operation(name).label for name in edge.operations]
    by_weight = [labels[place] for place in np.argsort(-np.asarray(edge.weights), kind="stable")]
    accuracies = list(edge.tuned)
    best, worst = (labels[accuracies.index(pick(accuracies))] for pick in (max, min))
    return (
        f"{edge_name(edge).capitalize()}: by weight {listed(by_weight)}, from {max(edge.weights):.2f} to "
        f"{min(edge.weights):.2f}; {best} is most accurate with {max(accuracies):.1f} % and {worst} least with "
        f"{min(accuracies):.1f} %; rank correlation {edge.correlation(edge.weights):+.2f}."
    )


@style.styled
def agreement(edges: Sequence[Strength], *, axes: Sequence[Axes] | None = None) -> Picture:
    """Accuracy of each operation of some edges against its weight, and against how much it is missed.

    Accuracies, and points lost, are those above the mean of the edge, so that edges can be drawn together.

    Args:
        edges: of `strength.strength`.
        axes: where to draw, two of one figure; a new figure without them.

    Raises:
        UsageError: there is no edge.
    """
    if not edges:
        raise UsageError("There is no edge to draw.")
    axes = style.figure("wide", 1, 2)[1] if axes is None else axes
    names = tuple(dict.fromkeys(name for each in edges for name in each.operations))
    told = []
    for ax, (score, label) in zip(axes, ORDERS.items(), strict=True):
        for name in names:
            mark = style.operation(name)
            points = [_point(each, score, name) for each in edges if name in each.operations]
            ax.plot(
                *zip(*points, strict=True), ls="", marker=mark.marker, color=mark.colour, label=mark.label, alpha=0.8
            )
        mean = float(np.mean([each.correlation(getattr(each, score)) for each in edges]))
        ax.axhline(0, color=style.GREY, lw=0.8)
        ax.set(xlabel=label, title=f"mean rank correlation within an edge {mean:+.2f}")
        told.append(f"with the {label.partition(',')[0]} {mean:+.2f}")
    axes[0].set_ylabel("accuracy with it alone,\nless the edge's mean (points)")
    style.root(axes[0]).legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return Picture(
        style.root(axes[0]),
        f"The operations of {counted(len(edges), 'edge')}: accuracy of the supernet when the edge holds one alone. "
        f"Its rank correlation within an edge, the mean over the edges, is {listed(told)}.",
    )


def _point(edge: Strength, score: str, name: str) -> tuple[float, float]:
    place, values = edge.operations.index(name), getattr(edge, score)
    across = values[place] if score == "weights" else values[place] - float(np.mean(values))
    return across, edge.tuned[place] - float(np.mean(edge.tuned))


@style.styled
def forced(found: Mapping[str, Any], *, at: str | None = None, axes: Sequence[Axes] | None = None) -> Picture:
    """The supernet's accuracy with k convolutions forced into it, and after each decision of progressive selection.

    Args:
        found: with `assignments`, `magnitude`, `pt` and `pt_path`, as the study of strength has them.
        at: an assignment to mark.
        axes: where to draw, two of one figure; a new figure without them.
    """
    left, right = style.figure("wide", 1, 2)[1] if axes is None else axes
    ways = assignments(found, at=at, ax=left)
    path = _path(right, found["pt_path"])
    return Picture(style.root(left), f"{ways.alt} {path}")


@style.styled
def assignments(found: Mapping[str, Any], *, at: str | None = None, ax: Axes | None = None) -> Picture:
    """The accuracy of every way to put convolutions on the edges over their number, the chosen ones marked.

    Args:
        found: with `assignments`, `magnitude` and `pt`, as the study of strength has them.
        at: one to mark besides, by its text like "01101".
        ax: where to draw; a new figure without it.
    """
    ax = style.on(ax)
    accuracies: Mapping[str, float] = found["assignments"]
    edges = len(found["pt"])
    by_count = [[value for ways, value in accuracies.items() if ways.count("1") == k] for k in range(edges + 1)]
    mean = [float(np.mean(values)) for values in by_count]
    counts = range(edges + 1)
    ax.fill_between(counts, list(map(min, by_count)), list(map(max, by_count)), color=style.BLUE, alpha=0.15, lw=0)
    ax.plot([ways.count("1") for ways in accuracies], list(accuracies.values()), "o", ms=2.5, color=style.BLUE)
    ax.plot(counts, mean, color=style.BLUE, label="mean over all ways")
    for name, mark in CHOSEN.items():
        _ring(ax, found[name], accuracies, mark)
    if at is not None:
        _ring(ax, at, accuracies, style.Mark("shown", style.INK, "o"), size=17)
    ax.set(xlabel=f"convolutions on the {edges} edges", ylabel="supernet's accuracy (%)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(markerscale=0.6)
    worst, best = min(accuracies.values()), max(accuracies.values())
    told = [f"{CHOSEN[name].label}: {_told(found[name], accuracies)}" for name in CHOSEN]
    told += [] if at is None else [f"shown: {_told(at, accuracies)}"]
    return Picture(
        style.root(ax),
        f"Every way to put a convolution or the other operation on {counted(edges, 'edge')}, from {worst:.1f} to "
        f"{best:.1f} %. The mean over the ways with as many convolutions {trend(mean)} % from none to all; "
        f"{'; '.join(told)}.",
    )


def _ring(ax: Axes, ways: str, accuracies: Mapping[str, float], mark: style.Mark, *, size: float = 10) -> None:
    look: dict[str, Any] = {"ms": size, "mfc": "none", "mew": 2, "color": mark.colour, "label": mark.label}
    ax.plot(ways.count("1"), accuracies[ways], mark.marker, **look)


def _told(ways: str, accuracies: Mapping[str, float]) -> str:
    return f"{counted(ways.count('1'), 'convolution')}, {accuracies[ways]:.1f} %"


def _path(ax: Axes, path: Sequence[Mapping[str, Any]]) -> str:
    """Progressive selection, decision after decision; returns it in words."""
    values = [each["accuracy"] for each in path]
    ax.plot(range(1, len(path) + 1), values, color=style.GREY, lw=1.2)
    ax.margins(0.1, 0.15)
    for convolution, mark in KEPT.items():
        places = [place for place, each in enumerate(path) if each["convolution"] == convolution]
        height = [values[place] for place in places]
        ax.plot([place + 1 for place in places], height, mark.marker, ms=7, color=mark.colour, label=mark.label)
    ax.set_xticks(range(1, len(path) + 1), [each["where"] for each in path])
    ax.set(xlabel="decided edge, in the order of decisions", ylabel="supernet's accuracy after tuning (%)")
    ax.legend()
    kept = sum(bool(each["convolution"]) for each in path)
    return f"Over its decisions, {kept} of {len(path)} for a convolution, the supernet's accuracy {trend(values)} %."


@style.styled
def chosen(space: SearchSpace, choices: Mapping[str, str]) -> Picture:
    """The cells that some choices stand for, side by side; no edge is dropped yet.

    Args:
        space: of the supernet.
        choices: title to text like "01101", a 1 for each edge that holds the convolution.

    Raises:
        UsageError: a choice has not one sign an edge, or the space is not of two operations an edge.
    """
    _, axes = style.figure("wide", 1, len(choices), height=3.0)
    pictures = []
    for ax, (title, text) in zip(np.atleast_1d(axes), choices.items(), strict=True):
        shown = cell(space.genotype({"normal": pairs(space, assignment(space, text))}), ax=ax)
        ax.set_title(title)
        pictures.append(Picture(shown.figure, f"{title[0].upper()}{title[1:]}: {shown.alt}"))
    return together(*pictures)


def assignment(space: SearchSpace, text: str) -> Assignment:
    """Which edges hold a convolution, from a text like "01101".

    Raises:
        UsageError: it has not one 0 or 1 for each edge.
    """
    if len(text) != space.edges or set(text) - set("01"):
        raise UsageError(f"A choice is one 0 or 1 for each of the {space.edges} edges, not {text!r}.")
    return tuple(sign == "1" for sign in text)


def pairs(space: SearchSpace, ways: Assignment) -> tuple[tuple[str, int], ...]:
    """(operation, source) of every edge of the normal cell."""
    columns = convolution_columns(space)
    return tuple(
        (space.normal.operations[edge][columns[edge] if held else 1 - columns[edge]], space.normal.edges[edge][0])
        for edge, held in enumerate(ways)
    )
