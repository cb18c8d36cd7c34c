"""Checks arrays of images and labels. It does not import torch, so unfit files are refused before torch loads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbook.runtime.errors import UsageError


def check(pixels: NDArray[Any], labels: NDArray[Any]) -> None:
    """Make sure that arrays hold images with their labels.

    Args:
        pixels: uint8 (images, height, width) or (images, height, width, channels).
        labels: whole numbers (images,).

    Raises:
        UsageError: a shape or a type is not as above, there is no image, or the numbers of labels and images differ.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4):
        raise UsageError(
            "Pixels must be uint8 of shape (images, height, width) or (images, height, width, channels), not "
            f"{pixels.dtype} of shape {pixels.shape}."
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise UsageError(f"Labels must be whole numbers, not {labels.dtype}.")
    if labels.shape != pixels.shape[:1]:
        raise UsageError(
            f"Labels must be of shape ({len(pixels)},), one number per image, not of shape {labels.shape}."
        )
    if pixels.size == 0:
        raise UsageError("There is no image.")


def flat(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels as (images,), also where they are stored as one column (images, 1)."""
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def check_classes(labels: NDArray[np.integer[Any]]) -> None:
    """Make sure that labels can be numbers of classes, and not dates or other identifiers.

    Args:
        labels: of the training images, whole numbers (images,).

    Raises:
        UsageError: a label is negative, or not smaller than the number of images.
    """
    if int(labels.min()) < 0:
        raise UsageError(f"Labels count from 0; there is a label {labels.min()}.")
    if int(labels.max()) >= len(labels):
        kinds = len(np.unique(labels))
        raise UsageError(
            f"The labels go up to {labels.max()}, with {len(labels)} training images: number the {kinds} classes from "
            f"0 to {kinds - 1} (np.unique(labels, return_inverse=True) does it)."
        )
