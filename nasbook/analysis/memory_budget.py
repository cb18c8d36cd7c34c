"""What fits: the memory of a search at any size, as a sum over the parts of its supernet, and the lines through it.

Each part is run once, on a few channels and a few images, and what it keeps is counted; so a size that no machine here
holds is known, quickly enough to follow a slider. Every edge holds K times the same operation. Two facts allow it, and
tests hold both against whole supernets: activations are proportional to the channels and to the batch (to 0.2 %: batch
normalisation's numbers for each channel do not grow with the batch), and they grow by the same amount with each
operation that runs.

Counted, in single precision, are the batch, the activations that one backward pass for the gradients of shared weights
and of operation weights needs, and three numbers a weight: its value, its gradient and its momentum. A search on one
level takes both gradients at once; a step of two levels that holds one of them constant keeps less. Not counted is what
a library takes for itself: the workspaces of convolutions, what an allocator keeps in reserve, and the framework.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbook.analysis.cost import MIB, Mode, repeated, saved_mib
from nasbook.runtime.errors import UsageError
from nasbook.sizes import SearchNumbers
from nasbook.spaces.catalogue import MAX_NODES
from nasbook.spaces.genotype import CELL_INPUTS
from nasbook.spaces.operations import Normalising, build
from nasbook.supernet import EdgeSettings, Mixing, parameters, skeleton, uniform
from nasbook.supernet.supernet import MixedCell

BUDGETS = {"2 GiB": 2048, "laptop, 8 GiB": 8192, "GPU, 24 GiB": 24576, "GPU, 80 GiB": 81920}
"""Memory that may be free for a search, in MiB."""

_BATCH = 16  # images on which a part is counted
_COPIES = 3  # numbers a weight: value, gradient, momentum
_FLOAT = 4  # bytes

Shape = tuple[int, int, int]  # channels, height, width
Part = TypeVar("Part", bound=nn.Module)


@dataclass(frozen=True)
class Line:
    """MiB = base + slope * x."""

    base: float
    slope: float

    def __call__(self, x: float) -> float:
        """MiB at x."""
        return self.base + self.slope * x

    def largest(self, budget: float) -> int:
        """The largest whole x, at least 0, with at most so many MiB."""
        return max(0, math.floor((budget - self.base) / self.slope))


def fit(xs: Sequence[float], mib: Sequence[float]) -> Line:
    """The line through measured points, by least squares.

    Raises:
        UsageError: fewer than two different x, or as many numbers not given for both.
    """
    if len(set(xs)) < 2 or len(xs) != len(mib):
        raise UsageError("A line is fitted to at least two different points, each with its memory.")
    slope, base = np.polyfit(np.asarray(xs, dtype=float), np.asarray(mib, dtype=float), 1)
    return Line(float(base), float(slope))


@dataclass(frozen=True)
class Memory:
    """What a search keeps, in MiB.

    Args:
        activations: kept for a backward pass for both gradients, with the batch.
        weights: shared weights, their gradients and their momentum.
    """

    activations: float
    weights: float

    @property
    def total(self) -> float:
        """Both."""
        return self.activations + self.weights


def memory(
    operations: int,
    numbers: SearchNumbers,
    mode: Mode,
    *,
    image: Shape = (3, 32, 32),
    classes: int = 10,
    operation: str = "sep_conv_3x3",
) -> Memory:
    """The memory of a search whose edges hold so many times the same operation.

    Args:
        operations: K.
        numbers: channels, layers, nodes, kind of reduction, stride of the stem and batch are read.
        mode: what of an edge runs.
        image: (channels, height, width).
        classes: number of classes.
        operation: what every edge holds.

    Raises:
        UsageError: K is below 1, channels cannot be divided, or the images cannot be halved.
    """
    if operations < 1:
        raise UsageError(f"An edge holds at least 1 operation, not {operations}.")
    if numbers.channels % mode.partial:
        raise UsageError(f"{numbers.channels} channels cannot be divided into {mode.partial} equal parts.")
    skeleton.check_image(image, numbers.stem_stride, numbers.layers)
    stack = _Stack(numbers, mode, image, classes, operation)
    return Memory(stack.activations(mode.active(operations)), stack.weights(operations))


def over_operations(numbers: SearchNumbers, mode: Mode, **rest: Any) -> Line:
    """The line over K at a batch; `rest` as for `memory`.

    In a mode with a fixed number of paths it begins at that number, and only the weights grow.
    """
    counts = [count + (mode.paths or 0) for count in (1, 2, 4, 8)]
    return fit(counts, [memory(count, numbers, mode, **rest).total for count in counts])


def over_batch(operations: int, numbers: SearchNumbers, mode: Mode, **rest: Any) -> Line:
    """The line over the batch at a K: activations are proportional to it; `rest` as for `memory`."""
    found = memory(operations, numbers, mode, **rest)
    return Line(found.weights, found.activations / numbers.batch)


class _Stack:
    """The parts of one supernet, each with the size of the images that come to it."""

    def __init__(self, numbers: SearchNumbers, mode: Mode, image: Shape, classes: int, operation: str) -> None:
        self.numbers, self.mode, self.image, self.classes, self.operation = numbers, mode, image, classes, operation
        self.nodes = numbers.nodes or MAX_NODES
        self.outputs = dict.fromkeys(("normal", "reduce"), self.nodes)

    def activations(self, active: int) -> float:
        """MiB, with so many operations of every edge running."""
        numbers, unit = self.numbers, 2 * self.mode.partial
        total = _stem(self.image, numbers.channels, numbers.stem_stride)
        plans = skeleton.plan(numbers.layers, unit, self.outputs)
        height, width = (side // numbers.stem_stride for side in self.image[1:])
        for plan in plans:
            line = (
                _fixed_cell(plan, height, width, self.nodes)
                if self._fixed(plan)
                else _mixed_cell(plan, height, width, self.nodes, self.mode.partial, self.operation)
            )
            total += line(active) * numbers.channels / unit
            height, width = (height // 2, width // 2) if plan.kind == "reduce" else (height, width)
        last = skeleton.output_channels(plans[-1], self.outputs) * numbers.channels // unit
        return (total + _head(last, self.classes)) * numbers.batch / _BATCH

    def weights(self, operations: int) -> float:
        """MiB, with so many operations on every edge."""
        numbers = self.numbers
        plans = skeleton.plan(numbers.layers, numbers.channels, self.outputs)
        stem = partial(skeleton.Stem, self.image[0], numbers.channels, numbers.stem_stride, False)
        last = skeleton.output_channels(plans[-1], self.outputs)
        total = _count(stem) + (last + 1) * self.classes
        for plan in plans:
            if self._fixed(plan):
                total += _count(partial(skeleton.FixedReduction, plan, self.nodes, _PLAIN))
            else:
                total += _count(partial(skeleton.Preprocess, plan, _PLAIN)) + operations * self._operation(plan)
        return _COPIES * _FLOAT * total / MIB

    def _operation(self, plan: skeleton.CellPlan) -> int:
        """Parameters of one operation on every edge of a cell."""
        sources = [source for source, _ in repeated(self.operation, 1, nodes=self.nodes).normal.edges]
        strides = [2 if plan.kind == "reduce" and source < CELL_INPUTS else 1 for source in sources]
        return sum(_operation(self.operation, plan.channels // self.mode.partial, stride) for stride in strides)

    def _fixed(self, plan: skeleton.CellPlan) -> bool:
        return plan.kind == "reduce" and self.numbers.reduction == "fixed"


_PLAIN = Normalising(affine=False, running=False)


@cache
def _mixed_cell(plan: skeleton.CellPlan, height: int, width: int, nodes: int, parts: int, operation: str) -> Line:
    """MiB of a searched cell over the number of operations that run on each of its edges."""
    counts, found = (1, 2), []
    for count in counts:
        space = repeated(operation, count, nodes=nodes)
        weights = {plan.kind: uniform(space).weights["normal"].requires_grad_()}
        cell = _zeros(partial(MixedCell, space.normal, plan, _PLAIN, EdgeSettings(parts)))
        found.append(_cell_mib(cell, plan, height, width, Mixing(weights)))
    return fit(counts, found)


@cache
def _fixed_cell(plan: skeleton.CellPlan, height: int, width: int, nodes: int) -> Line:
    """MiB of a reduction that is not searched, whatever the number of operations."""
    cell = _zeros(partial(skeleton.FixedReduction, plan, nodes, _PLAIN))
    return Line(_cell_mib(cell, plan, height, width), 0.0)


def _cell_mib(cell: nn.Module, plan: skeleton.CellPlan, height: int, width: int, *rest: Mixing) -> float:
    factor = 2 if plan.halve_first else 1
    earlier = torch.zeros(_BATCH, plan.before[0], factor * height, factor * width, requires_grad=True)
    later = torch.zeros(_BATCH, plan.before[1], height, width, requires_grad=True)
    return saved_mib(lambda: cell(earlier, later, *rest), cell.parameters())


@cache
def _stem(image: Shape, channels: int, stride: int) -> float:
    stem, images = _zeros(partial(skeleton.Stem, image[0], channels, stride, False)), torch.zeros(_BATCH, *image)
    return saved_mib(lambda: stem(images), stem.parameters())


@cache
def _head(channels: int, classes: int) -> float:
    classifier, labels = _zeros(partial(nn.Linear, channels, classes)), torch.zeros(_BATCH, dtype=torch.long)
    states = torch.zeros(_BATCH, channels, 1, 1, requires_grad=True)

    def loss() -> Tensor:
        return F.cross_entropy(skeleton.pool_and_classify(states, classifier), labels)

    return saved_mib(loss, classifier.parameters())


@cache
def _operation(name: str, channels: int, stride: int) -> int:
    return _count(lambda: build(name, channels, stride, normalising=_PLAIN, pool_norm=True))


def _count(make: Callable[[], nn.Module]) -> int:
    with torch.device("meta"):
        return parameters(make())


def _zeros(make: Callable[[], Part]) -> Part:
    """A part whose weights are zeros: nothing is drawn."""
    with torch.device("meta"):
        part = make()
    part.to_empty(device="cpu")
    with torch.no_grad():
        for value in [*part.parameters(), *part.buffers()]:
            value.zero_()
    return part
