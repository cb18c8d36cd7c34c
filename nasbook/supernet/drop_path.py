"""Drop path: whole outputs of operations or of edges are zeroed at random in training (Larsson et al. 2017)."""

from __future__ import annotations

import torch
from torch import Tensor


def drop_path(images: Tensor, probability: float) -> Tensor:
    """Zero whole images of a batch with this probability; the others are rescaled, so that the mean stays.

    The caller decides what is dropped. A discrete network never drops an identity skip. A supernet drops whole mixed
    edges. The mask is drawn from torch's global state on the images' device.
    """
    keep = 1.0 - probability
    mask = torch.empty(len(images), 1, 1, 1, device=images.device, dtype=images.dtype).bernoulli_(keep)
    return images * mask / keep
