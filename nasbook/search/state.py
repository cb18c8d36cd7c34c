"""What of a search is saved, and how another takes it up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from nasbook.search import progressive

if TYPE_CHECKING:
    from nasbook.search.loop import Search


def state_of(search: Search) -> dict[str, Any]:
    """Weights, alpha, optimisers, random numbers and the place in the data, as tensors and plain values."""
    return {
        "epoch": search.epoch,
        "steps": search.steps,
        "masks": search.masks,
        "baseline": search.baseline,
        "costs": dict(search.penalty.costs),
        "supernet": search.supernet.state_dict(),
        "alpha": {name: value.detach() for name, value in search.alpha.items()},
        "w_optimizer": search.w_optimizer.state_dict(),
        "alpha_optimizer": search.alpha_optimizer.state_dict(),
        "stream": search.stream.state_dict(),
        "weights_batches": search.weights_batches.state_dict(),
        "alpha_batches": search.alpha_batches.state_dict(),
        "watch": search.watch.state_dict(),
    }


def load_state(search: Search, state: dict[str, Any]) -> None:
    """Put a search of the same configuration where another stood: it goes on bit for bit on a CPU."""
    search.epoch, search.steps, search.baseline = state["epoch"], state["steps"], state["baseline"]
    search.penalty = replace(search.penalty, costs=state["costs"])  # a latency is not measured twice
    if state["masks"] is not None and search.masks is None:
        progressive.begin(search, state["masks"])
    search.supernet.load_state_dict(state["supernet"])
    with torch.no_grad():
        for name, value in search.alpha.items():
            value.copy_(state["alpha"][name])
    search.w_optimizer.load_state_dict(state["w_optimizer"])
    search.alpha_optimizer.load_state_dict(state["alpha_optimizer"])
    search.stream.load_state_dict(state["stream"])
    search.weights_batches.load_state_dict(state["weights_batches"])
    search.alpha_batches.load_state_dict(state["alpha_batches"])
    search.watch.load_state_dict(state["watch"])
    search.epochs = search.epoch if search.stopped is not None else search.epochs
