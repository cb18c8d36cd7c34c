"""How every picture of the book looks: three sizes, one palette with fixed meaning, a light grid on white.

Colours are those of Okabe and Ito (2008), which stay apart for colour-blind readers, with two darker shades where the
field has more operations than the palette has colours. Colour never stands alone: an operation also keeps its marker,
its line style and its short name in every chapter.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

import matplotlib.style
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nasbook.runtime.errors import UsageError

SIZES = MappingProxyType({"single": (5.5, 3.4), "wide": (8.0, 3.4), "square": (4.2, 4.2)})
"""Width and height in inches."""
DPI = 110

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
DEEP_BLUE, DEEP_GREEN = "#00456B", "#00543D"
GREY, LIGHT, INK = "#8C8C8C", "#D9D9D9", "#262626"
SEQUENTIAL, DIVERGING = "cividis", "RdBu_r"


@dataclass(frozen=True)
class Mark:
    """How one operation or one method is drawn, everywhere.

    Args:
        label: its short name in a picture.
        colour: hexadecimal RGB.
        marker: matplotlib's marker.
        dash: lengths of dashes and gaps in points; empty for a solid line.
    """

    label: str
    colour: str
    marker: str
    dash: tuple[float, ...] = ()

    @property
    def line(self) -> Any:
        """The line style as matplotlib takes it."""
        return (0, self.dash) if self.dash else "-"


OPERATIONS = MappingProxyType(
    {
        "none": Mark("none", GREY, "x", (1, 2)),
        "max_pool_3x3": Mark("max 3×3", ORANGE, "^", (5, 2)),
        "avg_pool_3x3": Mark("avg 3×3", PURPLE, "v", (5, 2, 1, 2)),
        "skip_connect": Mark("skip", VERMILLION, "o"),
        "sep_conv_3x3": Mark("sep 3×3", BLUE, "s", (7, 1.5)),
        "sep_conv_5x5": Mark("sep 5×5", SKY, "D", (3, 1.5)),
        "sep_conv_7x7": Mark("sep 7×7", DEEP_BLUE, "p", (7, 1.5, 1, 1.5)),
        "dil_conv_3x3": Mark("dil 3×3", GREEN, "P", (4, 1, 1, 1)),
        "dil_conv_5x5": Mark("dil 5×5", DEEP_GREEN, "X", (2, 1)),
        "conv_7x1_1x7": Mark("1×7, 7×1", YELLOW, "h", (9, 2)),
        "noise": Mark("noise", BLACK, "*", (1, 1)),
        # The palette is used up: these stand in a space of their own, where no separable convolution is.
        "nor_conv_1x1": Mark("conv 1×1", SKY, "<", (3, 1, 1, 1)),
        "nor_conv_3x3": Mark("conv 3×3", BLUE, ">", (6, 1)),
        "maxpool3x3": Mark("maxpool 3×3", ORANGE, "d", (8, 2, 2, 2)),
        "conv3x3-bn-relu": Mark("conv-bn 3×3", BLUE, "8", (10, 1)),
        "conv1x1-bn-relu": Mark("conv-bn 1×1", SKY, "H", (1, 3)),
    }
)
"""Every operation of `spaces.operations.NAMES`."""

METHODS = MappingProxyType(
    {
        "random": Mark("random search", GREY, "o", (1, 1.5)),
        "evolution": Mark("evolution", GREEN, "^", (5, 2)),
        "reinforce": Mark("REINFORCE", PURPLE, "v", (5, 2, 1, 2)),
        "enumeration": Mark("all architectures", BLACK, "x", (2, 1)),
        "darts": Mark("DARTS, first order", BLUE, "s"),
        "darts-2nd": Mark("DARTS, second order", VERMILLION, "D", (7, 2)),
        "darts-exact": Mark("DARTS, exact", ORANGE, "P", (4, 1, 1, 1)),
    }
)
"""The methods that the book runs; `marks` gives others what is left."""

FAMILIES = MappingProxyType(
    {
        "human design": Mark("human design", BLACK, "s"),
        "reinforcement learning": Mark("reinforcement learning", VERMILLION, "v"),
        "evolution": Mark("evolution", GREEN, "^"),
        "gradient": Mark("gradient", BLUE, "o"),
        "random search": Mark("random search", GREY, "X"),
    }
)
"""Classes of methods; `marks` gives others what is left."""

_SPARE = (
    (BLUE, "s", ()),
    (VERMILLION, "D", (7, 2)),
    (GREEN, "^", (5, 2)),
    (PURPLE, "v", (5, 2, 1, 2)),
    (ORANGE, "P", (4, 1, 1, 1)),
    (SKY, "X", (3, 1.5)),
    (BLACK, "x", (2, 1)),
)

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.titlesize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "legend.handlelength": 2.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "white",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.transparent": False,
    "figure.dpi": DPI,
    "figure.figsize": SIZES["single"],
    "image.cmap": SEQUENTIAL,
    "image.interpolation": "nearest",
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "svg.hashsalt": "nasbook",  # the same picture gives the same file
    "axes.prop_cycle": cycler(color=[colour for colour, _, _ in _SPARE]),
}

# Every setting that a picture depends on: the book's own, and matplotlib's defaults for all others. A reader's
# matplotlibrc (text.usetex, savefig.bbox, ...) then changes no picture, and asks for no program that is missing here.
_LOOK: list[Any] = ["default", _RC]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def use() -> None:
    """Give the reader's own matplotlib figures in this notebook the look of the book."""
    matplotlib.style.use(_LOOK)


def styled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function draw in the look of the book, whatever the settings around it are."""

    @functools.wraps(function)
    def inside(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with matplotlib.style.context(_LOOK):
            return function(*args, **kwargs)

    return inside


@styled
def figure(size: str = "single", rows: int = 1, columns: int = 1, *, height: float | None = None) -> tuple[Figure, Any]:
    """An empty figure that belongs to nobody's global state, and its axes.

    Args:
        size: "single", "wide" or "square".
        rows: rows of axes.
        columns: columns of axes.
        height: inches, where a picture needs another height than its size has.

    Returns:
        the figure; one Axes, or an array of them as `Figure.subplots` gives.

    Raises:
        UsageError: there is no such size.
    """
    if size not in SIZES:
        raise UsageError(f"A figure is {', '.join(SIZES)}, not {size!r}.")
    width, usual = SIZES[size]
    made = Figure(figsize=(width, height or usual), dpi=DPI, layout="constrained")
    return made, made.subplots(rows, columns)


def root(ax: Axes) -> Figure:
    """The whole figure that axes are on."""
    whole: Any = ax.figure
    while not isinstance(whole, Figure):
        whole = whole.figure
    return whole


def on(ax: Axes | None, size: str = "single", *, height: float | None = None) -> Axes:
    """The axes that were given, or those of a new figure."""
    return figure(size, height=height)[1] if ax is None else ax


def operation(name: str) -> Mark:
    """How an operation is drawn.

    Raises:
        UsageError: there is no such operation.
    """
    if name not in OPERATIONS:
        raise UsageError(f"Operation {name!r} has no colour; there are {', '.join(OPERATIONS)}.")
    return OPERATIONS[name]


def marks(names: Iterable[str]) -> dict[str, Mark]:
    """How the curves or points of one picture are drawn: methods and families as everywhere, others in what is left."""
    wanted = list(dict.fromkeys(names))
    fixed = {name: METHODS.get(name) or FAMILIES.get(name) for name in wanted}
    taken = {mark.colour for mark in fixed.values() if mark}
    spare = [each for each in _SPARE if each[0] not in taken] or list(_SPARE)
    found: dict[str, Mark] = {}
    for name in wanted:
        colour, marker, dash = spare[sum(not fixed[each] for each in found) % len(spare)]
        found[name] = fixed[name] or Mark(name, colour, marker, dash)
    return found


def array(values: Any) -> np.ndarray:
    """Numbers as a float64 array, from lists, arrays or tensors on any device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)
