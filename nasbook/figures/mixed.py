"""One mixed edge at work: the weights of its operations, what each makes of an image, and the mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.figures.words import listed
from nasbook.runtime.errors import UsageError


@style.styled
def weight_bars(weights: Mapping[str, float], *, ax: Axes | None = None) -> Picture:
    """The weights of one edge's operations as bars with their numbers.

    Args:
        weights: operation to weight.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: there is no weight.
    """
    if not weights:
        raise UsageError("A mixed edge has at least one operation.")
    ax = style.on(ax)
    marks = [style.operation(name) for name in weights]
    values = [float(value) for value in weights.values()]
    ax.barh(range(len(marks)), values, color=[mark.colour for mark in marks], height=0.62)
    for place, value in enumerate(values):
        ax.annotate(f"{value:.2f}", (value, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    ax.set_yticks(range(len(marks)), [mark.label for mark in marks])
    ax.set(xlabel="operation weight", xlim=(0, 1.12), ylim=(len(marks) - 0.4, -0.6))
    ax.grid(visible=False, axis="y")
    told = listed(f"{mark.label} {value:.2f}" for mark, value in zip(marks, values, strict=True))
    lead = f"{marks[int(np.argmax(values))].label} has the largest share"
    if np.isclose(max(values), min(values)):
        lead = "All have the same share"
    return Picture(style.root(ax), f"Weights of the edge's operations: {told}. {lead}.")


@style.styled
def edge(image: Any, outputs: Mapping[str, Any], weights: Mapping[str, float], mixture: Any) -> Picture:
    """A mixed edge from left to right: the image, each operation's output, the mixture; the weights as bars.

    Args:
        image: (height, width) or (3, height, width), what goes in.
        outputs: operation to what it makes of the image, one channel (height, width) or (3, height, width).
        weights: operation to weight, of the same operations.
        mixture: the sum of the outputs by their weights, of the outputs' shape.

    Raises:
        UsageError: weights and outputs are of different operations.
    """
    if list(outputs) != list(weights):
        raise UsageError(f"The weights are of {', '.join(weights)}; the outputs are of {', '.join(outputs)}.")
    figure, axes = style.figure("wide", 2, len(outputs) + 2, height=3.0)
    grid = axes[0, 0].get_gridspec()
    for ax in axes[1]:
        ax.remove()
    maps = [style.array(each) for each in (*outputs.values(), mixture)]
    limits = min(float(each.min()) for each in maps), max(float(each.max()) for each in maps)
    _show(axes[0, 0], image, "image", None)
    for ax, (name, output) in zip(axes[0, 1:], outputs.items(), strict=False):
        _show(ax, output, f"{style.operation(name).label}\n× {weights[name]:.2f}", limits)
        for spine in ax.spines.values():
            spine.set(color=style.operation(name).colour, linewidth=2.2, visible=True)
    _show(axes[0, -1], mixture, "mixture", limits)
    bars = weight_bars(weights, ax=figure.add_subplot(grid[1, :]))
    nearest = _nearest(maps[:-1], maps[-1], list(outputs))
    alt = f"An image, what each of {len(outputs)} operations makes of it, and their mixture. {bars.alt}"
    return Picture(figure, f"{alt} The mixture is most like the output of {nearest}.")


def _show(ax: Axes, values: Any, title: str, limits: tuple[float, float] | None) -> None:
    picture = style.array(values)
    low, high = limits or (float(picture.min()), float(picture.max()))
    if picture.ndim == 3:
        span = (high - low) or 1.0
        ax.imshow(np.clip((picture.transpose(1, 2, 0) - low) / span, 0, 1))
    else:
        ax.imshow(picture, cmap=style.SEQUENTIAL if limits else "gray", vmin=low, vmax=high)
    ax.set_title(title, pad=4, fontsize=8)
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)


def _nearest(outputs: Sequence[np.ndarray], mixture: np.ndarray, names: Sequence[str]) -> str:
    away = [float(np.square(output - mixture).mean()) for output in outputs]
    return style.operation(names[int(np.argmin(away))]).label
