"""What a search can record after each epoch besides losses and weights, by name.

Each instrument is a function of the search that changes nothing in it. What it costs stands in each record as
`instrument_seconds`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from nasbook.instruments import discretisation
from nasbook.instruments.hessian import both
from nasbook.instruments.spread import spread
from nasbook.runtime.errors import UsageError
from nasbook.search import Search
from nasbook.search.loop import Instrument
from nasbook.supernet import one_hot


def eigenvalue(search: Search) -> dict[str, Any]:
    """`eigenvalue`: the largest of the Hessian in alpha, mean of two batches of 256; `eigenvalue_spread` between them.

    `mixing_eigenvalue` is the largest in the operation weights themselves, each a free number: the softmax flattens the
    loss in alpha where it is decided, in these coordinates it does not. Costs one backward pass for each architecture
    parameter and batch.
    """
    batch = min(256, len(search.alpha_half) // 2)
    in_alpha, in_mixing = both(search, batch=batch)
    return {
        "eigenvalue": in_alpha.largest,
        "eigenvalue_spread": in_alpha.spread,
        "mixing_eigenvalue": in_mixing.largest,
    }


def skip_weight(search: Search) -> dict[str, Any]:
    """`skip_weight`: the weight of skip connections, the mean over all rows that offer one; None without any. Free."""
    with torch.no_grad():
        weights = search.relaxation.expected(search.alpha, search.progress)
    found = [
        weights[name][row, names.index("skip_connect")].item()
        for name, group in search.space.groups.items()
        for row, names in enumerate(group.operations)
        if "skip_connect" in names
    ]
    return {"skip_weight": sum(found) / len(found) if found else None}


def derived_accuracy(search: Search) -> dict[str, Any]:
    """`derived_accuracy`: of the derived architecture with the shared weights, percent, on alpha's half.

    Costs one forward pass over that half.
    """
    _, accuracy = search.validate(one_hot(search.space, search.genotype()), batch_statistics=True)
    return {"derived_accuracy": accuracy}


def gap(search: Search) -> dict[str, Any]:
    """`gap`: accuracy of the supernet minus that of the derived architecture, percentage points, on alpha's half.

    Costs two forward passes over that half. Where no running statistics are kept, `valid_accuracy` minus
    `derived_accuracy` is the same number for one.
    """
    return {"gap": discretisation.gap(search)}


def sampled(search: Search) -> dict[str, Any]:
    """`mean_entropy`, `mixture_accuracies` and `cell_accuracies`: what is still open (see `Spread`).

    Eight draws of each kind on at most 512 images of alpha's half: that many forward passes.
    """
    found = spread(search, images=min(512, len(search.alpha_half)))
    return {
        "mean_entropy": found.entropy,
        "mixture_accuracies": list(found.mixtures),
        "cell_accuracies": list(found.cells),
    }


INSTRUMENTS: dict[str, Instrument] = {
    "eigenvalue": eigenvalue,
    "skip-weight": skip_weight,
    "derived-accuracy": derived_accuracy,
    "gap": gap,
    "spread": sampled,
}


def named(names: Iterable[str]) -> dict[str, Instrument]:
    """The instruments of these names.

    Raises:
        UsageError: there is no such instrument.
    """
    names = list(names)
    for name in names:
        if name not in INSTRUMENTS:
            raise UsageError(f"A search cannot record {name!r}; it can record {', '.join(INSTRUMENTS)}.")
    return {name: INSTRUMENTS[name] for name in names}
