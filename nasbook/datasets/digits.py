"""scikit-learn's bundled handwritten digits (Alpaydin and Kaynak 1998), 8x8 pixels: enough to see that all runs."""

from __future__ import annotations

import numpy as np
import torch

from nasbook.datasets.images import Dataset, Images, Normalisation
from nasbook.runtime.errors import UsageError

TRAIN, VALID, TEST = 1000, 297, 500
BRIGHTEST = 16.0  # each value counts the dark ones among 4x4 pixels
ORDER_SEED = 0  # the file is sorted by writer; the three parts are shuffled alike for everybody


def digits() -> Dataset:
    """1,000 training, 297 validation and 500 test images of one channel.

    Raises:
        UsageError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise UsageError("digits comes with scikit-learn, which is not installed: pip install scikit-learn.") from None
    bunch = load_digits()
    every = Images.from_arrays(np.rint(bunch.images * (255.0 / BRIGHTEST)).astype(np.uint8), bunch.target)
    order = torch.randperm(len(every), generator=torch.Generator().manual_seed(ORDER_SEED))
    train, valid, test = (every.subset(part) for part in order.split([TRAIN, VALID, TEST]))
    return Dataset(
        name="digits",
        classes=10,
        train=train,
        test=test,
        valid=valid,
        normalisation=Normalisation(),
        crop_padding=1,
        flip=False,
        class_names=tuple("0123456789"),
    )
