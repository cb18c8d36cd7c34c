"""The number of training images that a run uses, and notes on them: said to the reader, and kept in the result."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from nasbook.datasets import Dataset
from nasbook.sizes import SearchNumbers, TrainNumbers


def row(dataset: Dataset, used: int | None, *, prefix: str = "") -> dict[str, Any]:
    """The keys of a result: `images_used`, `images_left_out`, and `images_notes` if there are any.

    Args:
        dataset: its training images are counted.
        used: number of training images that the run uses; None stands for all.
        prefix: put before the first two keys.
    """
    there = len(dataset.train)
    used = there if used is None else used
    counts: dict[str, Any] = {f"{prefix}images_used": used, f"{prefix}images_left_out": there - used}
    return counts | ({"images_notes": list(dataset.notes)} if dataset.notes else {})


def tell(dataset: Dataset, stages: Mapping[str, tuple[SearchNumbers | TrainNumbers, Mapping[str, Any] | None]]) -> None:
    """Say on standard error which stages use fewer images than there are, though nobody asked for a number.

    Args:
        dataset: its training images are counted.
        stages: for each stage by its name: its numbers, and those that were asked for.
    """
    there = len(dataset.train)
    used = {
        stage: numbers.images
        for stage, (numbers, asked) in stages.items()
        if numbers.images is not None and numbers.images < there and "images" not in (asked or {})
    }
    if used:
        parts = " and ".join(f"{count:,} by the {stage}" for stage, count in used.items())
        print(
            f"nasbook: of the {there:,} training images of {dataset.name}, {parts} are used. "
            "--images and --train-images change this; the word all takes all of them.",
            file=sys.stderr,
            flush=True,
        )
