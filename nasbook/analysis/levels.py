"""What changes when the architecture is trained on the images that the weights are trained on (a single level)?"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nasbook.datasets import Batches, Dataset
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.selection import magnitude
from nasbook.sizes import SearchNumbers
from nasbook.spaces import SearchSpace


@dataclass(frozen=True)
class Level:
    """The end of a search.

    Args:
        train_loss: of the supernet on the weights' half, in nats.
        held_out_loss, held_out_accuracy: on images that neither weights nor alpha were trained on, in nats and percent.
        weights: operation weights of the normal cell, (edges, operations).
    """

    train_loss: float
    held_out_loss: float
    held_out_accuracy: float
    weights: Tensor

    @property
    def decided(self) -> float:
        """How far the operation weights are from equal, on average: 0 when alpha prefers nothing."""
        return float((self.weights - 1 / self.weights.shape[1]).abs().mean())


def search_level(space: SearchSpace, dataset: Dataset, numbers: SearchNumbers, *, single: bool, seed: int = 0) -> Level:
    """Run a first-order search and measure it on both halves and on the validation images of the data set.

    Args:
        space: the search space.
        dataset: its training images are split in two halves.
        numbers: hyperparameters.
        single: draw alpha's batches from the weights' half too, and leave the other half unused.
        seed: of the search; both kinds start from the same weights, alpha and split.

    Raises:
        UsageError: the data set has no validation images.
    """
    if dataset.valid is None:
        raise UsageError(f"{dataset.name} has no validation images to measure on.")
    search = Search(space, dataset, recipe=recipes.get("darts"), numbers=numbers, derive=magnitude, seed=seed)
    if single:
        search.alpha_batches = Batches(
            search.weights_half,
            numbers.batch,
            dataset=dataset,
            generator=search.stream.generator,
            augment=numbers.augment,
            device=search.device,
            dtype=search.dtype,
        )
    while search.epoch < search.epochs:
        search.run_epoch(lambda _step, _steps: None)
    weights = search.mixing().weights["normal"].detach()
    search.alpha_half = search.weights_half
    train_loss, _ = search.validate()
    search.alpha_half = dataset.valid
    held_out_loss, held_out_accuracy = search.validate()
    return Level(train_loss, held_out_loss, held_out_accuracy, weights)
