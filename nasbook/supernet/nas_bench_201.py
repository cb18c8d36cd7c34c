"""The networks of NAS-Bench-201: the supernet, and the network of one architecture (Dong & Yang 2020, section 2).

Both are three stages of equal cells at C, 2C and 4C channels; between two stages a residual block halves height and
width. The number of layers counts the cells and the two blocks. Pools are never normalised, and batch normalisation
outside the cells always has a learned scale and shift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbook.runtime.errors import UsageError
from nasbook.spaces import Topology, TopologySpace
from nasbook.spaces.nas_bench_201 import INPUT, OUTPUT
from nasbook.spaces.operations import Normalising, ReLUConvBN, build
from nasbook.supernet import skeleton
from nasbook.supernet.drop_path import drop_path
from nasbook.supernet.mixing import Mixing
from nasbook.supernet.supernet import PLAIN, EdgeSettings, MixedEdge


def check(image: tuple[int, int, int], stem_stride: int, layers: int) -> None:
    """Make sure that the layers make three equal stages, and that an image can be halved between them.

    Raises:
        UsageError: they do not, or it cannot be.
    """
    _check_layers(layers)
    skeleton.check_image(image, stem_stride, layers)


class ResidualBlock(nn.Module):
    """Halves height and width and doubles the channels, around a pooled shortcut (He et al. 2016)."""

    def __init__(self, channels: int, normalising: Normalising) -> None:
        super().__init__()
        self.first = ReLUConvBN(channels, 2 * channels, 3, 2, normalising)
        self.second = ReLUConvBN(2 * channels, 2 * channels, 3, 1, normalising)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels, 2 * channels, 1, bias=False))

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, 2C, H / 2, W / 2)."""
        return self.shortcut(images) + self.second(self.first(images))


class Stages(nn.Module):
    """What both networks share: a stem, three stages of cells with a residual block between them, a classifier.

    Args:
        make_cell: a cell of so many channels.
        channels: channels of the first stage (16 as published).
        layers: 3N + 2 for stages of N cells (17 as published).
        classes: number of classes.
        image_channels: channels of an image.
        stem_stride: 2 halves the images at once; 1 as published.
        running: whether batch normalisation outside the cells keeps running statistics.

    Raises:
        UsageError: the layers do not make three equal stages, or there are no channels.
    """

    def __init__(
        self,
        make_cell: Callable[[int], nn.Module],
        *,
        channels: int,
        layers: int,
        classes: int,
        image_channels: int,
        stem_stride: int,
        running: bool,
    ) -> None:
        super().__init__()
        _check_layers(layers)
        if channels < 1:
            raise UsageError(f"The number of channels must be at least 1, not {channels}.")
        normalising = Normalising(running=running)
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, channels, 3, stem_stride, padding=1, bias=False), normalising(channels)
        )
        self.cells = nn.ModuleList()
        for kind in skeleton.kinds(layers):
            self.cells.append(make_cell(channels) if kind == "normal" else ResidualBlock(channels, normalising))
            channels = 2 * channels if kind == "reduce" else channels
        self.norm = normalising(channels)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, images: Tensor, run: Callable[[nn.Module, Tensor], Tensor]) -> Tensor:
        """(B, image channels, H, W) -> logits (B, classes); `run` runs one cell."""
        images = self.stem(images)
        for cell in self.cells:
            images = cell(images) if isinstance(cell, ResidualBlock) else run(cell, images)
        return skeleton.pool_and_classify(F.relu(self.norm(images)), self.classifier)


class MixedTopologyCell(nn.Module):
    """The cell with all operations on all edges; every node sums its edges, and the last node is the output."""

    group = "normal"

    def __init__(
        self,
        space: TopologySpace,
        channels: int,
        normalising: Normalising,
        settings: EdgeSettings = PLAIN,
    ) -> None:
        super().__init__()
        self.graph = space.groups[self.group]
        self.edges = nn.ModuleList(
            MixedEdge(names, channels, 1, normalising, pool_norm=False, settings=settings)
            for names in self.graph.operations
        )

    def forward(self, images: Tensor, mixing: Mixing, drop_probability: float = 0.0) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        states = {INPUT: images}
        for node in self.graph.nodes:
            terms = [self._edge(edge, states, mixing, drop_probability) for edge in self.graph.into(node)]
            states[node] = _sum(terms, images)
        return states[OUTPUT]

    def _edge(self, edge: int, states: Mapping[int, Tensor], mixing: Mixing, drop_probability: float) -> Tensor | None:
        weights, scales = mixing.weights[self.group][edge], mixing.edge_weights(self.group)
        images, runs = states[self.graph.edges[edge][0]], mixing.running(self.group, edge)
        output = self.edges[edge](images, weights, runs, drop_probability)
        return output if output is None or scales is None else scales[edge] * output


class TopologySupernet(nn.Module):
    """The supernet of NAS-Bench-201: stages of mixed cells with shared weights.

    Args:
        space: the search space.
        channels, layers, classes, image_channels, stem_stride: as in `Stages`.
        running: whether batch normalisation keeps running statistics and uses them in evaluation mode.
        settings: what of an edge runs.

    Raises:
        UsageError: a number is out of range.
    """

    def __init__(
        self,
        space: TopologySpace,
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
        self.space = space
        # A learned scale inside a cell would undo the mixing weights.
        normalising = Normalising(affine=False, running=running)
        self.stages = Stages(
            lambda width: MixedTopologyCell(space, width, normalising, settings),
            channels=channels,
            layers=layers,
            classes=classes,
            image_channels=image_channels,
            stem_stride=stem_stride,
            running=running,
        )

    def forward(self, images: Tensor, mixing: Mixing, drop_probability: float = 0.0) -> Tensor:
        """Class scores.

        Args:
            images: (B, image channels, H, W).
            mixing: operation weights of the group "normal", on the device and in the precision of the images.
            drop_probability: of drop path on every mixed edge as a whole; used in training mode only.

        Returns:
            Logits (B, classes), differentiable in the shared parameters and in the mixing weights.
        """
        drop_probability = drop_probability if self.training else 0.0
        return self.stages(images, lambda cell, inputs: cell(inputs, mixing, drop_probability))

    def mixed_edges(self) -> Iterator[tuple[str, int, MixedEdge]]:
        """Every mixed edge of every cell with the group and the row of its operation weights."""
        for cell in self.stages.cells:
            if isinstance(cell, MixedTopologyCell):
                yield from ((cell.group, row, edge) for row, edge in enumerate(cell.edges))  # type: ignore[misc]


class DiscreteTopologyCell(nn.Module):
    """The cell of one architecture.

    All six operations are built, as in the benchmark, whose parameter counts hold them all. An operation that leads
    nowhere is not run, since it could change nothing: such a cell has fewer multiply-adds here than in the benchmark,
    which ran them all.
    """

    def __init__(self, architecture: Topology, channels: int, normalising: Normalising) -> None:
        super().__init__()
        self.edges, self.useful = architecture.edges(), architecture.useful()
        self.operations = nn.ModuleList(
            build(name, channels, 1, normalising=normalising, pool_norm=False) for name in architecture.operations
        )

    def forward(self, images: Tensor, drop_probability: float = 0.0) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        terms: Mapping[int, list[Tensor | None]] = {target: [] for _, target, _ in self.edges}
        states = {INPUT: images}
        for (source, target, _), useful, operation in zip(self.edges, self.useful, self.operations, strict=True):
            if not useful:
                continue
            # Edges are grouped by target: when a source is first read, all that feeds it has been summed up in `terms`.
            if source not in states:
                states[source] = _sum(terms[source], images)
            output = operation(states[source])
            if drop_probability > 0 and not isinstance(operation, nn.Identity):
                output = drop_path(output, drop_probability)
            terms[target].append(output)
        return _sum(terms[OUTPUT], images)


class TopologyNetwork(nn.Module):
    """The network of one architecture of NAS-Bench-201, to be trained from scratch.

    Args:
        architecture: what stands in every cell.
        channels, layers, classes, image_channels, stem_stride: as in `Stages`.
        auxiliary: refused; these networks have no auxiliary classifier.

    Raises:
        UsageError: a number is out of range, or an auxiliary classifier is asked for.
    """

    def __init__(
        self,
        architecture: Topology,
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
            raise UsageError("Networks of NAS-Bench-201 have no auxiliary classifier: leave its weight at 0.")
        self.architecture = architecture
        normalising = Normalising()
        self.stages = Stages(
            lambda width: DiscreteTopologyCell(architecture, width, normalising),
            channels=channels,
            layers=layers,
            classes=classes,
            image_channels=image_channels,
            stem_stride=stem_stride,
            running=True,
        )

    def forward(self, images: Tensor, drop_probability: float = 0.0) -> Tensor | tuple[Tensor, None]:
        """Class scores (B, classes) of images (B, image channels, H, W).

        In evaluation mode the scores alone; in training mode a pair of the scores and None, which stands in the place
        of an auxiliary classifier's scores.

        Drop path acts on every operation but identity skips, in training mode only.
        """
        drop_probability = drop_probability if self.training else 0.0
        logits = self.stages(images, lambda cell, inputs: cell(inputs, drop_probability))
        return (logits, None) if self.training else logits


def _sum(terms: list[Tensor | None], like: Tensor) -> Tensor:
    """The sum of what edges bring into a node; zeros where they bring nothing."""
    total = None
    for term in terms:
        total = term if total is None else (total if term is None else total + term)
    return torch.zeros_like(like) if total is None else total


def _check_layers(layers: int) -> None:
    if layers < 5 or layers % 3 != 2:
        raise UsageError(
            f"A network of NAS-Bench-201 has 3N + 2 layers (three stages of N cells, two blocks between them): "
            f"5, 8, 11, ..., not {layers}."
        )
