"""Pictures of random operation weights: samples and densities on the triangle, and gradient estimates by temperature.

The weights of three operations are a point of a triangle: at a corner one operation has all the weight, in the middle
all are equal, and the distance from a side is the weight of the corner opposite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.ticker import FixedLocator, FuncFormatter
from matplotlib.tri import Triangulation
from scipy import special

from nasbook.analysis import distributions
from nasbook.analysis.distributions import Vector
from nasbook.analysis.gradient_estimates import GradientEstimate
from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import counted
from nasbook.runtime.errors import UsageError

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, math.sqrt(3) / 2]])
"""Where each of three operations has all the weight: left, right, top."""
LABELS = ("1", "2", "3")

_DECIDED = 0.9  # a sample with a weight above it has as good as decided
_CUTS = 48  # of a side, into which the triangle is cut for its density
_DARKEST = 16.0  # times the uniform density, and the lightest is one part in as many


def plane(weights: Any) -> np.ndarray:
    """Weights (samples, 3) as points of the triangle (samples, 2), whose sides are 1.

    Raises:
        UsageError: these are not weights of three operations.
    """
    values = style.array(weights)
    if values.ndim != 2 or values.shape[1] != 3 or not len(values):
        raise UsageError(f"A point of the triangle has three weights: (samples, 3), not {values.shape}.")
    return values @ CORNERS


@style.styled
def clouds(samples: Mapping[str, Any], *, expected: Vector | None = None, labels: Sequence[str] = LABELS) -> Picture:
    """Samples on the triangle, a triangle for each distribution, side by side, with the mean of each.

    Args:
        samples: name of the distribution to its samples (samples, 3).
        expected: three weights to mark in each triangle, like softmax(alpha) or a Dirichlet's mean.
        labels: of the corners.

    Raises:
        UsageError: there is nothing to draw, or these are not weights of three operations.
    """
    if not samples:
        raise UsageError("There are no samples to draw.")
    shown = {name: style.array(values) for name, values in samples.items()}
    places = {name: plane(values) for name, values in shown.items()}
    axes = _row(len(shown), 0.8)
    for ax, (name, points) in zip(axes, places.items(), strict=True):
        triangle(ax, labels)
        ax.plot(*points.T, "o", ms=2.2, mew=0, color=style.BLUE, alpha=0.5)
        if expected is not None:
            ax.plot(*plane([expected]).T, "D", ms=8, fillstyle="none", color=style.INK, label="expected weights", ls="")
        ax.plot(*points.mean(0), "P", ms=8, color=style.VERMILLION, mec="white", label="mean of the samples", ls="")
        ax.set_title(f"{name}\nentropy {_entropy(shown[name]):.2f} nats")
    style.root(axes[0]).legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=min(2, len(axes))
    )
    parts = [f"{name}: {len(values)} samples, {_spread(values, _entropy(values))}" for name, values in shown.items()]
    return Picture(
        style.root(axes[0]),
        f"Weights of three operations as points of {'a triangle' if len(shown) == 1 else 'triangles'}. "
        f"{'; '.join(parts)}.",
    )


@style.styled
def densities(concentrations: Sequence[Vector], *, samples: int = 150, seed: int = 0) -> Picture:
    """Dirichlet densities on the triangle, one beside the other, with samples of each.

    Args:
        concentrations: three numbers for each distribution.
        samples: dots in each triangle.
        seed: of the samples.

    Raises:
        UsageError: there is no distribution, or one has not three positive concentrations.
    """
    if not len(concentrations) or any(len(each) != 3 for each in concentrations):
        raise UsageError("A triangle shows a Dirichlet distribution of three concentrations.")
    axes = _row(len(concentrations), 0.4)
    norm = LogNorm(1 / _DARKEST, _DARKEST, clip=True)
    tiles, middles = _tiles()
    parts = []
    for ax, each in zip(axes, concentrations, strict=True):
        triangle(ax, LABELS)
        drawn = distributions.dirichlet(each, samples=samples, seed=seed)
        ratio = density_ratio(middles, each)
        ax.tripcolor(tiles, facecolors=ratio, norm=norm, cmap=style.SEQUENTIAL, edgecolors="none")
        ax.plot(*plane(drawn).T, "o", ms=2.2, mew=0.4, mfc="white", mec=style.INK)
        nats = distributions.dirichlet_moments(each).entropy
        ax.set_title(f"β = {_short(each)}\nentropy {nats:.2f} nats")
        parts.append(f"β = {_short(each)}: {_place(each)}, {_spread(drawn.numpy(), nats)}")
    bar = style.root(axes[0]).colorbar(ScalarMappable(norm, style.SEQUENTIAL), ax=axes, shrink=0.7, extend="both")
    bar.set_label("density, uniform = 1")
    bar.ax.yaxis.set_major_locator(FixedLocator([1 / _DARKEST, 1 / 4, 1, 4, _DARKEST]))
    bar.ax.yaxis.set_minor_locator(FixedLocator([]))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value >= 1 else f"1/{1 / value:g}"))
    return Picture(
        style.root(axes[0]),
        f"Densities of {counted(len(parts), 'Dirichlet distribution')} of three weights on a triangle, with {samples} "
        f"samples of each. {'; '.join(parts)}.",
    )


def density_ratio(weights: Any, concentration: Vector) -> np.ndarray:
    """The density of Dir(beta) at weights (samples, K) inside the simplex, where the uniform one is 1: (samples,)."""
    beta = style.array(concentration)
    log = special.gammaln(beta.sum()) - special.gammaln(beta).sum() - special.gammaln(len(beta))
    return np.asarray(np.exp(log + (special.xlogy(beta - 1, style.array(weights))).sum(-1)))


@style.styled
def over_temperature(found: Sequence[GradientEstimate]) -> Picture:
    """Entropy of the weights, and bias and variance of gradient estimates, against temperature.

    Args:
        found: of `gradient_estimates.compare`; each estimator becomes a line.

    Raises:
        UsageError: there is no estimate.
    """
    if not found:
        raise UsageError("There is no gradient estimate to draw.")
    _, (left, middle, right) = style.figure("wide", 1, 3, height=3.2)
    names = dict.fromkeys(each.estimator for each in found)
    lines = {name: [each for each in found if each.estimator == name] for name in names}
    for place, (mark, rows) in enumerate(zip(style.marks(lines).values(), lines.values(), strict=True)):
        at = [each.temperature for each in rows]
        size = 7.5 - 1.2 * place  # lines may coincide: the first one's markers stay visible around the others
        for ax, field in ((left, "entropy"), (middle, "bias"), (right, "variance")):
            values = [getattr(each, field) for each in rows]
            ax.plot(
                at, values, color=mark.colour, ls=mark.line, marker=mark.marker, ms=size, label=mark.label,
                fillstyle="none",
            )  # fmt: skip
    most, exact = math.log(len(found[0].exact)), float(found[0].exact.norm())
    left.axhline(most, color=style.GREY, lw=0.8, ls=":")
    middle.axhline(exact, color=style.GREY, lw=0.8, ls=":")
    left.set(ylabel="entropy of the weights (nats)")
    middle.set(ylabel="bias of the gradient")
    right.set(ylabel="variance of the gradient", yscale="log")
    for ax in (left, middle, right):
        ax.set(xscale="log", xlabel="temperature")
    style.root(left).legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(lines))
    parts = [
        f"{name}: entropy {_ends(rows, 'entropy')}, bias {_ends(rows, 'bias')}, variance {_ends(rows, 'variance')}"
        for name, rows in lines.items()
    ]
    temperatures = sorted({each.temperature for each in found})
    return Picture(
        style.root(left),
        f"Gradient estimates at {counted(len(temperatures), 'temperature')} from {temperatures[0]:g} to "
        f"{temperatures[-1]:g}. From the lowest to the highest, {'; '.join(parts)}. Dotted: the largest entropy, "
        f"{most:.2f} nats, and the length of the exact gradient, {exact:.2f}, which is the bias of no gradient at all.",
    )


@style.styled
def gradient_sizes(sizes: Mapping[float, float], *, ax: Axes | None = None) -> Picture:
    """The largest gradient of a Dirichlet sample in its concentrations, against the concentration.

    Args:
        sizes: concentration to the size, as `distributions.largest_gradient` finds it.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there are fewer than two sizes.
    """
    if len(sizes) < 2:
        raise UsageError("A line needs at least two concentrations.")
    ax = style.on(ax)
    at, values = np.array(sorted(sizes.items())).T
    ax.plot(at, values, "s-", color=style.BLUE, label="largest of all samples")
    ax.plot(at, values[0] * (at[0] / at) ** 2, color=style.GREY, ls="--", lw=1.0, label="in proportion to 1 / β²")
    ax.set(xscale="log", yscale="log", xlabel="concentration β", ylabel="largest |∂θ / ∂β|")
    ax.legend(loc="upper right")
    power = math.log(values[0] / values[1]) / math.log(at[0] / at[1])
    return Picture(
        style.root(ax),
        f"The largest gradient of a Dirichlet sample at {counted(len(at), 'concentration')}: from {values[-1]:.2g} at "
        f"{at[-1]:g} to {values[0]:.2g} at {at[0]:g}, at the smallest two like β to the power {power:.1f}.",
    )


def triangle(ax: Axes, labels: Sequence[str]) -> None:
    """An empty triangle with names at its corners, a thin line from each to the middle of the opposite side."""
    ax.fill(*CORNERS.T, facecolor="none", edgecolor=style.GREY, lw=1.0, zorder=3)
    for place, (corner, label) in enumerate(zip(CORNERS, labels, strict=True)):
        foot = np.delete(CORNERS, place, 0).mean(0)
        ax.plot(*np.stack([corner, foot]).T, color=style.LIGHT, lw=0.6, zorder=0)
        side = 1 if corner[1] > 0 else -1
        ax.annotate(label, corner, (0, 4 * side), textcoords="offset points", ha="center", va=_LIE[side])
    ax.set(aspect="equal", xlim=(-0.08, 1.08), ylim=(-0.14, 1.02))
    ax.set_axis_off()


_LIE: dict[int, Any] = {1: "bottom", -1: "top"}


def _row(panels: int, spare: float) -> list[Axes]:
    """Axes side by side; `spare` inches of height are for what stands above and below the triangles."""
    figure, axes = style.figure("wide", 1, panels)
    width = min(8.0, 2.7 * panels)
    figure.set_size_inches(width, 0.85 * width / panels + spare)
    return list(np.atleast_1d(axes))


def _tiles() -> tuple[Triangulation, np.ndarray]:
    """The triangle cut into small ones, and the weights of their middles (tiles, 3)."""
    # By the counts of the first two weights.
    up = [[(i, j), (i + 1, j), (i, j + 1)] for i in range(_CUTS) for j in range(_CUTS - i)]
    down = [[(i + 1, j), (i, j + 1), (i + 1, j + 1)] for i in range(_CUTS - 1) for j in range(_CUTS - 1 - i)]
    first = np.array(up + down, dtype=np.float64) / _CUTS  # (tiles, 3 corners, 2)
    weights = np.concatenate([first, 1 - first.sum(-1, keepdims=True)], axis=-1)
    points = plane(weights.reshape(-1, 3))
    return Triangulation(points[:, 0], points[:, 1], np.arange(len(points)).reshape(-1, 3)), weights.mean(1)


def _entropy(weights: np.ndarray) -> float:
    return float(special.entr(weights).sum(-1).mean())


def _spread(weights: np.ndarray, nats: float) -> str:
    """How undecided the samples are, in words."""
    decided = 100 * (weights.max(1) > _DECIDED).mean()
    return f"mean entropy {nats:.2f} nats, {decided:.0f} % of them with a weight above {_DECIDED:g}"


def _place(concentration: Vector) -> str:
    """Where the density is largest, in words."""
    beta = style.array(concentration)
    if (beta == 1).all():
        return "the same density everywhere"
    if (beta > 1).all():
        mode = (beta - 1) / (beta.sum() - len(beta))
        return f"densest at the weights {', '.join(f'{weight:.2f}' for weight in mode)}"
    return "densest at the corners" if (beta < 1).all() else "densest at the border"


def _short(concentration: Vector) -> str:
    values = [f"{float(value):g}" for value in concentration]
    return values[0] if len(set(values)) == 1 else ", ".join(values)


def _ends(rows: Sequence[GradientEstimate], field: str) -> str:
    """The values at the lowest and at the highest temperature."""
    ordered = sorted(rows, key=lambda each: each.temperature)
    first, last = (f"{getattr(each, field):.2g}" for each in (ordered[0], ordered[-1]))
    return first if first == last else f"{first} to {last}"
