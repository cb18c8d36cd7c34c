"""The reader's own images: an .npz file of arrays, or a folder of pictures."""

from __future__ import annotations

import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasbook.datasets.images import Dataset, Images, Normalisation
from nasbook.runtime.errors import UsageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".tif", ".tiff", ".webp")
TEST_SHARE, SPLIT_SEED = 0.2, 0  # of a folder that has no test images of its own


def from_npz(path: Path) -> Dataset:
    """Images from arrays `x_train`, `y_train`, `x_test`, `y_test` and, where there are any, `x_valid`, `y_valid`.

    Images are uint8 (images, height, width) or (images, height, width, channels) with 1 or 3 channels; labels whole
    numbers from 0. Each image is normalised by itself, and never flipped: a mirrored image may show something else.
    `dataclasses.replace(dataset, flip=True)` changes that.

    Raises:
        UsageError: the file is missing or unreadable, or an array is missing or unfit.
    """
    arrays = _arrays(path)
    for key in ("x_train", "y_train", "x_test", "y_test"):
        if key not in arrays:
            raise UsageError(f"{path} has no array {key}; it needs x_train, y_train, x_test and y_test.")

    def images(split: str) -> Images:
        pixels, labels = arrays[f"x_{split}"], arrays.get(f"y_{split}")
        if labels is None:
            raise UsageError(f"{path} has x_{split} without y_{split}.")
        try:
            return Images.from_arrays(pixels, labels)
        except UsageError as error:
            raise UsageError(f"{path}, x_{split} and y_{split}: {error}") from None

    train = images("train")
    classes = int(train.labels.max()) + 1
    return _dataset(
        path,
        train=train,
        test=images("test"),
        valid=images("valid") if "x_valid" in arrays else None,
        class_names=tuple(str(label) for label in range(classes)),
    )


def from_folder(path: Path, *, size: int = 32) -> Dataset:
    """Images from `path/train/CLASS/` and `path/test/CLASS/` (and `path/valid/CLASS/`), or from `path/CLASS/` alone.

    Without folders train and test, a fifth of each class becomes test images, the same ones every time. Pictures are
    made RGB and resized to a square, whatever their sides.

    Args:
        path: the folder.
        size: height and width in pixels.

    Raises:
        UsageError: folders or images are missing, a picture is unreadable, or a class has too few.
    """
    if size < 1:
        raise UsageError(f"Images are resized to at least 1 pixel, not {size}.")
    if (path / "train").is_dir() != (path / "test").is_dir():
        raise UsageError(f"{path} has one of the folders train and test; it needs both, or classes alone.")
    if (path / "train").is_dir():
        parts = {split: _pictures(path / split) for split in ("train", "test", "valid") if (path / split).is_dir()}
    else:
        parts = _split(path, _pictures(path))
    class_names = tuple(parts["train"])
    for split, pictures in parts.items():
        unknown = set(pictures) - set(class_names)
        if unknown:
            raise UsageError(f"{path}: {split} has the class {min(unknown)}, which train has not.")
    loaded = {split: _open(pictures, class_names, size) for split, pictures in parts.items()}
    return _dataset(
        path, train=loaded["train"], test=loaded["test"], valid=loaded.get("valid"), class_names=class_names
    )


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise UsageError(f"{path} does not exist.")
    arrays = {}
    try:
        # opened here, so that it is closed whatever is wrong with it
        with path.open("rb") as handle, zipfile.ZipFile(handle), np.load(handle, allow_pickle=False) as file:
            for key in file.files:
                arrays[key] = file[key]
    except (ValueError, OSError, EOFError, KeyError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        if "allow_pickle" in str(error):
            raise UsageError(f"{path} holds Python objects, which are never read: save plain arrays.") from None
        raise UsageError(f"{path} is not a readable .npz file.") from None
    return arrays


def _pictures(path: Path) -> dict[str, list[Path]]:
    """The picture files of each class, both in alphabetical order."""
    classes = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    found = {
        folder.name: sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES) for folder in classes
    }
    if not found:
        raise UsageError(f"{path} has no folders; each class is a folder of pictures.")
    for name, pictures in found.items():
        if not pictures:
            raise UsageError(f"{path / name} holds no picture ({', '.join(SUFFIXES)}).")
    return found


def _split(path: Path, found: dict[str, list[Path]]) -> dict[str, dict[str, list[Path]]]:
    parts: dict[str, dict[str, list[Path]]] = {"train": {}, "test": {}}
    order = random.Random(SPLIT_SEED)
    for name, pictures in found.items():
        if len(pictures) < 2:
            raise UsageError(f"{path / name} holds one picture; a class needs two, one of them for the test.")
        shuffled = order.sample(pictures, len(pictures))
        held = max(1, round(TEST_SHARE * len(pictures)))
        parts["test"][name], parts["train"][name] = shuffled[:held], shuffled[held:]
    return parts


def _open(pictures: dict[str, list[Path]], class_names: tuple[str, ...], size: int) -> Images:
    open_one = _opener(size)
    files = [(file, class_names.index(name)) for name, listed in pictures.items() for file in listed]
    pixels = np.stack([open_one(file) for file, _ in files])
    return Images.from_arrays(pixels, np.array([label for _, label in files]))


def _opener(size: int) -> Callable[[Path], NDArray[np.uint8]]:
    from PIL import Image

    def open_one(file: Path) -> NDArray[np.uint8]:
        try:
            with Image.open(file) as picture:
                square = picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            raise UsageError(f"{file} is not a readable picture.") from None
        return np.asarray(square, dtype=np.uint8)

    return open_one


def _dataset(path: Path, *, train: Images, test: Images, valid: Images | None, class_names: tuple[str, ...]) -> Dataset:
    counts = torch.bincount(train.labels, minlength=len(class_names))
    if len(class_names) < 2:
        raise UsageError(f"{path} has one class; there must be two at least.")
    if int(counts.min()) == 0:
        empty = int(counts.argmin())
        raise UsageError(f"{path}: class {empty} of {len(class_names)} has no training image; labels count from 0.")
    channels, *sides = train.pixels.shape[1:]
    if channels not in (1, 3):
        raise UsageError(f"{path}: images have {channels} channels; 1 or 3 are allowed, as the last dimension.")
    return Dataset(
        name=str(path),
        classes=len(class_names),
        train=train,
        test=test,
        valid=valid,
        normalisation=Normalisation(),
        crop_padding=min(sides) // 8,
        flip=False,
        class_names=class_names,
    )
