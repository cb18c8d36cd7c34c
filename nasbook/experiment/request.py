"""What is asked of a run: values as users have them, the folder, the number of threads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nasbook import datasets
from nasbook.datasets import Dataset
from nasbook.experiment.folders import Place
from nasbook.runtime import files, threads, values
from nasbook.runtime.errors import UsageError
from nasbook.sizes import Numbers

Data = str | os.PathLike[str] | Dataset


def settle(run: Place | None, config: dict[str, Any], asked: int | None, device: torch.device) -> Path | None:
    """Name a run's folder and put the number of threads into its configuration.

    A number that is not asked for is the one that a run in the folder has, and `threads.default` otherwise. It is no
    part of what names the folder: the same request finds its run again wherever it is made.

    Args:
        run: the folder, or what names it from the configuration.
        config: what is asked; gets the entry "threads".
        asked: the number of threads; None where it is not asked for.
        device: where the run computes.

    Raises:
        UsageError: the number is out of range, or the folder's name is none.
    """
    if asked is not None:
        config["threads"] = values.whole("threads", asked, 1, values.MOST_THREADS)
    place = None if run is None else values.path("run", run(config) if callable(run) else run)
    if asked is None:
        config["threads"] = _kept_threads(place) or threads.default(config["size"], device)
    return place


def _kept_threads(place: Path | None) -> int | None:
    """The number of threads of the run that a folder holds."""
    if place is None or not (place / "config.json").is_file():
        return None
    try:
        there = files.read_json(place / "config.json")
    except UsageError:  # the run folder says what is wrong with it
        return None
    number = there.get("threads") if isinstance(there, dict) else None
    return number if type(number) is int and 1 <= number <= values.MOST_THREADS else None


def load(data: Data, root: str | os.PathLike[str] | None) -> Dataset:
    """A data set, loaded where it is named."""
    if isinstance(data, Dataset):
        return data
    return datasets.load(data, root=root)


def data_name(data: Data) -> str:
    """A data set as a run's configuration names it."""
    return data.name if isinstance(data, Dataset) else os.fspath(data)


def as_many_as_there_are(numbers: Numbers, changes: Mapping[str, Any], dataset: Dataset) -> Numbers:
    """The size's own number of images, or all where the data set has fewer; what is asked by name stays as asked."""
    if numbers.images is None or "images" in changes:
        return numbers
    return replace(numbers, images=min(numbers.images, len(dataset.train)))


def names(name: str, given: str | Iterable[str]) -> list[str]:
    """A list of words, of which one alone may be given as it is."""
    each = [given] if isinstance(given, str) else list(given)
    return [values.cast(name, word, str) for word in each]
