"""Pictures of skip domination: theta* over depth, measured errors beside learned weights, and the lecture's curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from nasbook.analysis import skip_domination
from nasbook.analysis.skip_domination import CONV_VARIANCE, SHARED, Depth
from nasbook.analysis.skip_errors import SKIP, EdgeErrors
from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.searches import History
from nasbook.figures.words import counted, trend
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Space

_SKIP, _CONV = style.operation("skip_connect"), style.operation("sep_conv_3x3")


@style.styled
def over_depth(
    found: Sequence[Depth], *, conv: float = CONV_VARIANCE, shared: float = SHARED, ax: Axes | None = None
) -> Picture:
    """theta* of the skip connection against depth: the closed form as a line, fits to drawn numbers as dots.

    Args:
        found: of `skip_domination.demonstrate`, with the same two settings.
        conv, shared: of the line.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: nothing was drawn.
    """
    if not found:
        raise UsageError("There is no depth to draw.")
    ax = style.on(ax)
    depths = [each.depth for each in found]
    line = np.geomspace(max(min(depths), 0.5), max(max(depths), 1.0), 200)
    theta = []
    for depth in line:
        skip, variance, covariance = skip_domination.at_depth(float(depth), conv=conv, shared=shared)
        theta.append(skip_domination.best_weight(skip, variance, covariance=covariance))
    ax.plot(line, theta, color=_SKIP.colour, label="closed form")
    fitted = [each.fitted for each in found]
    ax.plot(depths, fitted, _SKIP.marker, color=style.INK, fillstyle="none", label="least squares on drawn numbers")
    ax.axhline(1.0, color=style.GREY, lw=0.8, ls=":")
    ax.set(xscale="log", xlabel="depth L, with V_skip = 1 / (L + 1)", ylabel="best weight of the skip connection θ*")
    ax.xaxis.set_major_locator(FixedLocator(sorted(set(depths))))
    ax.xaxis.set_minor_locator(FixedLocator([]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.legend(loc="lower right")
    apart = max(abs(each.fitted - each.theory) for each in found)
    return Picture(
        style.root(ax),
        f"The best weight of the skip connection over {counted(len(found), 'depth')} from {depths[0]} to {depths[-1]}: "
        f"it {trend([each.theory for each in found], 2)} by the closed form, towards 1 where the error of the input "
        f"vanishes. Fits to drawn numbers differ from it by at most {apart:.3f}.",
    )


@style.styled
def mixture(skip: float, conv: float, *, covariance: float = 0.0, ax: Axes | None = None) -> Picture:
    """The error of the mixture over the weight of the skip connection, with its minimum in [0, 1].

    Args:
        skip, conv, covariance: V_skip, V_conv and c, as for `skip_domination.best_weight`.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: no two estimates have such variances and such a covariance, or their errors are equal.
    """
    best = skip_domination.best_weight(skip, conv, covariance=covariance, clip=True)
    ax = style.on(ax)
    thetas = np.linspace(0, 1, 101)
    variances = [skip_domination.error_variance(theta, skip=skip, conv=conv, covariance=covariance) for theta in thetas]
    least = skip_domination.error_variance(best, skip=skip, conv=conv, covariance=covariance)
    ax.plot(thetas, variances, color=style.INK, label="error of the mixture")
    ax.plot([0], [conv], _CONV.marker, color=_CONV.colour, label="convolution alone")
    ax.plot([1], [skip], _SKIP.marker, color=_SKIP.colour, label="skip connection alone")
    ax.plot([best], [least], "*", color=style.GREEN, markersize=11, label=f"smallest, at θ* = {best:.3f}")
    ax.set(xlabel="weight of the skip connection θ", ylabel="variance of the error", ylim=(0, 1.35 * max(skip, conv)))
    ax.legend(loc="upper center", ncols=2)
    return Picture(
        style.root(ax),
        f"The error of a mixture of skip connection (V = {skip:.3f}) and convolution (V = {conv:.3f}) with covariance "
        f"{covariance:.3f}, over the weight of the skip connection: it is smallest, {least:.3f}, at {best:.3f}.",
    )


@style.styled
def errors(found: Sequence[EdgeErrors]) -> Picture:
    """Measured errors of both operations, edge by edge, and the weight that they predict against the learned one.

    Args:
        found: of `skip_errors.measured`, of one or of several supernets.

    Raises:
        UsageError: nothing was measured.
    """
    if not found:
        raise UsageError("There is no measured edge to draw.")
    _, (left, right) = style.figure("wide", 1, 2)
    learned = [each.learned for each in found]
    for mark, values in ((_SKIP, [each.skip for each in found]), (_CONV, [each.conv for each in found])):
        left.plot(learned, values, mark.marker, color=mark.colour, label=f"V of {_name(mark)}", alpha=0.8)
    left.axhline(2.0, color=style.GREY, lw=0.8, ls=":")
    left.set(xlabel="learned weight of the skip connection", ylabel="variance of the error V", ylim=(0, None))
    left.legend(loc="best")
    predicted = [each.predicted for each in found]
    cells = sorted({each.cell for each in found})
    for mark, cell in zip(style.marks(f"cell {cell}" for cell in cells).values(), cells, strict=True):
        here = [each for each in found if each.cell == cell]
        right.plot(
            [each.predicted for each in here], [each.learned for each in here], mark.marker, color=mark.colour,
            label=mark.label, alpha=0.8,
        )  # fmt: skip
    right.axline((0.5, 0.5), slope=1, color=style.GREY, lw=0.8, ls="--")
    right.set(xlabel="weight predicted by the errors θ*", ylabel="learned weight of the skip connection")
    right.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    right.legend(loc="lower right")
    below = sum(each.skip < each.conv for each in found)
    return Picture(
        style.root(left),
        f"Errors measured on {counted(len(found), 'edge')}: V of the skip connection lies between "
        f"{min(each.skip for each in found):.2f} and {max(each.skip for each in found):.2f}, V of the convolution "
        f"between {min(each.conv for each in found):.2f} and {max(each.conv for each in found):.2f}; the skip "
        f"connection's is the smaller one on {below}. The dotted line at 2 is where a map has nothing in common with "
        f"the target. Beside it the weight that the errors predict, from {min(predicted):.2f} to {max(predicted):.2f}, "
        f"against the learned one, from {min(learned):.2f} to {max(learned):.2f}; {correlation(found)}.",
    )


def correlation(found: Sequence[EdgeErrors]) -> str:
    """Pearson's correlation of predicted and learned weights, in words."""
    predicted, learned = (np.array([getattr(each, name) for each in found]) for name in ("predicted", "learned"))
    if len(found) < 3 or np.ptp(predicted) == 0 or np.ptp(learned) == 0:
        return "too few different weights for a correlation"
    return f"their correlation is {np.corrcoef(predicted, learned)[0, 1]:.2f}"


@style.styled
def domination(
    histories: Sequence[History], space: Space, *, controls: Mapping[str, Sequence[History]] | None = None
) -> Picture:
    """The lecture's three curves: supernet accuracy, mean skip weight and mean convolution weight over the epochs.

    Args:
        histories: one a seed, each with `valid_accuracy` and `weights`; lines are means, bands reach from the lowest to
            the highest.
        space: what was searched.
        controls: other searches of the space by name, drawn in grey beside.

    Raises:
        UsageError: there is no history, histories of one line differ in length or belong to another space, or the space
            offers no skip connection or no convolution.
    """
    groups = {"": histories, **(controls or {})}
    lines = {name: curves(runs, space) for name, runs in groups.items()}
    _, (left, right) = style.figure("wide", 1, 2)
    accuracy, skip, conv = lines[""]
    _band(left, accuracy, style.Mark("supernet", style.BLACK, "D"), "supernet")
    _band(right, skip, _SKIP, _name(_SKIP))
    _band(right, conv, _CONV, _name(_CONV))
    greys = ((4.0, 2.0), (1.0, 1.5), (6.0, 1.5, 1.0, 1.5))
    for place, (name, (accuracy_of, skip_of, _)) in enumerate(list(lines.items())[1:]):
        mark = style.Mark(name, style.GREY, "", greys[place % len(greys)])
        _band(left, accuracy_of, mark, name)
        _band(right, skip_of, mark, f"{_SKIP.label}, {name}")
    left.set(xlabel="epoch", ylabel="supernet's accuracy, validation half (%)")
    right.set(xlabel="epoch", ylabel="weight, mean over edges")
    for ax in (left, right):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(loc="best")
    weight = skip.mean(0)
    told = (
        f"the supernet's accuracy {trend(accuracy.mean(0))} %, the mean weight of skip connections "
        f"{trend(weight, 2)} with its lowest value {weight.min():.2f} in epoch {weight.argmin() + 1}, "
        f"that of convolutions {trend(conv.mean(0), 2)}"
    )
    beside = "".join(
        f" The control {name}: accuracy {trend(values[0].mean(0))} %, skip weight {trend(values[1].mean(0), 2)}."
        for name, values in list(lines.items())[1:]
    )
    runs = f"{len(histories)} searches" if len(histories) > 1 else "one search"
    alt = f"Over {counted(accuracy.shape[1], 'epoch')} of {runs} of space {space.name}: {told}."
    return Picture(style.root(left), alt + beside)


def curves(histories: Sequence[History], space: Space) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Supernet accuracy (percent), mean skip weight and mean weight of a convolution: each (searches, epochs).

    The mean is over all edges of all searched cells that offer the operation, and over an edge's convolutions.

    Raises:
        UsageError: as for `domination`.
    """
    if not histories or not all(histories):
        raise UsageError("There is no finished epoch to draw.")
    if len({len(history) for history in histories}) > 1:
        raise UsageError("Searches that are drawn as one line need equally many epochs.")
    accuracy = np.array([[float(record["valid_accuracy"]) for record in history] for history in histories])
    skip, conv = (
        np.array([[_mean(record, chosen, space) for record in history] for history in histories])
        for chosen in (lambda name: name == SKIP, lambda name: "conv" in name)
    )
    return accuracy, skip, conv


def _mean(record: Mapping[str, Any], chosen: Callable[[str], bool], space: Space) -> float:
    """The mean weight in one epoch of all operations that are chosen by their name."""
    values = []
    for name, group in space.groups.items():
        mask = np.array([[chosen(each) for each in row] for row in group.operations])
        weights = style.array(record["weights"].get(name, []))
        if weights.shape != mask.shape:
            raise UsageError(f"Space {space.name} has weights of shape {mask.shape}; this history has {weights.shape}.")
        values.append(weights[mask])
    together = np.concatenate(values)
    if not len(together):
        raise UsageError(f"Space {space.name} does not offer both a skip connection and a convolution.")
    return float(together.mean())


def _band(ax: Axes, values: np.ndarray, mark: style.Mark, label: str) -> None:
    """The mean of (searches, epochs) as a line, and from the lowest to the highest as a band."""
    epochs = np.arange(1, values.shape[1] + 1)
    every = max(1, len(epochs) // 8)
    ax.plot(epochs, values.mean(0), color=mark.colour, ls=mark.line, marker=mark.marker, markevery=every, label=label)
    if len(values) > 1:
        ax.fill_between(epochs, values.min(0), values.max(0), color=mark.colour, alpha=0.18, lw=0)


def _name(mark: style.Mark) -> str:
    return "skip connection" if mark is _SKIP else "convolution"
