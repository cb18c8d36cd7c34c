"""How much is still open in a search: accuracies at several draws of what it learns, with the same shared weights.

The lecture's picture of distribution learning: at first the accuracies of sampled architectures lie far apart, as
everything is tried; then the distribution gathers, and the band of accuracies narrows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nasbook.instruments.points import Points
from nasbook.relaxation.base import gumbel
from nasbook.search import Search
from nasbook.spaces import Architecture
from nasbook.supernet import Mixing, one_hot


@dataclass(frozen=True)
class Spread:
    """What is still open in a search.

    Args:
        entropy: of the expected operation weights, the mean over rows, in nats: 0 where every row is decided, the
            logarithm of the number of operations where all are equal.
        mixtures: accuracies (percent) of the supernet at drawn operation weights, such as it is trained with; all are
            equal where the relaxation leaves nothing to chance.
        cells: accuracies (percent) of drawn architectures with the shared weights.
    """

    entropy: float
    mixtures: tuple[float, ...]
    cells: tuple[float, ...]


def spread(search: Search, *, samples: int = 8, images: int = 512, seed: int = 0) -> Spread:
    """Draw and measure. Costs `samples` forward passes of the supernet over the images, and as many of single cells.

    Args:
        search: nothing in it changes.
        samples: how many mixtures, and how many architectures, are drawn.
        images: of alpha's half, the same for every draw.
        seed: of the draws and of the images.

    Raises:
        UsageError: more images than alpha's half holds.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        mixtures = [search.relaxation(search.alpha, search.progress, generator) for _ in range(samples)]
        weights = search.relaxation.expected(search.alpha, search.progress)
    cells = [one_hot(search.space, drawn_cell(search, weights, generator)) for _ in range(samples)]
    rows = torch.cat([torch.special.entr(weights[name]).sum(-1) for name in search.space.groups])
    return Spread(
        entropy=float(rows.mean()),
        mixtures=accuracies(search, mixtures, images=images, seed=seed),
        cells=accuracies(search, cells, images=images, seed=seed),
    )


def drawn_cell(search: Search, weights: Mapping[str, Tensor], generator: torch.Generator) -> Architecture:
    """An architecture that is as likely as its operation weights say: the search's own selection after Gumbel noise.

    Where a row keeps its largest weight, it keeps operation k with probability weights[k] (the Gumbel-max trick).
    """
    noisy = {name: values.log() + gumbel(values, generator) for name, values in weights.items()}
    return search.derive(search.space, {name: torch.softmax(values, dim=-1) for name, values in noisy.items()})


def accuracies(search: Search, mixings: Sequence[Mixing], *, images: int = 512, seed: int = 0) -> tuple[float, ...]:
    """Accuracy (percent) at each of some operation weights, with the shared weights as they are and batch statistics.

    Args:
        search: nothing in it changes.
        mixings: operation weights of its space.
        images: of alpha's half, the same for every mixing.
        seed: of the draw of the images.

    Raises:
        UsageError: more images than alpha's half holds.
    """
    points = Points(search)
    batches = points.images(images, seed=seed)
    with torch.no_grad():
        right = [
            sum(int((points.logits(mixing, inputs).argmax(1) == labels).sum()) for inputs, labels in batches)
            for mixing in mixings
        ]
    return tuple(100.0 * each / sum(len(labels) for _, labels in batches) for each in right)
