"""How good a finite difference is, against the distance of its two points; and where searches come to rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import listed
from nasbook.runtime.errors import UsageError


@style.styled
def error_curves(
    epsilons: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    published: float | None = 0.01,
    ax: Axes | None = None,
) -> Picture:
    """Relative error of a finite-difference product against epsilon, both on logarithmic axes.

    Args:
        epsilons: as fractions of 1 / |g|, where g is the direction.
        curves: name to the error at each epsilon.
        published: the epsilon of the released code, marked by a grey line.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no curve, or one that has not one error for each epsilon.
    """
    if not curves or any(len(errors) != len(epsilons) for errors in curves.values()):
        raise UsageError("Each curve needs one error for each epsilon, and there must be at least one curve.")
    ax = style.on(ax)
    ax.set(xscale="log", yscale="log", xlabel="ε · |g|", ylabel="relative error")
    ax.axhline(1.0, color=style.GREY, lw=0.8, ls=":")
    if published is not None:
        ax.axvline(published, color=style.GREY, lw=0.9)
        ax.annotate(
            "published", (published, 1), xycoords=("data", "axes fraction"), va="bottom", ha="center", color=style.GREY
        )
    told = []
    for name, mark in style.marks(curves).items():
        errors = np.asarray(curves[name], dtype=float)
        ax.plot(epsilons, errors, color=mark.colour, ls=mark.line, marker=mark.marker, label=mark.label)
        lowest = int(np.argmin(errors))
        told.append(f"{name} is smallest, {errors[lowest]:.0e}, at {epsilons[lowest]:.0e}")
    ax.legend()
    return Picture(style.root(ax), f"Relative error of the finite difference against ε times |g|: {listed(told)}.")


@style.styled
def rest_points(steps: Sequence[float], measured: Sequence[float], *, ax: Axes | None = None) -> Picture:
    """Where searches on the toy problem come to rest against the look-ahead step, on the curve 2 / (1 + 2 xi).

    Args:
        steps: look-ahead steps xi.
        measured: alpha at the end of a search with each.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: not one alpha for each step.
    """
    from nasbook.analysis.bilevel_toy import SOLUTION, fixed_point

    if len(steps) != len(measured) or not steps:
        raise UsageError("Each look-ahead step needs one alpha, and there must be at least one.")
    ax = style.on(ax)
    line = np.linspace(0, max(*steps, 0.1), 101)
    ax.axhline(SOLUTION[0], color=style.GREY, lw=0.9)
    ax.text(0, SOLUTION[0], "exact answer", color=style.GREY, va="bottom", fontsize=8)
    ax.plot(line, [fixed_point(step) for step in line], color=style.INK, lw=1.1, label="2 / (1 + 2ξ)")
    mark = style.METHODS["darts-2nd"]
    ax.plot(steps, measured, ls="", marker=mark.marker, color=mark.colour, ms=6, label="end of a search")
    ax.set(xlabel="look-ahead step ξ", ylabel="α at rest")
    ax.legend()
    ends = listed(f"{alpha:.2f} at ξ = {step:g}" for step, alpha in zip(steps, measured))
    return Picture(
        style.root(ax), f"α at rest falls with the look-ahead step along 2 / (1 + 2ξ), through the answer 1: {ends}."
    )
