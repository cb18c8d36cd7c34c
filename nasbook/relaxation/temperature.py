"""How a temperature falls during a search."""

from __future__ import annotations

from dataclasses import dataclass

from nasbook.sizes import SearchNumbers


@dataclass(frozen=True)
class Temperature:
    """A straight line from the first epoch's temperature to the last epoch's.

    Args:
        first, last: the temperatures; both are reached exactly, as in GDAS's released code.
        epochs: how many epochs the search has.
    """

    first: float = 1.0
    last: float = 1.0
    epochs: int = 1

    @classmethod
    def of(cls, numbers: SearchNumbers) -> Temperature:
        """The schedule that a search's numbers ask for."""
        return cls(numbers.temperature, numbers.temperature_end, numbers.epochs)

    def __call__(self, progress: float) -> float:
        """The temperature when so much of the search is done; the last epoch begins at (epochs - 1) / epochs."""
        if self.epochs == 1:
            return self.first
        return self.first + (self.last - self.first) * min(1.0, progress * self.epochs / (self.epochs - 1))
