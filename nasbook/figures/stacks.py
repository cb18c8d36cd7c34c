"""The stack of cells that makes a network, and two architectures as two paths through one cell that shares weights."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from matplotlib.axes import Axes

from nasbook.figures import drawing, graph, layout, style
from nasbook.figures.drawing import Box, Curve, Drawing
from nasbook.figures.picture import Picture
from nasbook.figures.words import TITLES, counted, listed, place
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, SearchSpace
from nasbook.supernet.skeleton import kinds

_CELL_TINTS = {"normal": "#E4F0F9", "reduce": "#FBE3D1", "end": "#F2F2F2"}
_CELL_LETTERS = {"normal": "N", "reduce": "R"}
PATHS = {
    "A": style.Mark("A", style.BLUE, "s"),
    "B": style.Mark("B", style.VERMILLION, "D", (5, 2)),
    "A+B": style.Mark("A+B", style.INK, "o"),
}
"""How the operations of path A alone, of path B alone, and of both are drawn."""


@style.styled
def stack(layers: int, *, image: int, channels: int, stem_stride: int = 1, ax: Axes | None = None) -> Picture:
    """A network as a row of cells: the stem, normal and reduction cells, pooling, the classifier.

    A box is the taller the larger its images are. Below stand height, width and the channels of a node.

    Args:
        layers: number of graph.
        image: height and width of the images in pixels.
        channels: channels of a node before the first reduction.
        stem_stride: how many times smaller the stem makes the images: 1 as on CIFAR-10, 8 as on ImageNet.
        ax: where to draw; a new figure without it.
    """
    shown = draw_stack(layers, image=image, channels=channels, stem_stride=stem_stride)
    ax = style.on(ax, "wide", height=shown.height / 100)
    drawing.draw(shown, ax)
    return Picture(style.root(ax), shown.alt)


def draw_stack(layers: int, *, image: int, channels: int, stem_stride: int = 1) -> Drawing:
    """The shapes of `stack`."""
    if layers < 2:
        raise UsageError(f"A stack has at least 2 cells, not {layers}.")
    width, height, middle = 800.0, 225.0, 92.0
    names = ["image", "stem", *kinds(layers), "pool", "linear"]
    step = (width - 20) / len(names)
    side, depth, columns, notes = image, channels, [], []
    for index, name in enumerate(names):
        if name == "stem":
            side //= stem_stride
        if name == "reduce":
            side, depth = side // 2, 2 * depth
        tall = 26 + 84 * (side / image) ** 0.5 if name not in ("pool", "linear") else 58
        columns.append(_column(index, name, 10 + step * (index + 0.5), middle, min(0.72 * step, 44), tall))
        notes.append((side, depth if name in TITLES else 0))
    links = [layout.route(left, right) for left, right in pairwise(columns)]
    arrows = [Curve(f"link-{index}", points, style.GREY, 1.4) for index, points in enumerate(links)]
    arrows += [_skip(columns, index) for index in range(2, len(columns) - 2)]
    shapes = (*arrows, *columns, *_scales(columns, notes, 158.0), *_key(width, height - 16))
    return Drawing(width, height, shapes, _describe_stack(layers, image, channels, stem_stride, notes))


def _column(index: int, name: str, x: float, y: float, width: float, height: float) -> Box:
    face = _CELL_TINTS.get(name, _CELL_TINTS["end"])
    text = _CELL_LETTERS.get(name, name)
    return Box(f"{name}-{index}", x, y, width, height, text, face, radius=5, size=9, upright=name not in TITLES)


def _skip(columns: list[Box], index: int) -> Curve:
    """A cell's second input: the output of the cell before the last, over the head of the last."""
    source, target = columns[max(index - 2, 1)], columns[index]
    if index == 2:  # both inputs of the first cell are the stem
        start, end = (source.x, source.y - source.height / 2), (target.x - 6, target.y - target.height / 2 - 2)
    else:
        start, end = (source.x + 4, source.y - source.height / 2), (target.x - 4, target.y - target.height / 2 - 2)
    top = min(column.y - column.height / 2 for column in columns[max(index - 2, 1) : index + 1]) - 26
    return Curve(f"skip-{index}", (start, (start[0] + 4, top), (end[0] - 4, top), end), style.LIGHT, 1.3)


def _scales(columns: list[Box], notes: list[tuple[int, int]], y: float) -> list[Box | Curve]:
    """Below each run of cells of one size: a bracket, height x width, and the channels."""
    shapes: list[Box | Curve] = []
    start = 2
    for index in range(2, len(columns) - 2):
        if index + 1 < len(columns) - 2 and notes[index + 1] == notes[start]:
            continue
        left = columns[start].x - columns[start].width / 2
        right = columns[index].x + columns[index].width / 2
        side, depth = notes[start]
        line = ((left, y), (left + (right - left) / 3, y), (right - (right - left) / 3, y), (right, y))
        shapes.append(Curve(f"scale-{start}", line, style.GREY, 1.0, arrow=False))
        words = (f"{side}×{side}", f"C = {depth}")
        shapes += [
            Box(f"scale-{start}-{row}", (left + right) / 2, y + 11 + 13 * row, 10, 12, text, "none", "none", size=7.5)
            for row, text in enumerate(words)
        ]
        start = index + 1
    return shapes


def _key(width: float, y: float) -> list[Box]:
    shapes = []
    for x, kind in ((width / 2 - 150, "normal"), (width / 2 + 20, "reduce")):
        letter, words = _CELL_LETTERS[kind], TITLES[kind]
        shapes.append(Box(f"key-{kind}", x, y, 20, 18, letter, _CELL_TINTS[kind], radius=4, size=8))
        long = drawing.text_width(words, 8)
        shapes.append(Box(f"key-{kind}", x + 16 + long / 2, y, long, 14, words, "none", "none", size=8))
    return shapes


def _describe_stack(layers: int, image: int, channels: int, stem_stride: int, notes: list[tuple[int, int]]) -> str:
    halved = [index + 1 for index, kind in enumerate(kinds(layers)) if kind == "reduce"]
    stem = "keeps their size" if stem_stride == 1 else f"makes them {stem_stride} times smaller"
    side, depth = notes[-3]
    return (
        f"A network of {layers} cells on images of {image}×{image} pixels: the stem {stem}, cells "
        f"{listed(map(str, halved))} are reduction cells, the others normal cells, then pooling and a linear "
        f"classifier. Each cell takes the outputs of the two cells before it. From the stem to the last cell the "
        f"images shrink from {image // stem_stride}×{image // stem_stride} to {side}×{side} and the channels of a "
        f"node grow from {channels} to {depth}."
    )


@style.styled
def paths(space: SearchSpace, a: Genotype, b: Genotype, kind: str = "normal", *, ax: Axes | None = None) -> Picture:
    """Two architectures as two paths through the supernet's cell; what both use has one set of weights.

    Args:
        space: whose supernet it is; its other operations stay pale.
        a: the first architecture.
        b: the second architecture.
        kind: "normal" or "reduce".
        ax: where to draw; a new figure without it.

    Raises:
        UsageError: an architecture is not in the space, or the cell is not searched.
    """
    shown = draw_paths(space, a, b, kind)
    ax = style.on(ax, "single" if space.nodes <= 2 else "wide", height=shown.height / 100)
    drawing.draw(shown, ax)
    return Picture(style.root(ax), shown.alt)


def paths_svg(space: SearchSpace, a: Genotype, b: Genotype, kind: str = "normal") -> str:
    """The same as `paths`, as the text of one SVG element."""
    return drawing.svg(draw_paths(space, a, b, kind))


def draw_paths(space: SearchSpace, a: Genotype, b: Genotype, kind: str = "normal") -> Drawing:
    """The shapes of `paths`."""
    for genotype in (a, b):
        space.check(genotype)
    if kind not in space.groups:
        raise UsageError(f"Space {space.name} has no searched {kind!r} cell; it has {', '.join(space.groups)}.")
    width, height = 100 * style.SIZES["single" if space.nodes <= 2 else "wide"][0], 340.0
    nodes = graph.place(space.groups[kind].edges, space.groups[kind].nodes, width, height - 26)
    used = _users(a, b, kind)
    pale, named = [], []
    for curve in graph.side_by_side(space.groups[kind], nodes, bowed=True):
        user = used.get(graph.triple(curve))
        if user is None:
            pale.append(replace(curve, colour=style.LIGHT, dash=(), width=1.2))
        else:
            mark = PATHS[user]
            thick = 3.6 if user == "A+B" else 2.4
            named.append(replace(curve, colour=mark.colour, dash=mark.dash, width=thick))
    texts = [f"{used[triple]}: {style.operation(triple[2]).label}" for triple in map(graph.triple, named)]
    sizes = [(drawing.text_width(text, 7.5) + 8, 16.0) for text in texts]
    spots = layout.label_spots(named, sizes, list(nodes.values()))
    labels = [
        Box(curve.key.replace("edge", "label", 1), *spot, *size, text, edge=curve.colour, radius=5, size=7.5)
        for curve, spot, size, text in zip(named, spots, sizes, texts, strict=True)
    ]
    lines = [*graph.joins(nodes, space.groups[kind].nodes), *pale, *named]
    shapes = (*lines, *nodes.values(), *labels, *_paths_key(width, height - 14))
    return Drawing(width, height, shapes, _describe_paths(used, kind))


def _users(a: Genotype, b: Genotype, kind: str) -> dict[tuple[int, int, str], str]:
    """Who uses an operation of an edge: "A", "B", or "A+B"."""
    used = dict.fromkeys(a.edges(kind), "A")
    return used | {triple: "A+B" if triple in used else "B" for triple in b.edges(kind)}


def _paths_key(width: float, y: float) -> list[Box | Curve]:
    shapes: list[Box | Curve] = []
    words = {"A": "path A", "B": "path B", "A+B": "shared weights"}
    for x, (user, text) in zip((width / 2 - 190, width / 2 - 80, width / 2 + 30), words.items(), strict=True):
        mark, long = PATHS[user], drawing.text_width(text, 8)
        line = ((x, y), (x + 9, y), (x + 19, y), (x + 28, y))
        shapes.append(Curve(f"key-{user}", line, mark.colour, 3.0, mark.dash, arrow=False))
        shapes.append(Box(f"key-{user}", x + 34 + long / 2, y, long, 14, text, "none", "none", size=8))
    return shapes


def _describe_paths(used: dict[tuple[int, int, str], str], kind: str) -> str:
    def told(user: str) -> str:
        return listed(
            f"{style.operation(name).label} from {place(source)} to {place(target)}"
            for (source, target, name), each in used.items()
            if each == user
        )

    shared = sum(user == "A+B" for user in used.values())
    words = f"Two paths through the {TITLES[kind]} of one supernet share {counted(shared, 'operation')}"
    words += f": {told('A+B')}." if shared else "."
    for user in ("A", "B"):
        if told(user):
            words += f" Path {user} alone uses {told(user)}."
    return words + (" Training either path changes the shared weights." if shared else " Neither changes the other.")
