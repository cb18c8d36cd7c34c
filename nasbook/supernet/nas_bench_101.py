"""The network of one NAS-Bench-101 cell: a stem, three stacks of equal cells, a classifier (Ying et al. 2019, sec. 2).

Between stacks a 2x2 maximum pool halves height and width, and the channels double. In a cell a vertex sums its inputs
and applies its operation; what comes from the cell's input passes a 1x1 projection of its own; the output concatenates.
Convolutions are followed by batch normalisation and ReLU, in this order. The benchmark's momentum of running
statistics, 0.997 in TensorFlow's convention, would be 0.003 in PyTorch's; here it is PyTorch's usual 0.1, with which
short trainings have statistics too.
"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbook.runtime.errors import UsageError
from nasbook.spaces.nas_bench_101 import Cell101
from nasbook.spaces.node_cell import NodeCell
from nasbook.spaces.operations import ConvBNReLU, Normalising, build
from nasbook.supernet.drop_path import drop_path
from nasbook.supernet.skeleton import pool_and_classify

STACKS = 3


def cells_a_stack(layers: int) -> int:
    """How many cells each stack has.

    Raises:
        UsageError: the cells cannot be shared out among the stacks.
    """
    if layers < STACKS or layers % STACKS:
        raise UsageError(
            f"A network of NAS-Bench-101 or NAS-Bench-1Shot1 has {STACKS} stacks of equally many cells: 3, 6, 9, ..., "
            f"not {layers} layers."
        )
    return layers // STACKS


def check(image: tuple[int, int, int], stem_stride: int, layers: int) -> None:
    """Make sure that the cells can be stacked; images of any size can be halved, as odd sides are padded.

    Raises:
        UsageError: they cannot be.
    """
    cells_a_stack(layers)


def vertex_channels(cell: Cell101, outputs: int) -> tuple[int, ...]:
    """The channels of every inner vertex of a pruned cell, 1, 2, ... (Ying et al. 2019, appendix; the released code).

    The vertices that the output concatenates share its channels, the first ones getting one more where they do not
    divide evenly; every other vertex has as many as the widest vertex that it feeds.

    Raises:
        UsageError: there are fewer channels than vertices to concatenate.
    """
    joined = [vertex for vertex in cell.sources(cell.output) if vertex]
    if joined and outputs < len(joined):
        raise UsageError(f"The output joins {len(joined)} nodes: it needs at least as many channels, not {outputs}.")
    channels: dict[int, int] = {}
    for vertex in range(cell.output - 1, 0, -1):
        if vertex in joined:
            share, rest = divmod(outputs, len(joined))
            channels[vertex] = share + (joined.index(vertex) < rest)
        else:
            channels[vertex] = max(channels[target] for target in channels if cell.matrix[vertex][target])
    return tuple(channels[vertex] for vertex in sorted(channels))


class DiscreteCell101(nn.Module):
    """One pruned cell: (B, inputs, H, W) -> (B, outputs, H, W)."""

    def __init__(self, cell: Cell101, inputs: int, outputs: int) -> None:
        super().__init__()
        self.sources = [cell.sources(vertex) for vertex in range(1, cell.output + 1)]
        self.channels = vertex_channels(cell, outputs)
        normalising = Normalising()
        self.projections = nn.ModuleDict(
            {
                str(vertex): ConvBNReLU(inputs, width, 1, 1, normalising)
                for vertex, width in enumerate((*self.channels, outputs), start=1)
                if 0 in cell.sources(vertex)
            }
        )
        self.operations = nn.ModuleList(
            build(name, width, 1, normalising=normalising, pool_norm=False)
            for name, width in zip(cell.operations[1:-1], self.channels, strict=True)
        )

    def forward(self, images: Tensor, drop_probability: float) -> Tensor:
        """The cell's output; `drop_probability` of drop path on every operation."""
        states: dict[int, Tensor] = {}
        for vertex, (operation, width) in enumerate(zip(self.operations, self.channels, strict=True), start=1):
            # A vertex may have one channel more than the one that it feeds: the last is cut off.
            terms = [states[source][:, :width] for source in self.sources[vertex - 1] if source]
            output = operation(reduce(torch.add, self._projected(images, vertex) + terms))
            states[vertex] = drop_path(output, drop_probability) if drop_probability > 0 else output
        joined = [states[source] for source in self.sources[-1] if source]
        terms = [torch.cat(joined, dim=1)] if joined else []
        return reduce(torch.add, self._projected(images, len(self.sources)) + terms)

    def _projected(self, images: Tensor, vertex: int) -> list[Tensor]:
        return [self.projections[str(vertex)](images)] if str(vertex) in self.projections else []


class Network101(nn.Module):
    """The network of one cell, which is pruned first: a loose end costs nothing.

    Args:
        architecture: of NAS-Bench-1Shot1, or any cell of NAS-Bench-101.
        channels: channels of a cell's output in the first stack (128 as published).
        layers: number of cells in all three stacks (9 as published).
        classes: number of classes.
        image_channels: channels of an image.
        stem_stride: 2 halves the images at once, for class-size runs.
        auxiliary: there is no auxiliary classifier in this family.

    Raises:
        UsageError: a number is out of range, or an auxiliary classifier is asked for.
    """

    def __init__(
        self,
        architecture: NodeCell | Cell101,
        *,
        channels: int,
        layers: int,
        classes: int,
        image_channels: int = 3,
        stem_stride: int = 1,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        if auxiliary:
            raise UsageError("Networks of NAS-Bench-101 have no auxiliary classifier: leave its weight at 0.")
        self.cells_a_stack = cells_a_stack(layers)
        cell = (architecture.cell101() if isinstance(architecture, NodeCell) else architecture).pruned()
        self.stem = ConvBNReLU(image_channels, channels, 3, stem_stride, Normalising())
        widths = [channels * 2 ** (index // self.cells_a_stack) for index in range(layers)]
        before = [channels, *widths[:-1]]
        self.cells = nn.ModuleList(DiscreteCell101(cell, *each) for each in zip(before, widths, strict=True))
        self.classifier = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor, drop_probability: float = 0.0) -> Tensor | tuple[Tensor, None]:
        """Class scores.

        Args:
            images: (B, image channels, H, W).
            drop_probability: of drop path on every operation; used in training mode only.

        Returns:
            In evaluation mode the logits (B, classes) alone; in training mode a pair of the logits and None, which
            stands in the place of an auxiliary classifier's logits.
        """
        drop_probability = drop_probability if self.training else 0.0
        images = self.stem(images)
        for index, cell in enumerate(self.cells):
            if index and index % self.cells_a_stack == 0:
                images = F.max_pool2d(images, 2, stride=2, ceil_mode=True)
            images = cell(images, drop_probability)
        logits = pool_and_classify(images, self.classifier)
        return (logits, None) if self.training else logits
