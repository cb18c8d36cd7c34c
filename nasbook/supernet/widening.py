"""Wider operations that compute what the narrow ones did (Net2WiderNet: Chen et al. 2016; in NAS Chen et al. 2021).

Each new channel repeats an old one. A convolution's weights are repeated along its outputs; along its inputs they are
repeated too, and divided by how often the channel occurs, so that the sum stays what it was. So on an input whose
channels repeat likewise, the output's channels are the old ones repeated. DrNAS's released code leaves the division
out and trusts the batch normalisation behind every convolution, which undoes a common factor but not uneven ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nasbook.spaces.operations import FactorizedReduce


@dataclass(frozen=True)
class Repeat:
    """How one tensor grows.

    Args:
        outputs: for each new entry of its first dimension, the old one that it repeats.
        inputs: the same for its second dimension; None where that stays (a depthwise convolution).
    """

    outputs: Tensor
    inputs: Tensor | None = None

    def __call__(self, values: Tensor) -> Tensor:
        """The grown tensor."""
        values = values[self.outputs.to(values.device)]
        if self.inputs is None:
            return values
        inputs = self.inputs.to(values.device)
        times = torch.bincount(inputs, minlength=values.shape[1])[inputs]
        return values[:, inputs] / times.to(values).reshape(1, -1, *[1] * (values.dim() - 2))


def repeats(narrow: nn.Module, wide: nn.Module, generator: torch.Generator) -> dict[str, Repeat]:
    """How the tensors of a narrow supernet become those of a wide one, by name; what has one size in both is left out.

    Args:
        narrow, wide: two supernets that differ in the share of channels that pass through the operations.
        generator: draws which channels are repeated.
    """
    found = {}
    names = {module: name for name, module in wide.named_modules()}
    for (_, _, old), (_, _, new) in zip(narrow.mixed_edges(), wide.mixed_edges(), strict=True):  # type: ignore[operator]
        before = old.channels // old.settings.partial
        channels = _repeated(before, new.channels // new.settings.partial, generator)
        for operation in new.operations:
            for module, name, repeat in _tensors(operation, before, channels, generator):
                found[f"{names[module]}.{name}"] = repeat
    return found


def widen(narrow: nn.Module, wide: nn.Module, how: Mapping[str, Repeat]) -> None:
    """Give a wide supernet the weights and statistics of a narrow one, in place."""
    state = narrow.state_dict()
    wide.load_state_dict({name: how[name](value) if name in how else value for name, value in state.items()})


def _repeated(before: int, after: int, generator: torch.Generator) -> Tensor:
    """(after,): the old channels once each, then as many as are missing, drawn among them."""
    drawn = torch.randint(before, (after - before,), generator=generator)
    return torch.cat([torch.arange(before), drawn])


def _tensors(
    operation: nn.Module, before: int, channels: Tensor, generator: torch.Generator
) -> Iterator[tuple[nn.Module, str, Repeat]]:
    """Every tensor of an operation that grows, with the module that holds it."""
    outputs: dict[nn.Module, Tensor] = {}
    for module in operation.modules():
        if isinstance(module, FactorizedReduce):  # its two halves grow each for itself
            half = _repeated(before // 2, len(channels) // 2, generator)
            outputs |= {module.even: half, module.odd: half, module.norm: torch.cat([half, before // 2 + half])}
        if isinstance(module, nn.Conv2d):
            depthwise = module.groups > 1
            yield module, "weight", Repeat(outputs.get(module, channels), None if depthwise else channels)
        if isinstance(module, nn.BatchNorm2d):
            for name, value in [*module.named_parameters(), *module.named_buffers()]:
                if value.dim():  # not the count of batches
                    yield module, name, Repeat(outputs.get(module, channels))
