"""The validation loss of a search as a plain function of a point: all architecture parameters in one vector.

Everything that this room measures, it measures on the same footing: shared weights constant, batch statistics, images
of alpha's half, and a stream of random numbers of its own. So measuring changes nothing in the search, and two
measurements of one point agree to the last digit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from nasbook.datasets import in_order
from nasbook.runtime.errors import UsageError
from nasbook.runtime.random import RandomStream
from nasbook.search import Search
from nasbook.supernet import Mixing

Coordinates = Literal["alpha", "mixing"]
Batch = tuple[Tensor, Tensor]
LARGEST_BATCH = 256


class Points:
    """One search's validation loss over points, in one of two coordinates.

    Args:
        search: whose weights, images and architecture parameters are used; nothing in it changes.
        coordinates: "alpha", the raw parameters, which the relaxation turns into operation weights; or "mixing", the
            operation weights themselves, each a free number. A discrete architecture is a point of the second kind
            only: in alpha it lies at infinity.

    Raises:
        UsageError: there are no such coordinates.
    """

    def __init__(self, search: Search, coordinates: Coordinates = "alpha") -> None:
        if coordinates not in get_args(Coordinates):
            raise UsageError(f"Coordinates are {' or '.join(get_args(Coordinates))}, not {coordinates!r}.")
        self.search, self.coordinates = search, coordinates
        self.shapes = {name: value.shape for name, value in search.alpha.items()}
        self._w = {name: value.detach() for name, value in search.supernet.named_parameters()}

    def here(self) -> Tensor:
        """Where the search stands: (parameters,), float64 on the host, without chance where the relaxation has some."""
        values = self.search.alpha
        if self.coordinates == "mixing":
            values = dict(self.search.relaxation.expected(values, self.search.progress))
        return self.flat(values)

    def flat(self, values: Mapping[str, Tensor]) -> Tensor:
        """The groups of a space as one vector (parameters,), in the order of `shapes`."""
        return torch.cat([values[name].detach().double().reshape(-1) for name in self.shapes])

    def mixing(self, point: Tensor) -> Mixing:
        """The operation weights at a point, differentiable in it; all operations run."""
        parts = torch.split(point, [shape.numel() for shape in self.shapes.values()])
        groups = {name: part.reshape(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}
        if self.coordinates == "alpha":
            groups = dict(self.search.relaxation.expected(groups, self.search.progress))
        return Mixing(groups)

    def loss(self, point: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy (nats per image, float64) of one batch at a point, twice differentiable in it."""
        images, labels = batch
        return F.cross_entropy(self.logits(self.mixing(point), images), labels).double().cpu()

    def logits(self, mixing: Mixing, images: Tensor) -> Tensor:
        """Class scores (B, classes) by the batch's own statistics; running statistics stay as they are."""
        search = self.search
        copies = {name: value.clone() for name, value in search.supernet.named_buffers()}
        search.supernet.train()
        with RandomStream(search.seed, device=search.device).scope():  # a noise operation draws the same each time
            return search.logits(images, mixing, {**self._w, **copies})

    def measure(self, point: Tensor, batches: Sequence[Batch]) -> tuple[float, float]:
        """Loss (nats per image) and accuracy (percent) at a point: the means over batches of one size."""
        loss, correct = 0.0, 0.0
        with torch.no_grad():
            for images, labels in batches:
                logits = self.logits(self.mixing(point), images)
                loss += F.cross_entropy(logits, labels).double().item()
                correct += (logits.argmax(1) == labels).double().mean().item()
        return loss / len(batches), 100.0 * correct / len(batches)

    def images(self, count: int, *, seed: int = 0) -> list[Batch]:
        """At most so many images of alpha's half, in equal batches of at most 256; arguments as for `batches`."""
        parts = max(1, math.ceil(count / LARGEST_BATCH))
        return self.batches(parts, count // parts, seed=seed)

    def batches(self, count: int, size: int = LARGEST_BATCH, *, seed: int = 0) -> list[Batch]:
        """Disjoint batches of alpha's half, drawn by a generator of their own.

        Args:
            count: how many.
            size: images in each.
            seed: of the draw; one seed gives the same images at every epoch of a search.

        Raises:
            UsageError: alpha's half holds fewer images, or nothing is asked for.
        """
        half = self.search.alpha_half
        if count < 1 or size < 2 or count * size > len(half):
            raise UsageError(
                f"{count} batches of {size} images cannot be drawn from the {len(half)} images of alpha's half; "
                "at least one batch of at least 2 images is needed."
            )
        drawn = torch.randperm(len(half), generator=torch.Generator().manual_seed(seed))[: count * size]
        search = self.search
        return list(
            in_order(half.subset(drawn), size, dataset=search.dataset, device=search.device, dtype=search.dtype)
        )
