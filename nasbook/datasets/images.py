"""What a data set is: images with labels, how they become numbers, and what may be done to them in training."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nasbook.datasets import arrays
from nasbook.runtime.errors import UsageError

# Added to an image's standard deviation (of values in [0, 1]), so that a blank image becomes zeros.
SMALLEST_STD = 1e-6


@dataclass(frozen=True, eq=False)
class Images:
    """Images with their labels.

    Args:
        pixels: uint8 (images, channels, height, width).
        labels: int64 (images,), from 0.

    Raises:
        UsageError: a shape or a type is another one, or there is no image.
    """

    pixels: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if self.pixels.dtype != torch.uint8 or self.pixels.ndim != 4:
            raise UsageError(
                "Pixels must be uint8 of shape (images, channels, height, width), not "
                f"{_type_name(self.pixels.dtype)} of shape {tuple(self.pixels.shape)}."
            )
        if self.labels.dtype != torch.int64 or self.labels.shape != self.pixels.shape[:1]:
            raise UsageError(
                f"Labels must be int64 of shape ({len(self.pixels)},), one an image, not "
                f"{_type_name(self.labels.dtype)} of shape {tuple(self.labels.shape)}."
            )
        if self.pixels.numel() == 0:
            raise UsageError("There is no image.")
        if int(self.labels.min()) < 0:
            raise UsageError(f"Labels count from 0; there is a label {int(self.labels.min())}.")

    @classmethod
    def from_arrays(cls, pixels: NDArray[np.uint8], labels: NDArray[np.integer]) -> Images:
        """Images from arrays of shape (images, height, width, channels), or (images, height, width) for one channel.

        Raises:
            UsageError: as for `Images`.
        """
        arrays.check(pixels, labels)
        channels_last = pixels if pixels.ndim == 4 else pixels[..., None]
        copied = channels_last.transpose(0, 3, 1, 2).copy(order="C")
        return cls(torch.from_numpy(copied), torch.from_numpy(labels.astype(np.int64)))

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Tensor) -> Images:
        """The images at `indices` (int64), in that order."""
        return Images(self.pixels[indices], self.labels[indices])

    def to(self, device: torch.device | str) -> Images:
        """The same images on a device."""
        return Images(self.pixels.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Normalisation:
    """How pixels become the numbers that a network sees.

    Args:
        mean, std: per channel, of pixel values scaled to [0, 1]. Without them each image is normalised by itself:
            every channel is centred, then the image is divided by its own standard deviation (one for all channels).

    Raises:
        UsageError: one is given without the other, their lengths differ, or a standard deviation is not positive.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.mean is None) != (self.std is None):
            raise UsageError("A normalisation has both a mean and a std, or neither.")
        if self.mean is not None and self.std is not None:
            if len(self.mean) != len(self.std):
                raise UsageError(f"There are {len(self.mean)} means and {len(self.std)} stds; one each a channel.")
            if min(self.std) <= 0:
                raise UsageError(f"A std must be positive, not {min(self.std)}.")

    def __call__(self, pixels: Tensor, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Normalised images.

        Args:
            pixels: uint8 (images, channels, height, width).
            dtype: of the result, and of the arithmetic.

        Returns:
            (images, channels, height, width).
        """
        scaled = pixels.to(dtype) / 255.0
        if self.mean is not None and self.std is not None:
            mean, std = (torch.tensor(value, dtype=dtype, device=pixels.device) for value in (self.mean, self.std))
            return (scaled - mean[:, None, None]) / std[:, None, None]
        centred = scaled - scaled.mean((2, 3), keepdim=True)
        return centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + SMALLEST_STD)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images to search, to train and to test on.

    Args:
        name: its name, or the path it was read from.
        classes: number of classes; labels run from 0 to `classes` - 1.
        train, valid, test: the images. Searches and trainings never see the test images; `valid` may be missing.
        normalisation: how pixels become numbers.
        crop_padding: zeros put on each side before a random crop of the original size, in pixels; 0: no crop.
        flip: whether augmentation mirrors half of the images.
        class_names: one name per class.
        notes: what was changed, split or left out when the images were read, one phrase each.

    Raises:
        UsageError: images differ in shape, or labels and names do not fit the number of classes.
    """

    name: str
    classes: int
    train: Images
    test: Images
    valid: Images | None
    normalisation: Normalisation
    crop_padding: int
    flip: bool
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for split, images in self._splits().items():
            shape = tuple(images.pixels.shape[1:])
            if shape != self.image:
                raise UsageError(f"{self.name}: {split} images are {shape}, training images {self.image}.")
            if int(images.labels.max()) >= self.classes:
                raise UsageError(
                    f"{self.name}: {split} labels go up to {int(images.labels.max())}; "
                    f"with {self.classes} classes they run from 0 to {self.classes - 1}."
                )
        if len(self.class_names) != self.classes:
            raise UsageError(f"{self.name}: there are {len(self.class_names)} names for {self.classes} classes.")
        if self.normalisation.mean is not None and len(self.normalisation.mean) != self.image[0]:
            raise UsageError(
                f"{self.name}: the normalisation has {len(self.normalisation.mean)} channels, "
                f"the images have {self.image[0]}."
            )

    @property
    def image(self) -> tuple[int, int, int]:
        """Shape of one image: (channels, height, width)."""
        channels, height, width = self.train.pixels.shape[1:]
        return channels, height, width

    def digest(self) -> str:
        """A checksum of all images and labels: two data sets of one name and other contents differ in it."""
        total = hashlib.sha256()
        for split, images in self._splits().items():
            total.update(split.encode())
            for values in (images.pixels, images.labels):
                total.update(np.ascontiguousarray(values.cpu().numpy()).data.cast("B"))
        return total.hexdigest()[:16]

    def _splits(self) -> dict[str, Images]:
        splits = {"training": self.train, "test": self.test}
        return splits if self.valid is None else splits | {"validation": self.valid}


def _type_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
