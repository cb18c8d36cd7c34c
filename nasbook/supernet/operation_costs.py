"""What each operation of a supernet costs by itself: the table behind the expected cost of an architecture."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nasbook.spaces import Space
from nasbook.supernet.mixing import uniform
from nasbook.supernet.supernet import MixedEdge

IMAGES = 2  # batch normalisation needs more than one value a channel
TIMINGS = 5


def multiply_adds(operation: nn.Module, images: Tensor) -> float:
    """Multiply-adds of one image: convolutions only."""
    with FlopCounterMode(display=False) as counter:
        operation(images)
    return counter.get_total_flops() / 2 / len(images)


def latency(operation: nn.Module, images: Tensor) -> float:
    """Milliseconds of a forward pass of one batch, the least of a few."""

    def run() -> float:
        start = time.perf_counter()
        operation(images)
        if images.device.type == "cuda":
            torch.cuda.synchronize(images.device)
        return 1e3 * (time.perf_counter() - start)

    return min([run() for _ in range(TIMINGS + 1)][1:])


COSTS: dict[str, Callable[[nn.Module, Tensor], float]] = {"multiply-adds": multiply_adds, "latency": latency}


def operation_costs(supernet: nn.Module, space: Space, images: Tensor, cost: str) -> dict[str, Tensor]:
    """The cost of every operation, summed over the cells that share its weight.

    Args:
        supernet: any family's; it runs in evaluation mode and is left in training mode.
        space: its space.
        images: a batch of at least two, on the supernet's device.
        cost: a name of `COSTS`.

    Returns:
        For each group with operations (rows, operations), in float64 on the host.
    """
    seen: dict[MixedEdge, Tensor] = {}
    places = list(supernet.mixed_edges())  # type: ignore[operator]
    hooks = [
        edge.register_forward_pre_hook(lambda module, inputs: seen.update({module: inputs[0]})) for _, _, edge in places
    ]
    supernet.eval()
    table: dict[str, Tensor] = {}
    with torch.no_grad():
        supernet(images, uniform(space).to(images.device, images.dtype))
        for hook in hooks:
            hook.remove()
        for group, row, edge in places:
            costs = table.setdefault(group, torch.zeros(space.groups[group].shape, dtype=torch.float64))
            inputs = seen[edge][:, : edge.channels // edge.settings.partial]
            measured = [COSTS[cost](operation, inputs) for operation in edge.operations]
            costs[row] += torch.tensor(measured, dtype=torch.float64)
    supernet.train()
    return table
