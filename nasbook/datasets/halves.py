"""The two halves that a bilevel search needs: images for the shared weights, and images for the architecture."""

from __future__ import annotations

import torch

from nasbook.datasets.images import Dataset, Images
from nasbook.runtime import values
from nasbook.runtime.errors import UsageError


def bilevel_halves(dataset: Dataset, *, images: int | None = None, seed: int = 0) -> tuple[Images, Images]:
    """Two disjoint random parts of the training images, of equal size (Liu et al. 2019, section 3.1).

    The published code takes the first and the second half of the file; a random order has the same meaning, and does
    not depend on how the file is sorted.

    Args:
        dataset: its training images alone are used.
        images: images in both halves together; None takes all. Of an odd number one is left out.
        seed: of the random order.

    Returns:
        The half for the weights and the half for alpha.

    Raises:
        UsageError: fewer than 2 images are asked for, or more than there are.
    """
    count = len(dataset.train) if images is None else values.cast("images", images, int)
    if not 2 <= count <= len(dataset.train):
        raise UsageError(
            f"{dataset.name} has {len(dataset.train)} training images; "
            f"the two halves can hold 2 to {len(dataset.train)} together, not {count}."
        )
    order = torch.randperm(len(dataset.train), generator=torch.Generator().manual_seed(values.whole("seed", seed, 0)))
    half = count // 2
    return dataset.train.subset(order[:half]), dataset.train.subset(order[half : 2 * half])
