"""The published augmentation (Liu et al. 2019), on whole batches by tensor indexing.

Random numbers are drawn on the host and handed in, so that every device shows a network the same images.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def crop_and_flip(pixels: Tensor, *, corners: Tensor, flipped: Tensor, padding: int) -> Tensor:
    """Pad with zeros, cut out the original size at each image's corner, and mirror some images left to right.

    Args:
        pixels: (images, channels, height, width), before normalisation: the border is black, not the mean colour.
        corners: int64 (images, 2), row and column of the upper left corner in the padded image, 0 to 2 `padding`.
        flipped: bool (images,).
        padding: zeros on each side, in pixels.

    Returns:
        (images, channels, height, width).
    """
    height, width = pixels.shape[2:]
    rows = corners[:, :1] + torch.arange(height, device=pixels.device)  # (images, height)
    columns = torch.arange(width, device=pixels.device)
    columns = corners[:, 1:] + torch.where(flipped[:, None], columns.flip(0), columns)  # (images, width)
    padded = F.pad(pixels, (padding,) * 4)
    image = torch.arange(len(pixels), device=pixels.device)[:, None, None]
    # three index tensors around the slice of channels: (images, height, width, channels)
    cropped = padded[image, :, rows[:, :, None], columns[:, None, :]]
    return cropped.permute(0, 3, 1, 2).contiguous()


def cut_out(images: Tensor, *, centres: Tensor, side: int) -> Tensor:
    """Blank a square in each image (DeVries and Taylor 2017); the border may clip it.

    Args:
        images: (images, channels, height, width), after normalisation: zero is the mean colour.
        centres: int64 (images, 2), row and column.
        side: of the square, in pixels; it reaches from `side` // 2 before its centre.

    Returns:
        (images, channels, height, width).
    """
    inside = []
    for axis, length in enumerate(images.shape[2:]):
        distance = torch.arange(length, device=images.device) - centres[:, axis, None] + side // 2
        inside.append((distance >= 0) & (distance < side))
    hole = inside[0][:, :, None] & inside[1][:, None, :]  # (images, height, width)
    return images.masked_fill(hole[:, None], 0.0)
