"""What is done to the operation weights before the inner step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from nasbook.supernet import Mixing


class Perturbation(Protocol):
    """Moves the operation weights that the weight step is taken at."""

    def __call__(
        self, mixing: Mixing, loss: Callable[[Mixing], Tensor], progress: float, generator: torch.Generator
    ) -> Mixing:
        """The weights to train at.

        Args:
            mixing: the relaxation's weights, as constants.
            loss: the training loss of the step's own batch as a function of the weights, in evaluation mode (running
                statistics where they are kept, and none are updated) and differentiable in the weights alone.
            progress: how much of the search is done, from 0 to 1.
            generator: draws what is random.
        """


PERTURBATIONS: dict[str, Perturbation | None] = {"none": None}  # the weights as they are
