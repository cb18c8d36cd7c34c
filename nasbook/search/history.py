"""What is kept of each epoch of a search."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from nasbook.runtime import devices
from nasbook.runtime.errors import DivergedError

if TYPE_CHECKING:
    from nasbook.search.loop import Search


def epoch_record(search: Search, train_loss: float, train_accuracy: float) -> dict[str, Any]:
    """What the history keeps of an epoch: losses (nats), accuracies (percent), alpha, weights, and what is recorded."""
    valid_loss, valid_accuracy = search.validate()
    start = time.perf_counter()
    measured = {key: value for instrument in search.instruments.values() for key, value in instrument(search).items()}
    seconds = {"instrument_seconds": time.perf_counter() - start} if search.instruments else {}
    return {
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        "valid_loss": valid_loss,
        "valid_accuracy": valid_accuracy,
        "alpha": {name: value.tolist() for name, value in search.alpha.items()},
        "weights": {
            name: value.tolist() for name, value in search.relaxation.expected(search.alpha, search.progress).items()
        },
        "genotype": str(search.genotype()),
        "w_lr": search.w_optimizer.param_groups[0]["lr"],
        "memory_mib": devices.memory_mib(search.device),
        **measured,
        **seconds,
    }


def check_finite(search: Search, loss: float) -> None:
    """Make sure that training can go on.

    Raises:
        DivergedError: the loss is no longer finite.
    """
    if not math.isfinite(loss):
        raise DivergedError(
            f"The training loss is no longer finite in epoch {search.epoch + 1}: try a smaller w_lr "
            f"(now {search.numbers.w_lr:g}), a smaller alpha_lr (now {search.numbers.alpha_lr:g}) or a smaller clip "
            f"(now {search.numbers.clip:g}); the run folder keeps the last good epoch."
        )
