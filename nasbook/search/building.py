"""What a search is made of: its supernet, its two optimisers, and the table of costs where one is asked for."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from nasbook.datasets import Dataset
from nasbook.runtime import devices
from nasbook.runtime.random import RandomStream
from nasbook.sizes import SearchNumbers
from nasbook.spaces import Space
from nasbook.supernet import EdgeSettings, families
from nasbook.supernet.operation_costs import IMAGES, operation_costs


def build_supernet(
    space: Space, dataset: Dataset, numbers: SearchNumbers, *, partial: int, device: torch.device
) -> nn.Module:
    """The supernet of a space by the numbers of a search, its weights drawn from torch's global state.

    Args:
        space, dataset, numbers: of the search.
        partial: one in so many channels passes through the operations.
        device: where it runs.

    Raises:
        UsageError: a number is out of range.
    """
    supernet = families.of(space).supernet(
        space,
        channels=numbers.channels,
        layers=numbers.layers,
        classes=dataset.classes,
        image_channels=dataset.image[0],
        stem_stride=numbers.stem_stride,
        running=numbers.running,
        settings=EdgeSettings(partial, numbers.unsampled),
    )
    dtype = getattr(torch, numbers.precision)
    return supernet.to(device).to(memory_format=devices.memory_format(dtype))


def weights_optimizer(supernet: nn.Module, numbers: SearchNumbers) -> torch.optim.SGD:
    """SGD with momentum for the shared weights."""
    return torch.optim.SGD(
        supernet.parameters(),
        numbers.w_lr,
        numbers.w_momentum,
        weight_decay=numbers.w_decay,
        nesterov=numbers.w_nesterov,
    )


def alpha_optimizer(alpha: Iterable[Tensor], numbers: SearchNumbers) -> torch.optim.Adam:
    """Adam for the architecture parameters, and for nothing else.

    Its decay is L2 added to the gradient, as published (not decoupled).
    """
    betas = (numbers.alpha_beta1, numbers.alpha_beta2)
    return torch.optim.Adam(list(alpha), numbers.alpha_lr, betas, weight_decay=numbers.alpha_decay)


def costs(supernet: nn.Module, space: Space, dataset: Dataset, cost: str) -> dict[str, Tensor]:
    """What each operation of a supernet costs on the images of a data set (see `operation_costs`)."""
    parameter = next(supernet.parameters())
    images = torch.zeros(IMAGES, *dataset.image).to(parameter)
    with RandomStream(0, device=parameter.device).scope():  # a noise operation draws: not from a search's numbers
        return operation_costs(supernet, space, images, cost)
