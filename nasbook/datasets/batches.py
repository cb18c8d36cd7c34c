"""Batches of a training that never runs out of images, and all images once in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from nasbook.datasets.augmentation import crop_and_flip, cut_out
from nasbook.datasets.images import Dataset, Images
from nasbook.runtime.errors import UsageError

Batch = tuple[Tensor, Tensor]


class Batches(Iterator[Batch]):
    """An infinite stream of shuffled batches: float images (batch, channels, height, width) and labels (batch,).

    One stream lives as long as its training. (Making a new one for every batch would show a search the same first
    batch again and again.) Each epoch is a new order of the images; the short batch that would end it is dropped, so
    all batches have the same size, and which images are left out changes from epoch to epoch.

    The order and the augmentation are drawn from `generator` on the host and applied on the device, a batch at a time.

    Args:
        images: the images to draw from.
        batch: images a batch.
        dataset: says how its images are normalised, padded for a crop, and whether they may be flipped.
        generator: a generator of the CPU; it may serve other draws too.
        augment: random crop and flip.
        cutout: side of the square that is blanked at a random place, in pixels; 0 leaves it out.
        device: where the images are kept and the batches are made.
        dtype: of the images in a batch.

    Raises:
        UsageError: there are fewer images than one batch holds.
    """

    def __init__(
        self,
        images: Images,
        batch: int,
        *,
        dataset: Dataset,
        generator: torch.Generator,
        augment: bool = False,
        cutout: int = 0,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if not 1 <= batch <= len(images):
            raise UsageError(f"A batch takes 1 to {len(images)} images, as many as there are, not {batch}.")
        if cutout < 0:
            raise UsageError(f"cutout is the side of a square in pixels, at least 0, not {cutout}.")
        self.images, self.batch, self.dataset, self.generator = images.to(device), batch, dataset, generator
        self.augment, self.cutout, self.dtype = augment, cutout, dtype
        self._order = torch.empty(0, dtype=torch.int64)
        self._position = 0

    @property
    def per_epoch(self) -> int:
        """Batches in one pass over the images, the dropped short one not counted."""
        return len(self.images) // self.batch

    def __next__(self) -> Batch:
        if self._position + self.batch > len(self._order):
            self._order = torch.randperm(len(self.images), generator=self.generator)
            self._position = 0
        chosen = self._order[self._position : self._position + self.batch].to(self.images.labels.device)
        self._position += self.batch
        pixels = self.images.pixels[chosen]
        if self.augment:
            pixels = self._crop_and_flip(pixels)
        images = self.dataset.normalisation(pixels, dtype=self.dtype)
        if self.cutout:
            height, width = pixels.shape[2:]
            centres = torch.stack([self._draw(height), self._draw(width)], dim=1)
            images = cut_out(images, centres=centres.to(images.device), side=self.cutout)
        return images, self.images.labels[chosen]

    def state_dict(self) -> dict[str, Any]:
        """The place in the current order, and the generator's state: tensors and numbers."""
        return {
            "order": self._order.clone(),
            "position": self._position,
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where the saved stream was.

        Raises:
            UsageError: the state belongs to another number of images.
        """
        if len(state["order"]) not in (0, len(self.images)):
            raise UsageError(f"The saved stream has {len(state['order'])} images, this one has {len(self.images)}.")
        self._order, self._position = state["order"].clone(), state["position"]
        self.generator.set_state(state["generator"])

    def _crop_and_flip(self, pixels: Tensor) -> Tensor:
        padding = self.dataset.crop_padding
        corners = torch.stack([self._draw(2 * padding + 1), self._draw(2 * padding + 1)], dim=1)
        flipped = self._draw(2).bool() & self.dataset.flip
        return crop_and_flip(
            pixels, corners=corners.to(pixels.device), flipped=flipped.to(pixels.device), padding=padding
        )

    def _draw(self, end: int) -> Tensor:
        """One whole number an image, uniform in [0, end)."""
        return torch.randint(end, (self.batch,), generator=self.generator)


def in_order(
    images: Images,
    batch: int,
    *,
    dataset: Dataset,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Iterator[Batch]:
    """All images once, in their order and as they are; the last batch may be short, or one image too long.

    A last image that would stand alone joins the batch before it: a supernet normalises by the statistics of a batch,
    and one image has none.

    Args:
        images, batch, dataset, device, dtype: as for `Batches`.

    Yields:
        Float images (batch, channels, height, width) and labels (batch,).
    """
    whole, rest = divmod(len(images), batch)
    sizes = [batch] * whole + [rest] * (rest > 0)
    if rest == 1 and whole:
        sizes[-2:] = [batch + 1]
    for pixels, labels in zip(images.pixels.split(sizes), images.labels.split(sizes), strict=True):
        yield dataset.normalisation(pixels.to(device), dtype=dtype), labels.to(device)
