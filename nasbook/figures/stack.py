"""The stack of cells as a row of boxes: what stands where, how large the images are there, and how many channels."""

from __future__ import annotations

from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.supernet.skeleton import kinds

_FILL = {"stem": ("#E8E8E8", ""), "normal": ("#D6E8F5", ""), "reduce": ("#F7DDB0", "///")}
_CALLED = {"stem": "stem", "normal": "normal cell", "reduce": "reduction cell"}
_Box = tuple[str, int, int]  # kind, side of its output in pixels, channels of a node


@style.styled
def stack(
    layers: int, *, channels: int, side: int, stem: tuple[int, ...] = (1,), ax: Axes | None = None
) -> Picture:
    """A network's boxes from image to classifier, as tall as their images are large.

    Args:
        layers: number of cells.
        channels: channels of a node in the first cells.
        side: height and width of the images, in pixels.
        stem: the stride of each convolution before the first cell: (1,) for small images, (2, 2, 2) in the network of
            DARTS for large ones.
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: the images cannot be halved so often.
    """
    boxes = _boxes(layers, channels, side, stem)
    ax = style.on(ax, "wide", height=2.4)
    largest = max(box[1] for box in boxes)
    for place, (kind, pixels, _) in enumerate(boxes):
        colour, hatch = _FILL[kind]
        tall = (pixels / largest) ** 0.5
        ax.add_patch(
            Rectangle(
                (place - 0.4, -tall / 2), 0.8, tall, facecolor=colour, edgecolor=style.INK, hatch=hatch, linewidth=0.8
            )
        )
    for (kind, pixels, width), group in groupby(enumerate(boxes), key=lambda item: item[1]):
        places = [place for place, _ in group]
        if kind == "normal" or len(places) > 1:
            middle = (places[0] + places[-1]) / 2
            ax.text(middle, 0.60, f"{len(places)} ×", ha="center", va="bottom", fontsize=8)
            ax.text(middle, -0.60, f"{pixels}×{pixels}\n{width} channels", ha="center", va="top", fontsize=8)
    ax.set(xlim=(-1.2, len(boxes) + 0.2), ylim=(-1.0, 0.85))
    ax.text(-0.6, 0, f"{side}×{side}", ha="right", va="center", fontsize=8, rotation=90)
    ax.text(len(boxes) - 0.4, 0, "pool,\nclassify", ha="left", va="center", fontsize=8)
    ax.legend(
        handles=[Rectangle((0, 0), 1, 1, facecolor=_FILL[kind][0], edgecolor=style.INK, hatch=_FILL[kind][1], label=name)
                 for kind, name in _CALLED.items()],
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3,
    )
    ax.axis("off")
    return Picture(ax.figure, _words(boxes, side, layers))


def _boxes(layers: int, channels: int, side: int, stem: tuple[int, ...]) -> list[_Box]:
    boxes: list[_Box] = []
    for stride in stem:
        side = _halved(side) if stride == 2 else side
        boxes.append(("stem", side, 3 * channels))
    for kind in kinds(layers):
        if kind == "reduce":
            side, channels = _halved(side), 2 * channels
        boxes.append((kind, side, channels))
    return boxes


def _halved(side: int) -> int:
    if side % 2:
        raise UsageError(f"Images of {side}x{side} pixels cannot be halved: choose another size or fewer reductions.")
    return side // 2


def _words(boxes: list[_Box], side: int, layers: int) -> str:
    halvings = sum(kind == "reduce" for kind, _, _ in boxes)
    stages = [
        f"{sum(1 for _ in group)} at {pixels}×{pixels} pixels with {width} channels"
        for (kind, pixels, width), group in groupby(boxes)
        if kind == "normal"
    ]
    stems = [pixels for kind, pixels, _ in boxes if kind == "stem"]
    return (
        f"A stack of {layers} cells on images of {side}×{side} pixels: the stem brings them to {stems[-1]}×{stems[-1]}, "
        f"{halvings} reduction cells halve them and double the channels; normal cells: {', '.join(stages)}."
    )
