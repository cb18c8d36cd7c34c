"""The dominant eigenvalue over the epochs: of several settings beside each other, and as early stopping reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import listed, trend
from nasbook.runtime.errors import UsageError
from nasbook.search import early_stopping

Curve = tuple[Sequence[int], Sequence[float]]
RECORDED = style.Mark("after each epoch", style.BLUE, "o")
SMOOTHED = style.Mark(f"mean of {early_stopping.WINDOW} looks", style.ORANGE, "", (7, 2))
RETURNED = style.Mark("goes back to", style.VERMILLION, "", (2, 1.5))
STOPPED = style.Mark("stops at", style.GREY, "", (4, 2))


@style.styled
def compared(curves: Mapping[str, Curve], *, ax: Axes | None = None) -> Picture:
    """One line a setting.

    Args:
        curves: by name, epochs and the largest eigenvalue after them.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: no curve, or one without a point or with lists of different lengths.
    """
    if not curves:
        raise UsageError("A picture of eigenvalues needs at least one curve.")
    ax = style.on(ax, "wide")
    marks = style.marks(curves)
    for name, (epochs, values) in curves.items():
        _check(epochs, values)
        mark = marks[name]
        ax.plot(epochs, values, color=mark.colour, ls=mark.line, marker=mark.marker, label=mark.label)
    _label(ax)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    told = listed(f"with {name} it {trend(values, 2)}" for name, (_, values) in curves.items())
    return Picture(style.root(ax), f"The dominant eigenvalue over the epochs: {told}.")


@style.styled
def stopping(epochs: Sequence[int], eigenvalues: Sequence[float], *, factor: float, ax: Axes | None = None) -> Picture:
    """A recorded curve with what DARTS-ES makes of it: the smoothed looks, where it stops and where it goes back to.

    Args:
        epochs: of the whole search, from 1.
        eigenvalues: the largest after each of them.
        factor: the growth of the smoothed curve that ends the search.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: no point, or lists of different lengths.
    """
    _check(epochs, eigenvalues)
    ax, length = style.on(ax), len(epochs)
    pairs = zip(epochs, eigenvalues, strict=True)
    looks = [(epoch, value) for epoch, value in pairs if early_stopping.measured(epoch, length)]
    at, back = _stop(looks, factor, length)
    ax.plot(epochs, eigenvalues, color=RECORDED.colour, marker=RECORDED.marker, label=RECORDED.label)
    half = early_stopping.WINDOW // 2
    smoothed = [
        (looks[place][0], sum(value for _, value in looks[place - half : place + half + 1]) / early_stopping.WINDOW)
        for place in range(half, len(looks) - half)
    ]
    if smoothed:
        ax.plot(*zip(*smoothed, strict=True), color=SMOOTHED.colour, ls=SMOOTHED.line, label=SMOOTHED.label)
    for epoch, mark in ((back, RETURNED), (at, STOPPED)):
        if epoch is not None:
            ax.axvline(epoch, color=mark.colour, ls=mark.line, label=f"{mark.label} {epoch}")
    _label(ax)
    ax.legend(loc="lower right")
    told = "never stops" if at is None else f"stops after epoch {at}, and goes back to epoch {back}"
    course = f"The dominant eigenvalue {trend(eigenvalues, 2)} over {length} epochs."
    return Picture(style.root(ax), f"{course} Early stopping at a growth of {factor:g} {told}.")


def _stop(looks: early_stopping.Curve, factor: float, epochs: int) -> tuple[int | None, int | None]:
    """The epoch at which the rule stops, and the one to which it goes back; none where the search ends by itself."""
    for count in range(1, len(looks) + 1):
        back = early_stopping.stopping_epoch(looks[:count], factor=factor, epochs=epochs)
        if back is not None:
            return looks[count - 1][0], back
    return None, None


def _check(epochs: Sequence[int], values: Sequence[float]) -> None:
    if not len(epochs) == len(values) > 0:
        raise UsageError(f"A curve needs an eigenvalue for each epoch; there are {len(values)} for {len(epochs)}.")


def _label(ax: Axes) -> None:
    ax.set(xlabel="epoch", ylabel="dominant eigenvalue", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
