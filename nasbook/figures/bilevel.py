"""The toy bilevel problem of DARTS in its plane: where the searches go, and where they should.

L_val = alpha w - 2 alpha + 1 and L_train = w^2 - 2 alpha w + alpha^2 (Liu et al. 2019, figure 2). The best weight is
w*(alpha) = alpha, the answer (alpha, w) = (1, 1).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from nasbook.analysis import bilevel_toy
from nasbook.analysis.bilevel_toy import Trajectory
from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import listed
from nasbook.runtime.errors import UsageError

Trajectories = Mapping[str, Trajectory]
_REACH = 2.2


@style.styled
def plane(
    trajectories: Trajectories, *, until: int | None = None, reach: float = _REACH, ax: Axes | None = None
) -> Picture:
    """Searches in the plane of alpha and w, over the contours of the validation loss.

    Args:
        trajectories: name to trajectory; names of `style.METHODS` keep their colours.
        until: draw only so many steps; all without it.
        reach: the plane shows at least so far from 0, so that pictures of different methods compare.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no trajectory.
    """
    _check(trajectories)
    ax = style.on(ax, "square")
    far = max(float(np.abs(np.stack(_points(each, None))).max()) for each in trajectories.values())
    limit = 1.1 * max(far, reach)
    _draw_problem(ax, limit)
    ends = []
    for name, mark in style.marks(trajectories).items():
        alpha, w = _points(trajectories[name], until)
        every = max(1, len(alpha) // 12)
        ax.plot(alpha, w, color=mark.colour, ls=mark.line, marker=mark.marker, markevery=every, ms=4, label=mark.label)
        ends.append(f"{mark.label} is at ({alpha[-1]:.2f}, {w[-1]:.2f}) after {len(alpha) - 1} steps")
    ax.plot(*bilevel_toy.SOLUTION, marker="*", ms=13, color=style.YELLOW, mec=style.INK, ls="", label="exact answer")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="α", ylabel="w", aspect="equal")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2)
    start = _points(next(iter(trajectories.values())), until)
    alt = (
        "The plane of α and w with contours of the validation loss, the line of the best weight w*(α) = α and the "
        f"exact answer at (1, 1). From ({start[0][0]:.0f}, {start[1][0]:.0f}): {listed(ends)}. "
        f"{_nearest(trajectories, until)}"
    )
    return Picture(style.root(ax), alt)


def _draw_problem(ax: Axes, limit: float) -> None:
    """Contours of the validation loss, and the line of the best weight."""
    grid = np.linspace(-limit, limit, 121)
    alphas, ws = np.meshgrid(grid, grid)
    losses = np.asarray(bilevel_toy.valid_loss(ws, alphas))  # type: ignore[arg-type]  # a polynomial, of arrays too
    lines = ax.contour(alphas, ws, losses, levels=range(-24, 25, 2), colors=style.GREY, linewidths=0.6)
    ax.clabel(lines, fontsize=6)
    best = [bilevel_toy.best_weight(alpha) for alpha in (-limit, limit)]
    ax.plot((-limit, limit), best, color=style.INK, lw=1.1, label="w*(α) = α")
    ax.grid(visible=False)


@style.styled
def over_steps(trajectories: Trajectories, *, ax: Axes | None = None) -> Picture:
    """Alpha of each search over its steps, with the exact answer as a thin grey line.

    Args:
        trajectories: name to trajectory; names of `style.METHODS` keep their colours.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no trajectory.
    """
    _check(trajectories)
    ax = style.on(ax)
    ax.axhline(bilevel_toy.SOLUTION[0], color=style.GREY, lw=0.9)
    ax.text(0.5, 0.99, "exact answer", transform=ax.get_yaxis_transform(), ha="center", va="top", color=style.GREY)
    told = []
    for name, mark in style.marks(trajectories).items():
        alpha, _ = _points(trajectories[name], None)
        every = max(1, len(alpha) // 10)
        ax.plot(alpha, color=mark.colour, ls=mark.line, marker=mark.marker, markevery=every, label=mark.label)
        told.append(f"{mark.label} goes from {alpha[0]:.2f} to {alpha[-1]:.2f}")
    ax.set(xlabel="step", ylabel="α")
    ax.legend()
    alt = f"α over the steps of the toy problem, whose exact answer is α = 1: {listed(told)}."
    return Picture(style.root(ax), f"{alt} {_nearest(trajectories, None)}")


def _check(trajectories: Trajectories) -> None:
    if not trajectories:
        raise UsageError("There is no trajectory to draw; give at least one as {'name': bilevel_toy.run(...)}.")


def _points(trajectory: Trajectory, until: int | None) -> tuple[np.ndarray, np.ndarray]:
    stop = None if until is None else until + 1
    return style.array(trajectory.alpha)[:stop], style.array(trajectory.w)[:stop]


def _nearest(trajectories: Trajectories, until: int | None) -> str:
    aim = np.array(bilevel_toy.SOLUTION)
    away = {
        mark.label: float(np.linalg.norm(np.stack(_points(trajectories[name], until))[:, -1] - aim))
        for name, mark in style.marks(trajectories).items()
    }
    best = min(away, key=lambda label: away[label])
    return f"{best} comes nearest to the exact answer, {away[best]:.2f} away."
