"""What a supernet's step costs: seconds, and the activations that wait for the backward pass.

A mixed edge with K operations runs all K of them and keeps what each needs for its gradient, so that a step takes
about K times the time and the memory of one path (Liu et al. 2019, section 2.2; Cai et al. 2019, section 3.1). Here
both are measured: on supernets that differ in K alone, in each mode of running an edge.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional as F

from nasbook.runtime import devices
from nasbook.runtime.errors import UsageError
from nasbook.runtime.random import RandomStream
from nasbook.sizes import SearchNumbers
from nasbook.spaces import Cell, SearchSpace
from nasbook.spaces.catalogue import MAX_NODES
from nasbook.supernet import EdgeSettings, Mixing, Supernet, uniform

MIB = 2**20


@dataclass(frozen=True)
class Mode:
    """What of an edge with K operations runs.

    Args:
        partial: one in so many channels passes through the operations (PC-DARTS).
        paths: how many of the operations run, at most all; None is all of them.
    """

    partial: int = 1
    paths: int | None = None

    def active(self, candidates: int) -> int:
        """How many of so many operations run."""
        return candidates if self.paths is None else min(self.paths, candidates)


MODES = {
    "all operations": Mode(),
    "partial channels": Mode(partial=4),
    "two paths": Mode(paths=2),
    "one path": Mode(paths=1),
}
"""DARTS; PC-DARTS with its published share of channels; ProxylessNAS's pair; RSPS, GDAS and other single paths."""


@dataclass(frozen=True)
class StepCost:
    """The cost of one forward and backward pass on a batch.

    Args:
        candidates: operations of every edge.
        active: operations of every edge that run.
        seconds: the least of the repeats.
        saved_mib: activations kept for the backward pass, in MiB.
    """

    candidates: int
    active: int
    seconds: float
    saved_mib: float


def saved_mib(forward: Callable[[], object], parameters: Iterable[Tensor]) -> float:
    """The activations, in MiB, that a forward pass keeps for its backward pass.

    Autograd may save one storage several times, or a view of it: each is counted once and whole. Parameters are
    there anyway and are left out. On the meta device, where tensors hold no numbers, the count is the same.

    Args:
        forward: runs the pass; what it returns is held until everything is counted.
        parameters: whose storages do not count.
    """
    there = {value.untyped_storage()._cdata for value in parameters}  # on the meta device no address tells them apart
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in there:
            kept[storage._cdata] = storage.nbytes()
        # An operation may save its own output: handed back as it is, graph and tensor would hold each other for ever.
        return tensor.detach()

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        held = forward()
    total = sum(kept.values()) / MIB
    del held  # while the graph lives no storage is freed, so that no key stands for two of them
    return total


def against_operations(
    counts: Iterable[int],
    *,
    numbers: SearchNumbers,
    modes: Sequence[Mode] = (MODES["all operations"], MODES["one path"]),
    both_gradients: bool = False,
    operation: str = "sep_conv_3x3",
    image: tuple[int, int, int] = (3, 16, 16),
    classes: int = 10,
    repeats: int = 5,
    device: torch.device | str = "cpu",
) -> list[StepCost]:
    """Measure supernets whose edges hold K times the same operation, running all K of them and running fewer.

    The operation is the same so that K is all that differs. The supernets take turns, so that a busy moment of the
    machine meets all of them alike.

    Args:
        counts: the values of K.
        numbers: size of the supernet, batch and precision of the step.
        modes: what of an edge runs.
        both_gradients: whether the operation weights want a gradient besides the shared weights, as in a search on
            one level: then the outputs of the operations are kept, too.
        operation: what every edge holds.
        image: (channels, height, width).
        classes: number of classes.
        repeats: timed passes of each; one more goes before them and is not timed.
        device: where it runs.

    Returns:
        For each K one cost a mode, in their order.

    Raises:
        UsageError: no K, a K below 1, fewer than one repeat, or channels that a mode cannot divide.
    """
    counts = tuple(counts)
    if not counts or min(counts) < 1 or repeats < 1:
        raise UsageError("The cost is measured for at least one number of operations, each at least 1, and one repeat.")
    device, passes, active = torch.device(device), [], []
    with RandomStream(0, device=device).scope() as generator:
        images = torch.randn(numbers.batch, *image, generator=generator)
        labels = torch.randint(classes, (numbers.batch,), generator=generator).to(device)
        for count in counts:
            space = repeated(operation, count, nodes=numbers.nodes or MAX_NODES)
            for mode in modes:
                supernet = _supernet(space, numbers, mode, image[0], classes, device)
                passes.append(_Pass(supernet, first_paths(space, mode.paths), images, labels, both_gradients))
                active.append(mode.active(count))
        seconds = fastest([each.step for each in passes], repeats, device)
    return [
        StepCost(len(each.names), runs, taken, saved_mib(each.forward, each.supernet.parameters()))
        for each, runs, taken in zip(passes, active, seconds, strict=True)
    ]


def repeated(operation: str, count: int, *, nodes: int) -> SearchSpace:
    """A space whose every edge has the same operation `count` times, the reduction fixed."""
    edges = tuple((source, target) for target in range(2, 2 + nodes) for source in range(target))
    return SearchSpace(f"{count} x {operation}", Cell(edges, ((operation,) * count,) * len(edges)), None)


def first_paths(space: SearchSpace, paths: int | None) -> Mixing:
    """The mixing that runs the first so many operations of every edge, with equal weights; None runs all."""
    if paths is None:
        return uniform(space)
    runs = {name: tuple(range(min(paths, cell.shape[1]))) for name, cell in space.groups.items()}
    weights = {name: torch.zeros(cell.shape) for name, cell in space.groups.items()}
    for name, columns in runs.items():
        weights[name][:, list(columns)] = 1.0 / len(columns)
    return Mixing(weights, {name: (runs[name],) * len(cell.edges) for name, cell in space.groups.items()})


def ratios(costs: Sequence[StepCost], quantity: str) -> list[float]:
    """Each cost over the first one's: `quantity` is "seconds" or "saved_mib"."""
    first = getattr(costs[0], quantity)
    return [getattr(cost, quantity) / first for cost in costs]


def fastest(steps: Sequence[Callable[[], object]], repeats: int, device: torch.device) -> list[float]:
    """The least seconds of each step over `repeats` rounds in which all take turns, after one round to warm up."""
    best = [float("inf")] * len(steps)
    for round_number in range(repeats + 1):
        for index, step in enumerate(steps):
            _wait(device)
            start = time.perf_counter()
            step()
            _wait(device)
            if round_number:
                best[index] = min(best[index], time.perf_counter() - start)
    return best


class _Pass:
    """One supernet, one mixing and one batch."""

    def __init__(self, supernet: Supernet, mixing: Mixing, images: Tensor, labels: Tensor, both: bool) -> None:
        parameter = next(supernet.parameters())
        self.supernet, self.labels = supernet, labels
        self.mixing = mixing.to(parameter.device, parameter.dtype).map(lambda weights: weights.requires_grad_(both))
        self.images = images.to(parameter).to(memory_format=devices.memory_format(parameter.dtype))
        self.names = supernet.space.normal.operations[0]

    def forward(self) -> Tensor:
        return F.cross_entropy(self.supernet(self.images, self.mixing), self.labels)

    def step(self) -> None:
        self.supernet.zero_grad()
        self.forward().backward()


def _supernet(
    space: SearchSpace, numbers: SearchNumbers, mode: Mode, image_channels: int, classes: int, device: torch.device
) -> Supernet:
    supernet = Supernet(
        space,
        channels=numbers.channels,
        layers=numbers.layers,
        classes=classes,
        image_channels=image_channels,
        stem_stride=numbers.stem_stride,
        running=numbers.running,
        settings=EdgeSettings(mode.partial),
    )
    dtype = getattr(torch, numbers.precision)
    moved: nn.Module = supernet.to(device, dtype).to(memory_format=devices.memory_format(dtype))
    assert isinstance(moved, Supernet)
    return moved


def _wait(device: torch.device) -> None:
    """Wait for what the device still has to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
