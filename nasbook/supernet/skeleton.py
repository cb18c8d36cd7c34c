"""The stack of cells that a supernet and a discrete network share: a stem, cells with two reductions, a classifier.

The cells at one third and at two thirds of the depth halve height and width and double the channels (Liu et al. 2019,
section 3.1 and appendix A). On ImageNet the stem has three strides of 2 (appendix B and the released code).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from nasbook.runtime.errors import UsageError
from nasbook.spaces.operations import FactorizedReduce, Normalising, ReLUConvBN

STEM_MULTIPLIER = 3
IMAGENET_STRIDE = 8  # the stride of a stem that is the published one for ImageNet


@dataclass(frozen=True)
class CellPlan:
    """Where one cell stands in the stack.

    Args:
        kind: "normal" or "reduce".
        channels: channels of each intermediate node.
        before: channels of the outputs of the two previous cells, the earlier first.
        halve_first: whether the earlier input is twice as large (its cell came before a reduction) and must be halved.
    """

    kind: str
    channels: int
    before: tuple[int, int]
    halve_first: bool


def kinds(layers: int) -> list[str]:
    """The kind of each cell of a stack: reductions stand at a third and at two thirds of the depth."""
    reductions = {layers // 3, 2 * layers // 3}
    return ["reduce" if index in reductions else "normal" for index in range(layers)]


def plan(layers: int, channels: int, outputs: dict[str, int], *, stem_stride: int = 1) -> list[CellPlan]:
    """The cells of a stack.

    Args:
        layers: number of cells, at least 2.
        channels: channels of a node before the first reduction.
        outputs: for each kind of cell, how many nodes its output concatenates.
        stem_stride: of a discrete network's stem; with `IMAGENET_STRIDE` its two outputs differ in size.

    Raises:
        UsageError: a number is out of range.
    """
    if layers < 2:
        raise UsageError(f"A network needs at least 2 cells (both are reductions then), not {layers}.")
    if channels < 2 or channels % 2:
        raise UsageError(f"The number of channels must be even and at least 2, not {channels}.")
    plans: list[CellPlan] = []
    halve_first = stem_stride == IMAGENET_STRIDE
    before = (channels if halve_first else STEM_MULTIPLIER * channels,) * 2
    for kind in kinds(layers):
        channels = 2 * channels if kind == "reduce" else channels
        plans.append(CellPlan(kind, channels, before, halve_first))
        before = (before[1], outputs[kind] * channels)
        halve_first = kind == "reduce"
    return plans


def output_channels(cell: CellPlan, outputs: dict[str, int]) -> int:
    """Channels of the cell's output."""
    return outputs[cell.kind] * cell.channels


def check_image(image: tuple[int, int, int], stem_stride: int, layers: int) -> None:
    """Make sure that an image can be halved as often as the stack does.

    Raises:
        UsageError: its height or width cannot be.
    """
    factor = stem_stride * 2 ** kinds(layers).count("reduce")
    if image[1] % factor or image[2] % factor:
        raise UsageError(
            f"Images of {image[1]}x{image[2]} pixels cannot be halved {factor.bit_length() - 1} times; "
            f"height and width must be multiples of {factor}. Pad them, for example to "
            f"{-(-image[1] // factor) * factor}x{-(-image[2] // factor) * factor}."
        )


class Stem(nn.Sequential):
    """3x3 convolution and batch normalisation, to three times the channels; no ReLU, as the cells start with one."""

    def __init__(self, image_channels: int, channels: int, stride: int, running: bool) -> None:
        outputs = STEM_MULTIPLIER * channels
        super().__init__(
            nn.Conv2d(image_channels, outputs, 3, stride, padding=1, bias=False),
            Normalising(running=running)(outputs),
        )


class ImageNetStem(nn.Module):
    """Three 3x3 convolutions of stride 2, each with batch normalisation, and a ReLU before the second and the third."""

    def __init__(self, image_channels: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(image_channels, channels // 2, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(channels // 2),
            nn.ReLU(),
            nn.Conv2d(channels // 2, channels, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.second = nn.Sequential(
            nn.ReLU(), nn.Conv2d(channels, channels, 3, 2, padding=1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, image channels, H, W) -> (B, C, H / 4, W / 4) and (B, C, H / 8, W / 8): the inputs of the first cell."""
        earlier = self.first(images)
        return earlier, self.second(earlier)


class Preprocess(nn.Module):
    """Brings the outputs of the two previous cells to this cell's number of channels and to one size."""

    def __init__(self, cell: CellPlan, normalising: Normalising) -> None:
        super().__init__()
        earlier, later = cell.before
        self.first = (
            FactorizedReduce(earlier, cell.channels, normalising)
            if cell.halve_first
            else ReLUConvBN(earlier, cell.channels, 1, 1, normalising)
        )
        self.second = ReLUConvBN(later, cell.channels, 1, 1, normalising)

    def forward(self, earlier: Tensor, later: Tensor) -> list[Tensor]:
        """The two inputs as nodes 0 and 1: both (B, C, H, W)."""
        return [self.first(earlier), self.second(later)]


class FixedReduction(nn.Module):
    """A reduction that is not searched: one FactorizedReduce of the previous output, as wide as a searched cell's."""

    def __init__(self, cell: CellPlan, outputs: int, normalising: Normalising) -> None:
        super().__init__()
        self.reduce = FactorizedReduce(cell.before[1], outputs * cell.channels, normalising)

    def forward(self, earlier: Tensor, later: Tensor) -> Tensor:
        """The later input (B, channels, H, W) -> (B, nodes * C, H / 2, W / 2); the earlier is not read."""
        return self.reduce(later)


def pool_and_classify(images: Tensor, classifier: nn.Linear) -> Tensor:
    """Global average pooling and the linear classifier: (B, C, H, W) -> (B, classes)."""
    return classifier(images.mean(dim=(2, 3)))
