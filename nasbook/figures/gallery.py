"""Cells side by side, each under its name: spaces to compare, or what was found in them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nasbook.figures import style
from nasbook.figures.cells import Drawn, cell
from nasbook.figures.picture import Picture, together
from nasbook.runtime.errors import UsageError
from nasbook.spaces import SearchSpace, TopologySpace

COLUMNS = 2
_SPACE, _ARCHITECTURE = (4.0, 2.9), (5.5, 2.6)  # inches: an architecture's labels stand on its edges and need more


@style.styled
def gallery(cells: Mapping[str, Drawn], kind: str = "normal") -> Picture:
    """Cells of architectures or of search spaces, two a row.

    Args:
        cells: name to an architecture or a space.
        kind: "normal", or "reduce" in the DARTS family.

    Raises:
        UsageError: there is nothing to draw, or what is given has no such cell.
    """
    if not cells:
        raise UsageError("A gallery needs at least one cell.")
    rows = math.ceil(len(cells) / COLUMNS)
    all_spaces = all(isinstance(each, SearchSpace | TopologySpace) for each in cells.values())
    width, height = _SPACE if all_spaces else _ARCHITECTURE
    figure, grid = style.figure("wide", rows, COLUMNS)
    figure.set_size_inches(COLUMNS * width, rows * height)
    axes = grid.ravel()
    drawn = [
        Picture(each.figure, f"{name}. {each.alt}")
        for each, name in ((cell(what, kind, ax=ax), name) for ax, (name, what) in zip(axes, cells.items()))
    ]
    for ax, name in zip(axes, cells):
        ax.set_title(name)
    for ax in axes[len(cells) :]:
        ax.set_axis_off()
    return together(*drawn)
