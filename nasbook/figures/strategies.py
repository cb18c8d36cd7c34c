"""Pictures of black-box searches: a whole space ranked, a population over its generations, an evolved wiring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import listed
from nasbook.strategies.early import INPUTS, Generation
from nasbook.strategies.evaluators import Table


@style.styled
def ranking(table: Table, *, ax: Axes | None = None) -> Picture:
    """Every architecture of a stored space by its mean validation accuracy: a dot a training, test means beside.

    Args:
        table: the stored space.
        ax: where to draw; a new figure without it.
    """
    ax = style.on(ax, "wide")
    rows = sorted(table.rows.values(), key=lambda row: np.mean(row.valid))
    means = [np.mean(row.valid) for row in rows]
    seeds = len(rows[0].valid)
    for seed in range(seeds):
        label = f"one training, validation ({seeds} each)" if seed == 0 else None
        ax.plot([row.valid[seed] for row in rows], "o", color=style.SKY, markersize=3.5, label=label)
    ax.plot(means, "-", color=style.BLUE, label="mean validation accuracy")
    ax.plot([np.mean(row.test) for row in rows], "x", color=style.VERMILLION, label="mean test accuracy")
    ax.set(xlabel=f"the {len(rows)} architectures, from worst to best", ylabel="accuracy (%)")
    ax.legend(loc="lower right")
    median = means[len(means) // 2]
    noise = np.mean([np.ptp(row.valid) for row in rows])
    return Picture(
        style.root(ax),
        f"All {len(rows)} architectures of space {table.space.name} ranked by mean validation accuracy over {seeds} "
        f"trainings: it rises from {means[0]:.1f} % to {means[-1]:.1f} %, with {median:.1f} % in the middle. Trainings "
        f"of one architecture lie {noise:.1f} points apart on average: neighbours in the ranking are not told apart.",
    )


@style.styled
def generations(history: Sequence[Generation], *, baseline: float | None = None, ax: Axes | None = None) -> Picture:
    """The errors of a population of wirings, generation by generation: the mean, and every member as a dot.

    Args:
        history: of `strategies.early.evolve`.
        baseline: mean error in percent of the fully wired network, as a thin grey line.
        ax: where to draw; a new figure without it.
    """
    ax = style.on(ax, "single")
    mark = style.METHODS["evolution"]
    for place, generation in enumerate(history):
        errors = style.array(generation.errors)
        ax.plot(np.full(len(errors), place), errors, "o", color=mark.colour, alpha=0.25, markersize=3)
    means = [float(generation.errors.mean()) for generation in history]
    ax.plot(means, color=mark.colour, linestyle=mark.line, label="mean of the generation")
    if baseline is not None:
        ax.axhline(baseline, color=style.GREY, linewidth=0.8, label="every wire present")
    ax.set(xlabel="generation", ylabel="points on the wrong side (%)")
    ax.legend(loc="upper right")
    beside = "" if baseline is None else f" The network with every wire has {baseline:.1f} %."
    return Picture(
        style.root(ax),
        f"Errors of {len(history[0].errors)} wirings over {len(history)} generations, a dot each: their mean goes from "
        f"{means[0]:.1f} % in the random first generation to {means[-1]:.1f} % in the last.{beside}",
    )


@style.styled
def wiring(connections: object, *, ax: Axes | None = None) -> Picture:
    """One wiring as a graph: inputs on the left, hidden units in the order of their numbers, the output on the right.

    Args:
        connections: (units, units) bool; [i, j] says whether unit i receives unit j.
        ax: where to draw; a new figure without it.
    """
    ax = style.on(ax, "single", height=2.4)
    wires = style.array(connections) > 0
    units = len(wires)
    places = [(0.0, 0.6), (0.0, -0.6)] + [(1.0 + unit, 0.55 * (-1) ** unit) for unit in range(units - INPUTS - 1)]
    places.append((units - INPUTS + 0.0, 0.0))
    for target, source in zip(*np.nonzero(wires)):
        arrow = {"arrowstyle": "-|>", "color": style.BLUE, "shrinkA": 11, "shrinkB": 11, "linewidth": 1.1}
        ax.annotate("", places[target], places[source], arrowprops={**arrow, "connectionstyle": "arc3,rad=0.12"})
    names = ["x", "y", *(f"h{unit + 1}" for unit in range(units - INPUTS - 1)), "out"]
    for (x, y), name in zip(places, names):
        box = {"boxstyle": "circle,pad=0.35", "facecolor": "white", "edgecolor": style.INK}
        ax.text(x, y, name, ha="center", va="center", bbox=box, fontsize=8)
    ax.set(xlim=(-0.5, units - INPUTS + 0.5), ylim=(-1.2, 1.2))
    ax.axis("off")
    possible = sum(range(INPUTS, units))
    lonely = [name for name, row in zip(names[INPUTS:], wires[INPUTS:]) if not row.any()]
    unwired = f" Nothing feeds {listed(lonely)}." if lonely else ""
    return Picture(
        style.root(ax),
        f"A network of two inputs, {units - INPUTS - 1} hidden units and one output, with {int(wires.sum())} of "
        f"{possible} possible wires.{unwired}",
    )
