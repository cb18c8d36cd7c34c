"""How well the supernet does without each of some options: one pass over the images an option, or all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from nasbook.runtime.random import RandomStream
from nasbook.search import Search
from nasbook.selection.choices import Option
from nasbook.supernet import Mixing


@dataclass(frozen=True)
class Score:
    """Loss (nats per image) and accuracy (percent) on alpha's half, by batch statistics."""

    loss: float
    accuracy: float


def score(search: Search, weights: Mapping[str, Tensor]) -> Score:
    """The supernet at these operation weights (rows, columns) of each group; nothing in the search changes."""
    return Score(*search.validate(Mixing(weights).without_zeros(), batch_statistics=True))


def without(weights: Mapping[str, Tensor], group: str, option: Option) -> dict[str, Tensor]:
    """The same weights with those of an option set to zero, the others left as they are: the row sums to less."""
    removed = weights[group].clone()
    removed[option.row, list(option.columns)] = 0.0
    return {**weights, group: removed}


def scores(
    search: Search, weights: Mapping[str, Tensor], group: str, options: Sequence[Option], *, scoring: str
) -> list[Score]:
    """The supernet without each of some options of a group, on the same images and from the same random state.

    Args:
        search: nothing in it changes.
        weights: operation weights of each group, on the host.
        group, options: what is removed, one at a time.
        scoring: "one-by-one", which does not run what is removed; or "together", where what comes before the first use
            of an option is computed once for all, and the rest for all in one call. Both give the same numbers but for
            rounding; a noise operation that is removed draws in one call all the same, so that those behind it draw
            other noise. Where a part of the channels bypasses the operations (an edge of which nothing runs has no
            bypass either) it is one by one in any case.
    """
    removed = [without(weights, group, option) for option in options]
    if scoring == "one-by-one" or max(search.numbers.partial, search.numbers.partial_end) > 1:
        return [score(search, each) for each in removed]
    return _together(search, weights, group, torch.stack([each[group] for each in removed]))


def _together(search: Search, weights: Mapping[str, Tensor], group: str, removed: Tensor) -> list[Score]:
    """`removed` (options, rows, columns): the group's weights without each option."""
    active = Mixing({**weights, group: removed.amax(0)}).without_zeros().active
    moving = [row for row in range(removed.shape[1]) if not (removed[:, row] == weights[group][row]).all()]
    still = Mixing(weights, active).to(search.device, search.dtype)
    stacked = {row: removed[:, row].to(search.dtype).to(search.device) for row in moving}
    count = len(removed)
    # What running statistics there are take part in copies, one for each option.
    buffers = {name: torch.stack([value] * count) for name, value in search.supernet.named_buffers()}

    def logits(rows: Mapping[int, Tensor], buffers: Mapping[str, Tensor], images: Tensor) -> Tensor:
        every = [rows.get(row, values) for row, values in enumerate(still.weights[group])]
        # Rows in a list: only those that differ are computed for every option, and what hangs on them.
        mixing = Mixing({**still.weights, group: every}, active)  # type: ignore[dict-item]
        result: Tensor = functional_call(search.supernet, dict(buffers), (images, mixing))
        return result

    every_option = torch.vmap(logits, in_dims=(0, 0 if buffers else None, None), randomness="same")
    search.supernet.train()
    losses = torch.zeros(count, device=search.device, dtype=search.dtype)
    right = torch.zeros(count, device=search.device, dtype=torch.long)
    with RandomStream(search.seed, device=search.device).scope(), torch.no_grad():
        for images, labels in search.validation_batches():
            found = every_option(stacked, dict(buffers), images)
            for place, each in enumerate(found):
                losses[place] += F.cross_entropy(each, labels, reduction="sum")
                right[place] += (each.argmax(1) == labels).sum()
    images_count = len(search.alpha_half)
    return [
        Score(loss / images_count, 100.0 * correct / images_count)
        for loss, correct in zip(losses.tolist(), right.tolist(), strict=True)
    ]
