"""The candidate operations of cell-based spaces (Liu et al. 2019, DARTS, section 3; Zela et al. 2020 for `noise`).

Every parametric operation works in the order ReLU, convolution, batch normalisation, but those of NAS-Bench-101, whose
ReLU comes last. No convolution has a bias.
`affine` says whether batch normalisation has a learned scale and shift: False inside a supernet (a mixing weight would
fight the scale), True in a network that is trained alone. `running` says whether it keeps running statistics.
No ReLU works in place, because all operations of an edge read the same tensor.

Shapes: (batch, channels, height, width) in, (batch, channels out, height / stride, width / stride) out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Normalising:
    """How the batch normalisation of an operation is built: learned scale and shift, running statistics."""

    affine: bool = True
    running: bool = True

    def __call__(self, channels: int) -> nn.BatchNorm2d:
        """Batch normalisation of so many channels."""
        return nn.BatchNorm2d(channels, affine=self.affine, track_running_stats=self.running)


class Zero(nn.Module):
    """`none`: all zeros. A supernet never runs it, since it adds nothing to a sum."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> zeros (B, C, H / stride, W / stride)."""
        return torch.zeros_like(images[:, :, :: self.stride, :: self.stride])


class Noise(nn.Module):
    """`noise` of S4: fresh normal numbers (mean 0, deviation 1) at every pass; the input sets only the shape."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> fresh numbers (B, C, H / stride, W / stride); no gradient."""
        return torch.randn_like(images[:, :, :: self.stride, :: self.stride])


class Pool(nn.Module):
    """3x3 maximum or average; padding is not counted in the average. Normalised only where `normalising` is given."""

    def __init__(self, kind: str, channels: int, stride: int, normalising: Normalising | None) -> None:
        super().__init__()
        self.kind, self.stride = kind, stride
        self.norm = normalising(channels) if normalising else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H / stride, W / stride)."""
        if self.kind == "max":
            return self.norm(F.max_pool2d(images, 3, self.stride, padding=1))
        return self.norm(F.avg_pool2d(images, 3, self.stride, padding=1, count_include_pad=False))


class Pointwise(nn.Conv2d):
    """1x1 convolution without bias. With stride 2 it first takes every second pixel and then convolves with stride 1.

    A 1x1 convolution of stride 2 gives the same output. But with few input channels in channels-last memory, its
    backward pass in oneDNN writes past its memory: the process dies or the gradients are wrong.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, 1, bias=False)
        self.step = stride

    def forward(self, images: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        return super().forward(images[:, :, :: self.step, :: self.step])


def convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Conv2d:
    """A convolution without bias whose padding keeps height and width at stride 1; its kernel is square and odd."""
    if kernel == 1:
        return Pointwise(inputs, outputs, stride)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


class ReLUConvBN(nn.Module):
    """ReLU, one convolution, batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, normalising: Normalising) -> None:
        super().__init__()
        self.conv = convolution(inputs, outputs, kernel, stride)
        self.norm = normalising(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        return self.norm(self.conv(F.relu(images)))


class ConvBNReLU(nn.Module):
    """One convolution, batch normalisation, ReLU: the order of NAS-Bench-101 alone."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, normalising: Normalising) -> None:
        super().__init__()
        self.conv = convolution(inputs, outputs, kernel, stride)
        self.norm = normalising(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        return F.relu(self.norm(self.conv(images)))


class SeparableUnit(nn.Module):
    """ReLU, depthwise convolution, pointwise convolution, batch normalisation."""

    def __init__(self, channels: int, kernel: int, stride: int, dilation: int, normalising: Normalising) -> None:
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.depthwise = nn.Conv2d(
            channels, channels, kernel, stride, padding=padding, dilation=dilation, groups=channels, bias=False
        )
        self.pointwise = Pointwise(channels, channels)
        self.norm = normalising(channels)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H / stride, W / stride)."""
        return self.norm(self.pointwise(self.depthwise(F.relu(images))))


class FactorizedReduce(nn.Module):
    """Halves height and width: two 1x1 convolutions of stride 2, the second on the image shifted by one pixel."""

    def __init__(self, inputs: int, outputs: int, normalising: Normalising) -> None:
        super().__init__()
        if outputs % 2:
            raise ValueError(f"FactorizedReduce needs an even number of output channels, not {outputs}.")
        self.even = Pointwise(inputs, outputs // 2, 2)
        self.odd = Pointwise(inputs, outputs // 2, 2)
        self.norm = normalising(outputs)

    def forward(self, images: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H / 2, W / 2); height and width must be even."""
        images = F.relu(images)
        halves = [self.even(images), self.odd(images[:, :, 1:, 1:])]
        return self.norm(torch.cat(halves, dim=1))  # (B, outputs, H/2, W/2)


class StackedRectangles(nn.Module):
    """`conv_7x1_1x7` of AmoebaNet: ReLU, 1x7 and 7x1 convolutions, batch normalisation."""

    def __init__(self, channels: int, stride: int, normalising: Normalising) -> None:
        super().__init__()
        self.wide = nn.Conv2d(channels, channels, (1, 7), (1, stride), padding=(0, 3), bias=False)
        self.tall = nn.Conv2d(channels, channels, (7, 1), (stride, 1), padding=(3, 0), bias=False)
        self.norm = normalising(channels)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H / stride, W / stride)."""
        return self.norm(self.tall(self.wide(F.relu(images))))


# Names in the published order; kernel sizes are read off the name.
NAMES = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "conv_7x1_1x7",
    "noise",
    "nor_conv_1x1",
    "nor_conv_3x3",
    "maxpool3x3",
    "conv3x3-bn-relu",
    "conv1x1-bn-relu",
)


def build(name: str, channels: int, stride: int, *, normalising: Normalising, pool_norm: bool) -> nn.Module:
    """Make one operation.

    Args:
        name: one of `NAMES`.
        channels: channels in and out.
        stride: 1, or 2 in a reduction cell on an edge from one of the cell's inputs.
        normalising: how batch normalisation is built.
        pool_norm: whether pools are normalised, as in a supernet (bare in a network that is trained alone).

    Raises:
        ValueError: there is no operation of this name.
    """
    if name not in NAMES:
        raise ValueError(f"Operation {name!r} does not exist; there are {', '.join(NAMES)}.")
    kernel = int(name[-1]) if name[-1].isdigit() else 0
    if name == "none":
        return Zero(stride)
    if name == "noise":
        return Noise(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, normalising)
    if name.endswith("pool_3x3"):
        return Pool(name[:3], channels, stride, normalising if pool_norm else None)
    if name.startswith("sep_conv"):
        first = SeparableUnit(channels, kernel, stride, 1, normalising)
        return nn.Sequential(first, SeparableUnit(channels, kernel, 1, 1, normalising))
    if name.startswith("dil_conv"):
        return SeparableUnit(channels, kernel, stride, 2, normalising)
    if name.startswith("nor_conv"):
        return ReLUConvBN(channels, channels, kernel, stride, normalising)
    if name.endswith("-bn-relu"):
        return ConvBNReLU(channels, channels, int(name[4]), stride, normalising)
    if name == "maxpool3x3":  # of NAS-Bench-101, never normalised
        return Pool("max", channels, stride, None)
    return StackedRectangles(channels, stride, normalising)
