"""What a genotype's network costs as a sum over its parts, each measured once: quick enough to follow a dropdown.

The numbers are those of `supernet.describe`, which builds the whole network; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

from nasbook.spaces import Genotype
from nasbook.spaces.genotype import CELL_INPUTS
from nasbook.spaces.operations import Normalising, build
from nasbook.supernet import parameters, skeleton

Cost = tuple[int, int]  # parameters, multiply-adds
Shape = tuple[int, int, int]  # channels, height, width


def network_cost(
    genotype: Genotype, *, channels: int, layers: int, classes: int = 10, image: Shape = (3, 32, 32)
) -> dict[str, int]:
    """Parameters (`params`) and multiply-adds (`macs`) of a genotype's network on one image.

    Raises:
        UsageError: a number is out of range.
    """
    outputs = {"normal": len(genotype.normal_concat), "reduce": len(genotype.reduce_concat)}
    outputs["reduce"] = outputs["reduce"] or outputs["normal"]
    skeleton.check_image(image, 1, layers)
    plans = skeleton.plan(layers, channels, outputs)
    costs, (height, width) = [_stem(image, channels)], image[1:]
    for plan in plans:
        searched = bool(genotype.cell(plan.kind))
        costs.append(_inputs(plan, height, width) if searched else _fixed(plan, outputs["reduce"], height, width))
        reduces = plan.kind == "reduce"
        for source, _, name in genotype.edges(plan.kind):
            from_input = source < CELL_INPUTS
            factor = 2 if reduces and not from_input else 1  # later nodes of a reduction cell are halved already
            shape = (plan.channels, height // factor, width // factor)
            costs.append(_operation(name, 2 if reduces and from_input else 1, shape))
        if reduces:
            height, width = height // 2, width // 2
    last = skeleton.output_channels(plans[-1], outputs)
    params, macs = (sum(part) for part in zip(*costs))
    return {"params": params + (last + 1) * classes, "macs": macs + last * classes}


@cache
def _stem(image: Shape, channels: int) -> Cost:
    return _measure(lambda: skeleton.Stem(image[0], channels, 1, True), image)


@cache
def _inputs(plan: skeleton.CellPlan, height: int, width: int) -> Cost:
    earlier, later = plan.before
    factor = 2 if plan.halve_first else 1
    shapes = (earlier, factor * height, factor * width), (later, height, width)
    return _measure(lambda: skeleton.Preprocess(plan, Normalising()), *shapes)


@cache
def _fixed(plan: skeleton.CellPlan, outputs: int, height: int, width: int) -> Cost:
    shape = (plan.before[1], height, width)
    return _measure(lambda: skeleton.FixedReduction(plan, outputs, Normalising()), shape, shape)


@cache
def _operation(name: str, stride: int, shape: Shape) -> Cost:
    return _measure(lambda: build(name, shape[0], stride, normalising=Normalising(), pool_norm=False), shape)


def _measure(make: Callable[[], nn.Module], *shapes: Shape) -> Cost:
    """Build a part and run it once on tensors that hold no numbers, with every convolution counted."""
    macs = []

    def count(convolution: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        weights = sum(weight.numel() for weight in convolution.parameters())
        macs.append(weights * output.shape[-2] * output.shape[-1])  # each weight works once at every pixel put out

    with torch.device("meta"), torch.no_grad():
        module = make().eval()
        for part in module.modules():
            if isinstance(part, nn.Conv2d):
                part.register_forward_hook(count)
        module(*(torch.empty(1, *shape) for shape in shapes))
    return parameters(module), sum(macs)
