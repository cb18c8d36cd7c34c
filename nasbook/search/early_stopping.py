"""Early stopping on the dominant eigenvalue (DARTS-ES: Zela et al. 2020, section 5.1; window and lag of their code).

When the curvature of the validation loss grows fast, the search goes back to the architecture from before it did.
The published numbers belong to 50 epochs; a search of another length keeps the proportions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nasbook.runtime.errors import UsageError

WINDOW = 5  # measurements in a centred mean
LAG = 4  # measurements between the two means that are compared
PUBLISHED_EPOCHS = 50
EVERY = 2  # epochs between two measurements, at the published length
EARLIEST = 10  # first epoch that may be returned, at the published length

Curve = Sequence[tuple[int, float]]


def measured(epoch: int, epochs: int) -> bool:
    """Whether the rule looks at the eigenvalue after this epoch (counted from 1) of a search of so many."""
    return epoch % max(1, round(EVERY * epochs / PUBLISHED_EPOCHS)) == 0


def check(factor: float, epochs: int, *, learns: bool) -> None:
    """Make sure that a search can be stopped early where that is asked for.

    Args:
        factor: of `stopping_epoch`; 0 asks for nothing.
        epochs: length of the whole search.
        learns: whether the method learns architecture parameters.

    Raises:
        UsageError: the method has no curvature to read, or the search ends before the rule can compare anything.
    """
    if not factor:
        return
    if not learns:
        raise UsageError("Early stopping reads the curvature in alpha, and this method learns no alpha: leave it out.")
    looks = sum(measured(epoch, epochs) for epoch in range(1, epochs + 1))
    if looks < WINDOW + LAG:
        raise UsageError(
            f"Early stopping compares two means, for which it looks at {WINDOW + LAG} epochs; "
            f"a search of {epochs} is too short for it."
        )


def stopping_epoch(curve: Curve, *, factor: float, epochs: int) -> int | None:
    """The epoch to go back to, or None while the search should go on.

    Args:
        curve: (epoch, dominant eigenvalue) of every measurement so far, in order.
        factor: the growth of the mean over `LAG` measurements that ends the search (1.3 as published).
        epochs: length of the whole search.

    Returns:
        The centre of the earlier mean: its architecture is the result. A mean of 0 or less has no growth to speak of.
    """
    half = WINDOW // 2
    newest = len(curve) - 1 - half  # the newest centre: two measurements lie behind it
    earlier = newest - LAG
    if earlier < half or curve[earlier][0] < EARLIEST * epochs / PUBLISHED_EPOCHS:
        return None
    new, old = (_mean(curve[centre - half : centre + half + 1]) for centre in (newest, earlier))
    return curve[earlier][0] if old > 0 and new > factor * old else None


def _mean(curve: Curve) -> float:
    return sum(value for _, value in curve) / len(curve)


class Watch:
    """Looks at a search after its epochs, and says when it should have ended.

    Args:
        factor, epochs: of `stopping_epoch`; a factor of 0 never looks.
    """

    def __init__(self, factor: float, epochs: int) -> None:
        self.factor, self.epochs = factor, epochs
        self.curve: list[tuple[int, float]] = []
        self.derived: list[str] = []  # the architecture of each look, as text
        self.stopped: int | None = None

    def look(self, epoch: int, record: Mapping[str, Any]) -> None:
        """Take in an epoch's record (`eigenvalue`, `genotype`); `stopped` then says where to go back to, if at all."""
        if not self.factor or not measured(epoch, self.epochs):
            return
        self.curve.append((epoch, float(record["eigenvalue"])))
        self.derived.append(record["genotype"])
        self.stopped = stopping_epoch(self.curve, factor=self.factor, epochs=self.epochs)

    def architecture(self) -> str:
        """The architecture of the epoch that the search went back to, as text."""
        return self.derived[[epoch for epoch, _ in self.curve].index(self.stopped or 0)]

    def state_dict(self) -> dict[str, Any]:
        """What it has seen, as plain values."""
        return {"curve": list(self.curve), "derived": list(self.derived), "stopped": self.stopped}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        self.curve, self.derived = [(epoch, value) for epoch, value in state["curve"]], list(state["derived"])
        self.stopped = state["stopped"]
