"""Training derived architectures on images of their own, so that no search has seen them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasbook import datasets, experiment
from nasbook.datasets import street_numbers
from nasbook.runtime.events import Listener
from nasbook.spaces import Architecture

FRESH_SEED = 8000  # of the first of these images; seeds below belong to other purposes


def fresh_accuracies(
    architecture: Architecture,
    *,
    seed: int,
    retrainings: int,
    size: str,
    device: str,
    numbers: dict[str, Any] | None = None,
    folder: Path | None = None,
    listeners: Iterable[Listener] = (),
) -> list[float]:
    """Test accuracies (percent) of an architecture, trained from scratch several times, each on images of its own.

    Args:
        architecture: of any family.
        seed: of a study; trainings and images have seeds that follow from it, so that the architectures of one seed are
            trained on the same images.
        retrainings: how often.
        size, device, numbers: of the trainings.
        folder: where they are kept; equal architectures of one folder are trained once.
        listeners: told what happens.
    """
    found = []
    for again in range(retrainings):
        number = 100 * seed + again
        data = datasets.load("street_numbers")
        data = replace(data, train=street_numbers.fresh(len(data.train), seed=FRESH_SEED + number))
        outcome = experiment.train(
            architecture.canonical(),
            data=data,
            size=size,
            seed=number,
            device=device,
            numbers=numbers,
            run=None if folder is None else folder / f"train-{again}-{_name(architecture)}",
            listeners=listeners,
        )
        found.append(outcome.result["test_accuracy"])
    return found


def _name(architecture: Architecture) -> str:
    """A file's name for an architecture, the same for two ways of writing it."""
    text = str(architecture.canonical())
    plain = "".join(character if character.isalnum() else " " for character in text)
    return "-".join(plain.split())
