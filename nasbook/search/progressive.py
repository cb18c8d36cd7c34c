"""Progressive learning: a second stage with fewer operations and wider ones (DrNAS, Chen et al. 2021, section 3.4).

The first stage searches among all operations on a small part of the channels. Then each edge keeps its strongest
operations, the kept ones grow to a larger part of the channels, and the search goes on with the weights, their momentum
and the learning rate that it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nasbook.relaxation import Masked
from nasbook.relaxation.masked import Masks
from nasbook.runtime import devices
from nasbook.runtime.errors import UsageError
from nasbook.runtime.random import RandomStream
from nasbook.search.building import weights_optimizer
from nasbook.sizes import SearchNumbers
from nasbook.spaces import Space
from nasbook.supernet.widening import repeats, widen

if TYPE_CHECKING:
    from nasbook.search.loop import Search


def second_stage_from(numbers: SearchNumbers) -> int | None:
    """The number of epochs before the second stage, half of all as published; None where there is one stage only."""
    return None if numbers.operations_end is None else numbers.epochs // 2


def check(numbers: SearchNumbers) -> None:
    """Make sure that the second stage can be made of the first.

    Raises:
        UsageError: it cannot; the sentence says why.
    """
    if numbers.operations_end is None:
        if numbers.partial_end != 1:
            raise UsageError("partial_end belongs to a second stage: give operations_end too, or leave both out.")
        return
    if numbers.operations_end < 2:
        raise UsageError("operations_end must leave at least 2 operations on an edge, or nothing is left to search.")
    if numbers.partial_end > numbers.partial:
        raise UsageError(
            f"The second stage cannot run fewer channels (1/{numbers.partial_end}) than the first "
            f"(1/{numbers.partial})."
        )
    if numbers.channels % numbers.partial_end:
        raise UsageError(
            f"In the second stage {numbers.channels} channels cannot be divided into {numbers.partial_end} equal parts."
        )
    if numbers.epochs < 2:
        raise UsageError("A search of two stages needs at least 2 epochs.")


def kept(space: Space, alpha: Mapping[str, Tensor], count: int) -> Masks:
    """For each group (rows, operations): true for the `count` largest parameters of each row.

    A row keeps one more than an architecture holds of it at least, so that something is left to choose.
    """
    masks = {}
    for name, group in space.groups.items():
        values = alpha[name].detach()
        best = values.topk(min(max(count, group.held + 1), values.shape[-1]), dim=-1).indices
        masks[name] = torch.zeros_like(values, dtype=torch.bool).scatter(-1, best, True)
    return masks


def begin(search: Search, masks: Masks) -> None:
    """Prune operations and widen channels; the weights, their momentum and alpha are carried over."""
    search.masks, search.relaxation = dict(masks), Masked(search.relaxation, masks)
    search.candidates = search.relaxation.candidates
    if search.numbers.partial_end == search.numbers.partial:
        return
    narrow, momentum = search.supernet, search.momentum()
    with RandomStream(search.seed, device=search.device).scope(), devices.precision(search.dtype):
        search.supernet = search.fresh_supernet(search.numbers.partial_end)
    how = repeats(narrow, search.supernet, search.stream.generator)
    widen(narrow, search.supernet, how)
    search.w_optimizer = weights_optimizer(search.supernet, search.numbers)
    for name, value in search.supernet.named_parameters():
        if name in momentum:
            buffer = how[name](momentum[name]) if name in how else momentum[name]
            search.w_optimizer.state[value]["momentum_buffer"] = buffer
