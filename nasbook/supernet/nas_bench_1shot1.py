"""The supernet of NAS-Bench-1Shot1: choice blocks that mix their inputs and their operations (Zela et al. 2020).

    block_n = sum_k o[n, k] * operation_k( i_n[0] * projection_n(x) + sum_m i_n[m] * block_m )
    cell(x) = out[0] * projection(x) + concatenation over n of  out[n] * block_n

with the weights o of the operations, i_n of a node's inputs and out of the output, each row after its own softmax; a
node without a choice sums its inputs. The stack is that of NAS-Bench-101, but its pools are padded by one pixel, so
that 32 pixels become 17 and 9, and a ReLU, a 1x1 convolution and batch normalisation stand before the classifier (the
authors' released code, from which all of this is). As in that code, every batch normalisation but the last has a
learned scale; in the supernets of the other families, no norm inside a cell has one. The code uses
TensorFlow's momentum of running statistics, 0.997, in PyTorch, where momentum means the opposite. So its running
statistics are nearly those of the last batch. Here the momentum is PyTorch's usual 0.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbook.spaces.nas_bench_1shot1 import NodeSpace, inputs_of
from nasbook.spaces.operations import ConvBNReLU, Normalising, ReLUConvBN
from nasbook.supernet.mixing import Active, Mixing
from nasbook.supernet.nas_bench_101 import cells_a_stack
from nasbook.supernet.skeleton import pool_and_classify
from nasbook.supernet.supernet import PLAIN, EdgeSettings, MixedEdge

Columns = tuple[int, ...]


@dataclass(frozen=True)
class Running:
    """What of a cell runs.

    Args:
        inputs: for each node that runs, the parents that it reads; a node that nothing reads does not run.
        operations: for each node, 1, 2, ..., the operations that run.
        output: the nodes that the output reads; 0 is the projected input.
    """

    inputs: Mapping[int, Columns]
    operations: tuple[Columns, ...]
    output: Columns


def running(space: NodeSpace, active: Active | None) -> Running:
    """What runs where these rows and columns are active (all of them where nothing is said)."""

    def row(group: str, index: int = 0) -> Columns:
        return tuple(range(space.groups[group].shape[1])) if active is None else active[group][index]

    output = row("output")
    read, inputs = set(output), {}
    for node in range(len(space.keep), 0, -1):
        if node in read:
            inputs[node] = row(inputs_of(node)) if inputs_of(node) in space.groups else tuple(range(node))
            read |= set(inputs[node])
    return Running(inputs, tuple(row("operations", index) for index in range(len(space.keep))), output)


class MixedNodeCell(nn.Module):
    """A cell of choice blocks, each with its own projection of the cell's input and all operations."""

    def __init__(
        self,
        space: NodeSpace,
        inputs: int,
        channels: int,
        normalising: Normalising,
        settings: EdgeSettings = PLAIN,
    ) -> None:
        super().__init__()
        self.channels, nodes = channels, len(space.keep)
        self.projections = nn.ModuleList(ConvBNReLU(inputs, channels, 1, 1, normalising) for _ in range(nodes))
        self.operations = nn.ModuleList(
            MixedEdge(space.operations, channels, 1, normalising, pool_norm=False, settings=settings)
            for _ in range(nodes)
        )
        self.to_output = ConvBNReLU(inputs, nodes * channels, 1, 1, normalising)

    def forward(
        self, images: Tensor, weights: Mapping[str, Tensor], runs: Running, drop_probability: float = 0.0
    ) -> Tensor:
        """(B, inputs, H, W) -> (B, nodes * C, H, W); `weights` holds the space's groups."""
        states: dict[int, Tensor] = {}
        for node in sorted(runs.inputs):
            mixed = self._inputs(node, images, states, weights.get(inputs_of(node)), runs.inputs[node])
            if mixed is None:
                continue
            which = weights["operations"][node - 1], runs.operations[node - 1]
            output = self.operations[node - 1](mixed, *which, drop_probability)
            if output is not None:
                states[node] = output
        scales = weights["output"][0]
        empty = images.new_zeros(len(images), self.channels, *images.shape[-2:])
        parts = [
            scales[node] * states[node] if node in states and node in runs.output else empty
            for node in range(1, len(self.operations) + 1)
        ]
        joined = torch.cat(parts, dim=1)
        return joined + scales[0] * self.to_output(images) if 0 in runs.output else joined

    def _inputs(
        self, node: int, images: Tensor, states: Mapping[int, Tensor], weights: Tensor | None, read: Columns
    ) -> Tensor | None:
        """The sum of what a node reads, weighted where it has a choice; `weights` (1, parents)."""
        terms = []
        for parent in read:
            if parent and parent not in states:
                continue
            term = states[parent] if parent else self.projections[node - 1](images)
            terms.append(term if weights is None else weights[0][parent] * term)
        return reduce(torch.add, terms) if terms else None


class NodeSupernet(nn.Module):
    """A stack of cells of choice blocks with shared weights.

    Args:
        space: the search space.
        channels: channels of a node in the first stack (16 as published).
        layers: number of cells in all three stacks (9 as published).
        classes: number of classes.
        image_channels: channels of an image.
        stem_stride: 2 halves the images at once, for class-size runs; 1 as published.
        running: whether batch normalisation keeps running statistics and uses them in evaluation mode.
        settings: what of a node's operations runs.

    Raises:
        UsageError: a number is out of range.
    """

    def __init__(
        self,
        space: NodeSpace,
        *,
        channels: int,
        layers: int,
        classes: int,
        image_channels: int = 3,
        stem_stride: int = 1,
        running: bool = False,
        settings: EdgeSettings = PLAIN,
    ) -> None:
        super().__init__()
        self.space, self.cells_a_stack = space, cells_a_stack(layers)
        nodes = len(space.keep)
        normalising = Normalising(running=running)
        self.stem = ConvBNReLU(image_channels, channels, 3, stem_stride, normalising)
        widths = [channels * 2 ** (index // self.cells_a_stack) for index in range(layers)]
        before = [channels, *(nodes * width for width in widths[:-1])]
        self.cells = nn.ModuleList(
            MixedNodeCell(space, inputs, width, normalising, settings)
            for inputs, width in zip(before, widths, strict=True)
        )
        self.last = ReLUConvBN(nodes * widths[-1], widths[-1], 1, 1, Normalising(affine=False, running=running))
        self.classifier = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor, mixing: Mixing, drop_probability: float = 0.0) -> Tensor:
        """Class scores.

        Args:
            images: (B, image channels, H, W).
            mixing: weights of every group, on the device and in the precision of the images.
            drop_probability: of drop path on the mixed operation of every node; used in training mode only.

        Returns:
            Logits (B, classes), differentiable in the shared parameters and in the mixing weights.
        """
        drop_probability = drop_probability if self.training else 0.0
        runs = running(self.space, mixing.active)
        images = self.stem(images)
        for index, cell in enumerate(self.cells):
            if index and index % self.cells_a_stack == 0:
                images = F.max_pool2d(images, 2, stride=2, padding=1)
            images = cell(images, mixing.weights, runs, drop_probability)
        return pool_and_classify(self.last(images), self.classifier)

    def mixed_edges(self) -> Iterator[tuple[str, int, MixedEdge]]:
        """The operations of every node of every cell with the group and the row of their weights."""
        for cell in self.cells:
            yield from (("operations", row, edge) for row, edge in enumerate(cell.operations))  # type: ignore[arg-type]
