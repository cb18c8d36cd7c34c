"""Keeps a trained network in a file, builds it again, and applies it to new images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nasbook import spaces
from nasbook.datasets import Dataset, Normalisation
from nasbook.datasets.pictures import Opener
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.identity import digest
from nasbook.runtime.random import RandomStream
from nasbook.runtime.run_folder import NETWORK
from nasbook.runtime.states import read_state
from nasbook.spaces import Architecture
from nasbook.supernet import families

BATCH = 64


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network with all that a new image needs.

    Args:
        architecture: of any family.
        network: in evaluation mode; (N, channels, height, width) -> logits (N, classes).
        image: (channels, height, width) of the images that it was trained on.
        normalisation: how pixels become the numbers that the network sees.
        class_names: one name per class.
    """

    architecture: Architecture
    network: nn.Module
    image: tuple[int, int, int]
    normalisation: Normalisation
    class_names: tuple[str, ...]

    @property
    def dtype(self) -> torch.dtype:
        """The precision of the network."""
        return next(self.network.parameters()).dtype

    def probabilities(self, pixels: Tensor) -> Tensor:
        """The probability of every class.

        Args:
            pixels: uint8 (N, channels, height, width).

        Returns:
            (N, classes); each row sums to one.
        """
        with torch.no_grad(), RandomStream(0).scope():  # a noise operation draws the same numbers every time
            logits = [self.network(self.normalisation(part, dtype=self.dtype)) for part in pixels.split(BATCH)]
        return torch.cat(logits).softmax(1)

    def predict(
        self, pictures: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Classify picture files. They get the size of the training images, and become gray if those were gray.

        Args:
            pictures: the path of a picture file, or several.

        Returns:
            One row per picture, with `image`, `class`, `probability` and `probabilities` by class name; and what was
            changed in the pictures, one phrase each.

        Raises:
            UsageError: there is no picture, or one is not readable.
        """
        if isinstance(pictures, str | os.PathLike):
            pictures = [pictures]
        if not pictures:
            raise UsageError("There is no picture to classify: name at least one file.")
        opener = Opener(max(self.image[1:]))
        pixels = torch.stack([self._pixels(opener(Path(picture))) for picture in pictures])
        rows = []
        for picture, shares in zip(pictures, self.probabilities(pixels).tolist(), strict=True):
            best = max(range(len(shares)), key=shares.__getitem__)
            named = dict(zip(self.class_names, shares, strict=True))
            rows.append(
                {
                    "image": os.fspath(picture),
                    "class": self.class_names[best],
                    "probability": shares[best],
                    "probabilities": named,
                }
            )
        return rows, opener.notes()

    def _pixels(self, square: Any) -> Tensor:
        """An RGB square (side, side, 3) as one training image: uint8 (channels, height, width)."""
        from PIL import Image

        channels, height, width = self.image
        picture = Image.fromarray(square)
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.Resampling.BILINEAR)
        values = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
        return torch.from_numpy(values.reshape(height, width, -1).transpose(2, 0, 1).copy())


def state_of(architecture: Architecture, network: nn.Module, built: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
    """What a file keeps of a trained network: tensors and plain values.

    Args:
        architecture: of any family.
        network: trained.
        built: the numbers that the network was built with, by name.
        dataset: its images and classes.
    """
    return {
        "architecture": str(architecture),
        "built": built,
        "image": list(dataset.image),
        "mean": dataset.normalisation.mean and list(dataset.normalisation.mean),
        "std": dataset.normalisation.std and list(dataset.normalisation.std),
        "class_names": list(dataset.class_names),
        "weights": {name: value.detach().cpu() for name, value in network.state_dict().items()},
    }


def load(run: str | os.PathLike[str]) -> Trained:
    """The trained network of a finished run, on the CPU and in evaluation mode.

    Args:
        run: the folder of a `search` or a `train`.

    Raises:
        UsageError: the folder keeps no trained network, or its file is damaged; the sentence says what to do.
    """
    folder = Path(run)
    path = folder / NETWORK
    if not path.is_file() or not (folder / "config.json").is_file():
        raise UsageError(_missing(folder))
    state = read_state(path, "weights", remedy="train again in a new folder")
    try:
        if state["run"] != digest(files.read_json(folder / "config.json")):
            raise ValueError("of another run")
        return _rebuilt(state)
    except Exception as error:  # a file that nasbook did not write can fail in any way
        raise UsageError(
            f"{path} is not the trained network that this run left ({error}): train again in a new folder."
        ) from None


def _rebuilt(state: dict[str, Any]) -> Trained:
    architecture = spaces.read(state["architecture"])
    network = families.of(architecture).network(architecture, **state["built"])
    network.to(next(value.dtype for value in state["weights"].values() if value.is_floating_point()))
    network.load_state_dict(state["weights"])
    mean, std = (None if state[key] is None else tuple(state[key]) for key in ("mean", "std"))
    channels, height, width = state["image"]
    names = tuple(state["class_names"])
    return Trained(architecture, network.eval(), (channels, height, width), Normalisation(mean, std), names)


def _missing(folder: Path) -> str:
    """Why a folder keeps no trained network, and what to do."""
    if not (folder / "config.json").is_file():
        return f"{folder} is not the folder of a run."
    if not (folder / "result.json").is_file():
        return f"The run in {folder} is not finished: run its own command again to finish it."
    result = files.read_json(folder / "result.json")
    if isinstance(result, dict) and "test_accuracy" in result:
        return f"The run in {folder} was made before trained networks were kept: train again in a new folder."
    return (
        f"The run in {folder} trained no network from scratch: `nasbook train` trains the architecture that it found."
    )
