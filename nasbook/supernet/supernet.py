"""The supernet: all operations of a space at once, mixed by weights that it is handed (Liu et al. 2019, section 2).

    supernet(images, mixing)

It owns the shared parameters w and nothing of the architecture parameters. A mixed edge computes

    edge(x) = sum_k  weights[k] * operation_k(x)          (equation 2 of the paper, after the softmax)

and a node sums its edges. Nothing is stored on the side, so the output is a plain function of w and of the weights:
first and second derivatives, perturbations and masks are those of a function's argument. This file is the reference,
written to be read; pairs below read "shape in -> shape out".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nasbook.runtime.errors import UsageError
from nasbook.spaces import Cell, SearchSpace
from nasbook.spaces.operations import Normalising, build
from nasbook.supernet import skeleton
from nasbook.supernet.drop_path import drop_path
from nasbook.supernet.mixing import Mixing


class MixedEdge(nn.Module):
    """The candidate operations of one edge. `none` is never run: it adds nothing, its weight lowers the others'."""

    def __init__(
        self,
        names: tuple[str, ...],
        channels: int,
        stride: int,
        normalising: Normalising,
        *,
        pool_norm: bool = True,
    ) -> None:
        super().__init__()
        self.names = names
        self.operations = nn.ModuleList(
            build(name, channels, stride, normalising=normalising, pool_norm=pool_norm) for name in names
        )

    def forward(
        self,
        images: Tensor,
        weights: Tensor,
        active: tuple[int, ...] | None = None,
        drop_probability: float = 0.0,
    ) -> Tensor | None:
        """The weighted sum (B, C, H, W) of the operations that run, or None if none does; `weights` (operations,)."""
        total = None
        for index in range(len(self.names)) if active is None else active:
            if self.names[index] == "none":
                continue
            output = self.operations[index](images)
            if drop_probability > 0 and not isinstance(self.operations[index], nn.Identity):
                output = drop_path(output, drop_probability)
            term = weights[index] * output
            total = term if total is None else total + term
        return total


class MixedCell(nn.Module):
    """A cell of mixed edges; edges from the two inputs have stride 2 in a reduction cell."""

    def __init__(self, cell: Cell, plan: skeleton.CellPlan, normalising: Normalising) -> None:
        super().__init__()
        self.graph, self.reduces = cell, plan.kind == "reduce"
        self.preprocess = skeleton.Preprocess(plan, normalising)
        self.edges = nn.ModuleList(
            MixedEdge(names, plan.channels, 2 if self.reduces and source < 2 else 1, normalising)
            for (source, _), names in zip(cell.edges, cell.operations, strict=True)
        )

    def forward(
        self,
        earlier: Tensor,
        later: Tensor,
        weights: Tensor,
        active: tuple[tuple[int, ...], ...] | None,
        drop_probability: float = 0.0,
    ) -> Tensor:
        """Outputs of the two previous cells -> (B, nodes * C, H, W). `weights`: (edges, operations)."""
        states = self.preprocess(earlier, later)
        for node in self.graph.nodes:
            total = None
            for edge in self.graph.into(node):
                source = self.graph.edges[edge][0]
                runs = None if active is None else active[edge]
                term = self.edges[edge](states[source], weights[edge], runs, drop_probability)
                total = term if total is None else (total if term is None else total + term)
            states.append(self._empty(states[0]) if total is None else total)
        return torch.cat(states[2:], dim=1)

    def _empty(self, state: Tensor) -> Tensor:
        """What a node holds when no edge into it runs."""
        return torch.zeros_like(state[:, :, ::2, ::2] if self.reduces else state)


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
            MixedCell(space.groups[plan.kind], plan, normalising)
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
            drop_probability: of drop path on every operation but identity skips; used in training mode only.

        Returns:
            Logits (B, classes), differentiable in the shared parameters and in the mixing weights.
        """
        drop_probability = drop_probability if self.training else 0.0
        earlier = later = self.stem(images)
        for cell, plan in zip(self.cells, self.plans, strict=True):
            if plan.kind in mixing.weights:
                active = None if mixing.active is None else mixing.active[plan.kind]
                output = cell(earlier, later, mixing.weights[plan.kind], active, drop_probability)
            else:
                output = cell(earlier, later)
            earlier, later = later, output
        return skeleton.pool_and_classify(later, self.classifier)
