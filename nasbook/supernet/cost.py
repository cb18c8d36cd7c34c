"""What a network costs: parameters and multiply-adds."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasbook.spaces import Architecture
from nasbook.supernet import families


def parameters(module: nn.Module) -> int:
    """The number of parameters, without those of an auxiliary classifier."""
    return sum(value.numel() for name, value in module.named_parameters() if not name.startswith("auxiliary."))


def multiply_adds(network: nn.Module, image: tuple[int, int, int]) -> int:
    """Multiply-adds of one image (channels, height, width), forward: convolutions and linear layers only."""
    network = network.to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, *image, device="meta"))
    return counter.get_total_flops() // 2  # the counter takes a multiply-add for two operations


def describe(
    architecture: Architecture,
    *,
    channels: int,
    layers: int,
    classes: int,
    image: tuple[int, int, int] = (3, 32, 32),
    stem_stride: int = 1,
) -> dict[str, int]:
    """Parameters (`params`, without the auxiliary classifier) and multiply-adds (`macs`) of an architecture's network.

    A `stem_stride` of 8 makes the published network for ImageNet of the DARTS family (see `Network`).

    Raises:
        UsageError: a number is out of range.
    """
    family = families.of(architecture)
    family.check(image, stem_stride, layers)
    with torch.device("meta"):
        network = family.network(
            architecture,
            channels=channels,
            layers=layers,
            classes=classes,
            image_channels=image[0],
            stem_stride=stem_stride,
        )
    return {"params": parameters(network), "macs": multiply_adds(network, image)}
