"""The supernet: all operations of a space at once, mixed by weights that it is handed (Liu et al. 2019, section 2).

    supernet(images, mixing)

It owns the shared parameters w and nothing of the architecture parameters. A mixed edge computes

    edge(x) = sum_k  weights[k] * operation_k(x)          (equation 2 of the paper, after the softmax)

and a node sums its edges, each times its edge weight where the mixing has one. Nothing is stored on the side, so the
output is a plain function of w and of the weights: first and second derivatives, perturbations and masks are those of a
function's argument. This file is the reference, written to be read; pairs below read "shape in -> shape out".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbook.runtime.errors import UsageError
from nasbook.spaces import Cell, SearchSpace
from nasbook.spaces.operations import Normalising, build
from nasbook.supernet import skeleton
from nasbook.supernet.drop_path import drop_path
from nasbook.supernet.mixing import Mixing


@dataclass(frozen=True)
class EdgeSettings:
    """What of an edge runs.

    Args:
        partial: one in so many channels passes through the operations, the others bypass them (PC-DARTS, K).
        unsampled: an operation that does not run adds "nothing", or counts as putting out "ones" times its weight. That
            weight is zero, so the sum is the same, but its gradient is not: GDAS's released code has it so.
    """

    partial: int = 1
    unsampled: str = "nothing"


PLAIN = EdgeSettings()


class MixedEdge(nn.Module):
    """The candidate operations of one edge. `none` is never run: it adds nothing, its weight lowers the others'.

    With partial channels (Xu et al. 2020, equation 2) the first C / K channels pass through the operations, the others
    are put behind them as they are (pooled where the edge has stride 2), and a shuffle of K groups mixes both.

    Raises:
        UsageError: the channels cannot be divided by K.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        channels: int,
        stride: int,
        normalising: Normalising,
        *,
        pool_norm: bool = True,
        settings: EdgeSettings = PLAIN,
    ) -> None:
        super().__init__()
        if channels % settings.partial:
            raise UsageError(f"{channels} channels cannot be divided into {settings.partial} equal parts.")
        self.names, self.channels, self.stride, self.settings = names, channels, stride, settings
        width = channels // settings.partial
        self.operations = nn.ModuleList(
            build(name, width, stride, normalising=normalising, pool_norm=pool_norm) for name in names
        )

    def forward(
        self,
        images: Tensor,
        weights: Tensor,
        active: tuple[int, ...] | None = None,
        drop_probability: float = 0.0,
    ) -> Tensor | None:
        """The edge's output (B, C, H, W), or None where nothing runs; `weights` (operations,).

        Drop path drops the output of the whole edge, skip connections included, with one mask per image, as in the
        released codes of RobustDARTS and SNAS. Dropping the convolutions alone would favour the skip connections.
        """
        output = self._partial(images, weights, active)
        return drop_path(output, drop_probability) if output is not None and drop_probability > 0 else output

    def _partial(self, images: Tensor, weights: Tensor, active: tuple[int, ...] | None) -> Tensor | None:
        parts = self.settings.partial
        if parts == 1:
            return self._mix(images, weights, active)
        width = images.shape[1] // parts
        mixed = self._mix(images[:, :width], weights, active)
        if mixed is None:
            return None
        bypass = images[:, width:] if self.stride == 1 else F.max_pool2d(images[:, width:], 2)
        return F.channel_shuffle(torch.cat([mixed, bypass], dim=1), parts)

    def _mix(self, images: Tensor, weights: Tensor, active: tuple[int, ...] | None) -> Tensor | None:
        total = None
        for index in range(len(self.names)) if active is None else active:
            if self.names[index] == "none":
                continue
            term = weights[index] * self.operations[index](images)
            total = term if total is None else total + term
        if active is None or self.settings.unsampled == "nothing":
            return total
        others = [index for index in range(len(self.names)) if index not in active]
        total = torch.zeros_like(images[:, :, :: self.stride, :: self.stride]) if total is None else total
        return total + weights[others].sum()


class MixedCell(nn.Module):
    """A cell of mixed edges; edges from the two inputs have stride 2 in a reduction cell."""

    def __init__(
        self, cell: Cell, plan: skeleton.CellPlan, normalising: Normalising, settings: EdgeSettings = PLAIN
    ) -> None:
        super().__init__()
        self.graph, self.group = cell, plan.kind
        self.preprocess = skeleton.Preprocess(plan, normalising)
        self.edges = nn.ModuleList(
            MixedEdge(names, plan.channels, self._stride(source), normalising, settings=settings)
            for (source, _), names in zip(cell.edges, cell.operations, strict=True)
        )

    def forward(self, earlier: Tensor, later: Tensor, mixing: Mixing, drop_probability: float = 0.0) -> Tensor:
        """Outputs of the two previous cells -> (B, nodes * C, H, W)."""
        states = self.preprocess(earlier, later)
        weights, scales = mixing.weights[self.group], mixing.edge_weights(self.group)
        for node in self.graph.nodes:
            total = None
            for edge in self.graph.into(node):
                source, runs = self.graph.edges[edge][0], mixing.running(self.group, edge)
                term = self.edges[edge](states[source], weights[edge], runs, drop_probability)
                if term is None:
                    continue
                term = term if scales is None else scales[edge] * term
                total = term if total is None else total + term
            states.append(self._empty(states[0]) if total is None else total)
        return torch.cat(states[2:], dim=1)

    def _stride(self, source: int) -> int:
        return 2 if self.group == "reduce" and source < 2 else 1

    def _empty(self, state: Tensor) -> Tensor:
        """What a node holds when no edge into it runs."""
        return torch.zeros_like(state[:, :, ::2, ::2] if self.group == "reduce" else state)


class Supernet(nn.Module):
    """A stack of mixed cells with shared weights.

    Args:
        space: the search space.
        channels: channels of a node before the first reduction (16 as published).
        layers: number of cells (8 as published).
        classes: number of classes.
        image_channels: channels of an image.
        stem_stride: 2 halves the images at once, for class-size runs; 1 as published.
        running: whether batch normalisation keeps running statistics and uses them in evaluation mode (as published
            for DARTS); False always normalises by the batch's own statistics.
        settings: what of an edge runs.

    Raises:
        UsageError: a number is out of range.
    """

    def __init__(
        self,
        space: SearchSpace,
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
        # A learned scale inside a cell would undo the mixing weights, so only the stem has one.
        normalising = Normalising(affine=False, running=running)
        outputs = dict.fromkeys(("normal", "reduce"), space.nodes)
        self.plans = skeleton.plan(layers, channels, outputs)
        if "normal" not in {plan.kind for plan in self.plans}:
            raise UsageError(f"A supernet of {layers} cells has no normal cell to search: use at least 3 layers.")
        self.stem = skeleton.Stem(image_channels, channels, stem_stride, running)
        self.cells = nn.ModuleList(
            MixedCell(space.groups[plan.kind], plan, normalising, settings)
            if plan.kind in space.groups
            else skeleton.FixedReduction(plan, space.nodes, normalising)
            for plan in self.plans
        )
        self.classifier = nn.Linear(skeleton.output_channels(self.plans[-1], outputs), classes)

    def forward(self, images: Tensor, mixing: Mixing, drop_probability: float = 0.0) -> Tensor:
        """Class scores.

        Args:
            images: (B, image channels, H, W).
            mixing: operation weights of every group, on the device and in the precision of the images.
            drop_probability: of drop path on every mixed edge as a whole; used in training mode only.

        Returns:
            Logits (B, classes), differentiable in the shared parameters and in the mixing weights.
        """
        drop_probability = drop_probability if self.training else 0.0
        earlier = later = self.stem(images)
        for cell in self.cells:
            if isinstance(cell, MixedCell):
                output = cell(earlier, later, mixing, drop_probability)
            else:
                output = cell(earlier, later)
            earlier, later = later, output
        return skeleton.pool_and_classify(later, self.classifier)

    def mixed_edges(self) -> Iterator[tuple[str, int, MixedEdge]]:
        """Every mixed edge of every cell with the group and the row of its operation weights."""
        for cell in self.cells:
            if isinstance(cell, MixedCell):
                yield from ((cell.group, row, edge) for row, edge in enumerate(cell.edges))  # type: ignore[misc]
