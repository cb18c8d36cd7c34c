"""A discrete architecture as a network of its own, trained from scratch (Liu et al. 2019, section 3.2).

Differences from the supernet: one operation an edge, learned scale and shift in batch normalisation, bare pools, drop
path, and an auxiliary classifier after the second reduction.
"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype
from nasbook.spaces.operations import Normalising, build
from nasbook.supernet import skeleton
from nasbook.supernet.drop_path import drop_path

# Height and width of the auxiliary classifier's maps, on CIFAR-10 and on ImageNet.
AUXILIARY_SIDE, IMAGENET_AUXILIARY_SIDE = 8, 7


class DiscreteCell(nn.Module):
    """One cell of a genotype."""

    def __init__(self, genotype: Genotype, plan: skeleton.CellPlan, normalising: Normalising) -> None:
        super().__init__()
        self.edges = genotype.edges(plan.kind)
        self.into = [self._running(node) for node in range(2, 2 + genotype.nodes(plan.kind))]
        self.concat = genotype.concat(plan.kind)
        self.preprocess = skeleton.Preprocess(plan, normalising)
        self.operations = nn.ModuleList(
            build(
                name,
                plan.channels,
                2 if plan.kind == "reduce" and source < 2 else 1,
                normalising=normalising,
                pool_norm=False,
            )
            for source, _, name in self.edges
        )

    def forward(self, earlier: Tensor, later: Tensor, drop_probability: float) -> Tensor:
        """Outputs of the two previous cells -> (B, nodes put out * C, H, W), half as high and wide in a reduction."""
        states = self.preprocess(earlier, later)
        for edges in self.into:
            states.append(reduce(torch.add, [self._edge(edge, states, drop_probability) for edge in edges]))
        return torch.cat([states[node] for node in self.concat], dim=1)

    def _running(self, node: int) -> list[int]:
        """The indices of the edges that run into a node: all but `none`, of which one runs where there is nothing else.

        `none` adds nothing to a sum, and alone it gives zeros of the node's shape.
        """
        into = [index for index, (_, target, _) in enumerate(self.edges) if target == node]
        return [index for index in into if self.edges[index][2] != "none"] or into[:1]

    def _edge(self, edge: int, states: list[Tensor], drop_probability: float) -> Tensor:
        operation = self.operations[edge]
        output = operation(states[self.edges[edge][0]])
        if drop_probability > 0 and not isinstance(operation, nn.Identity):
            output = drop_path(output, drop_probability)
        return output


class AuxiliaryHead(nn.Sequential):
    """The auxiliary classifier. Its loss has weight 0.4 in training, and its parameters are not counted.

    It reads maps of 8x8. With the stem for ImageNet it reads maps of 7x7, its pool has stride 2, and it has no second
    normalisation, as in the released code.
    """

    def __init__(self, channels: int, classes: int, *, imagenet: bool = False) -> None:
        super().__init__(
            nn.ReLU(),
            nn.AvgPool2d(5, stride=2 if imagenet else 3, padding=0, count_include_pad=False),
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            *([] if imagenet else [nn.BatchNorm2d(768)]),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(768, classes),
        )


class Network(nn.Module):
    """The network of one genotype.

    Args:
        genotype: the architecture.
        channels: channels of a node before the first reduction (36 as published).
        layers: number of cells (20 as published).
        classes: number of classes.
        image_channels: channels of an image.
        stem_stride: 2 halves the images at once, for class-size runs; 8 is the published stem for ImageNet, of three
            convolutions of stride 2.
        auxiliary: add the auxiliary classifier after the second reduction (see `AuxiliaryHead` for its maps).

    Raises:
        UsageError: a number is out of range.
    """

    def __init__(
        self,
        genotype: Genotype,
        *,
        channels: int,
        layers: int,
        classes: int,
        image_channels: int = 3,
        stem_stride: int = 1,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        self.genotype = genotype
        normalising = Normalising()
        outputs = {"normal": len(genotype.normal_concat), "reduce": len(genotype.reduce_concat)}
        if not genotype.reduce:
            outputs["reduce"] = outputs["normal"]
        self.plans = skeleton.plan(layers, channels, outputs, stem_stride=stem_stride)
        imagenet = stem_stride == skeleton.IMAGENET_STRIDE
        self.stem = (
            skeleton.ImageNetStem(image_channels, channels)
            if imagenet
            else skeleton.Stem(image_channels, channels, stem_stride, True)
        )
        self.cells = nn.ModuleList(
            DiscreteCell(genotype, plan, normalising)
            if genotype.cell(plan.kind)
            else skeleton.FixedReduction(plan, outputs["reduce"], normalising)
            for plan in self.plans
        )
        self.classifier = nn.Linear(skeleton.output_channels(self.plans[-1], outputs), classes)
        self.auxiliary_after = 2 * layers // 3
        auxiliary_channels = skeleton.output_channels(self.plans[self.auxiliary_after], outputs)
        self.auxiliary = AuxiliaryHead(auxiliary_channels, classes, imagenet=imagenet) if auxiliary else None
        self.auxiliary_side = IMAGENET_AUXILIARY_SIDE if imagenet else AUXILIARY_SIDE

    def forward(self, images: Tensor, drop_probability: float = 0.0) -> Tensor | tuple[Tensor, Tensor | None]:
        """Class scores, in training mode with those of the auxiliary classifier.

        Args:
            images: (B, image channels, H, W).
            drop_probability: of drop path; used in training mode only.

        Returns:
            In evaluation mode the logits (B, classes) alone. In training mode a pair: the logits, and the auxiliary
            logits (B, classes), or None where there is no auxiliary classifier.
        """
        auxiliary = None
        drop_probability = drop_probability if self.training else 0.0
        states = self.stem(images)
        earlier, later = states if isinstance(states, tuple) else (states, states)
        for index, cell in enumerate(self.cells):
            dropping = (drop_probability,) if isinstance(cell, DiscreteCell) else ()
            earlier, later = later, cell(earlier, later, *dropping)
            if index == self.auxiliary_after and self.auxiliary is not None and self.training:
                _check_maps(later.shape[-2], later.shape[-1], self.auxiliary_side)
                auxiliary = self.auxiliary(later)
        logits = skeleton.pool_and_classify(later, self.classifier)
        return (logits, auxiliary) if self.training else logits


def check_auxiliary(image: tuple[int, int, int], stem_stride: int) -> None:
    """Make sure that the auxiliary classifier can read the maps behind the second reduction.

    Args:
        image: (channels, height, width).
        stem_stride: of the network.

    Raises:
        UsageError: the maps have another size.
    """
    factor = 4 * stem_stride  # two reductions
    _check_maps(image[1] // factor, image[2] // factor, AUXILIARY_SIDE)


def _check_maps(height: int, width: int, side: int) -> None:
    if (height, width) != (side, side):
        raise UsageError(
            f"The auxiliary classifier needs maps of {side}x{side} behind the second reduction, "
            f"not {height}x{width}: set the number auxiliary to 0 for images of this size."
        )


def loss_with_auxiliary(outputs: tuple[Tensor, Tensor | None], labels: Tensor, weight: float) -> Tensor:
    """Cross-entropy in nats, plus `weight` times that of the auxiliary classifier where there is one."""
    logits, auxiliary = outputs
    loss = F.cross_entropy(logits, labels)
    return loss if auxiliary is None else loss + weight * F.cross_entropy(auxiliary, labels)
