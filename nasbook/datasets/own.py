"""The reader's own images: an .npz file of arrays, or a folder of pictures. Both are checked before torch loads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbook.datasets import arrays, folders, npz
from nasbook.datasets.pictures import Opener
from nasbook.datasets.splits import split_of
from nasbook.runtime.errors import UsageError

if TYPE_CHECKING:
    from nasbook.datasets.images import Dataset

_KINDS = {
    **dict.fromkeys(("x", "images", "image"), "x"),
    **dict.fromkeys(("y", "labels", "label", "targets"), "y"),
}
_Arrays = tuple[NDArray[np.uint8], NDArray[np.integer[Any]]]  # pixels and labels
_NEEDED = ("x_train", "y_train", "x_test", "y_test")


def from_npz(path: Path) -> Dataset:
    """Images from arrays `x_train`, `y_train`, `x_test`, `y_test` and, where there are any, `x_valid`, `y_valid`.

    The names `train_images`, `train_labels`, `val_images` and so on mean the same. Images are uint8 (images, height,
    width) or (images, height, width, channels) with 1 or 3 channels; labels are whole numbers from 0, of shape
    (images,) or (images, 1). Each image is normalised by itself, and never flipped: a mirrored image may show something
    else. `dataclasses.replace(dataset, flip=True)` changes that.

    Raises:
        UsageError: the file is unreadable or takes more memory than there is, or an array is missing or unfit.
    """
    with npz.opened(path) as archive:
        keys, unused = _named(path, archive.names)
        parts = {key[2:]: _read(path, archive, keys, key[2:]) for key in keys if key.startswith("x_")}
    classes = int(parts["train"][1].max()) + 1
    return _dataset(
        path,
        parts,
        class_names=tuple(str(label) for label in range(classes)),
        notes=[f"arrays left out: {', '.join(unused)}"] if unused else [],
    )


def from_folder(path: Path, *, size: int = 32) -> Dataset:
    """Images from `path/train/CLASS/` and `path/test/CLASS/` (and `path/valid/CLASS/`), or from `path/CLASS/` alone.

    Words like `Training`, `testing`, `val` and `test_set` mean the same. Without folders train and test, a fifth of
    each class becomes test images, the same ones every time. Pictures are made RGB and resized to a square, whatever
    their sides; the data set's notes say what was changed, split or left out.

    Args:
        path: the folder.
        size: height and width in pixels.

    Raises:
        UsageError: folders or images are missing, a picture is unreadable, or a class has too few.
    """
    if size < 1:
        raise UsageError(f"Images are resized to at least 1 pixel, not {size}.")
    found, open_one = folders.find(path), Opener(size)
    class_names = tuple(found.parts["train"])
    parts = {split: _opened(pictures, class_names, open_one) for split, pictures in found.parts.items()}
    return _dataset(path, parts, class_names=class_names, notes=[*found.notes, *open_one.notes()])


def _named(path: Path, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Which array of a file is `x_train`, `y_train` and so on, and the names of the other arrays."""
    found: dict[str, str] = {}
    unused = []
    for name in names:
        first, _, second = name.partition("_")
        kinds = [(_KINDS.get(kind.lower()), split_of(split)) for kind, split in ((first, second), (second, first))]
        key = next((f"{kind}_{split}" for kind, split in kinds if kind and split), None)
        if key is None:
            unused.append(name)
        elif key in found:
            raise UsageError(f"{path} has the arrays {found[key]} and {name}, which mean the same: keep one of them.")
        else:
            found[key] = name
    for key in _NEEDED:
        if key not in found:
            has = ", ".join(names) or "none"
            raise UsageError(f"{path} has no array {key}; it needs {', '.join(_NEEDED)} and has {has}.")
    for key in ("x_valid", "y_valid"):
        other = {"x": "y", "y": "x"}[key[0]] + key[1:]
        if key in found and other not in found:
            raise UsageError(f"{path} has {found[key]} without {other}.")
    return found, unused


def _read(path: Path, archive: npz.Archive, keys: dict[str, str], split: str) -> _Arrays:
    x, y = keys[f"x_{split}"], keys[f"y_{split}"]
    try:
        arrays.check(archive.claim(x), arrays.flat(archive.claim(y)))  # before anything large is read
        labels = arrays.flat(archive.read(y))
        if split == "train":
            arrays.check_classes(labels)
        return archive.read(x), labels
    except UsageError as error:
        raise UsageError(f"{path}, {x} and {y}: {error}") from None


def _opened(pictures: folders.Pictures, class_names: tuple[str, ...], open_one: Opener) -> _Arrays:
    files = [(file, class_names.index(name)) for name, listed in pictures.items() for file in listed]
    pixels = np.stack([open_one(file) for file, _ in files])
    return pixels, np.array([label for _, label in files])


def _dataset(path: Path, parts: dict[str, _Arrays], *, class_names: tuple[str, ...], notes: Sequence[str]) -> Dataset:
    pixels, labels = parts["train"]
    counts = np.bincount(labels.astype(np.int64), minlength=len(class_names))
    if len(class_names) < 2:
        raise UsageError(f"{path} has one class; there must be two at least.")
    if counts.min() == 0:
        empty = counts.argmin()
        raise UsageError(f"{path}: class {empty} of {len(class_names)} has no training image; labels count from 0.")
    channels = pixels.shape[3] if pixels.ndim == 4 else 1
    if channels not in (1, 3):
        raise UsageError(f"{path}: images have {channels} channels; 1 or 3 are allowed, as the last dimension.")

    from nasbook.datasets.images import Dataset, Images, Normalisation

    return Dataset(
        name=str(path),
        classes=len(class_names),
        train=Images.from_arrays(*parts.pop("train")),
        test=Images.from_arrays(*parts.pop("test")),
        valid=Images.from_arrays(*parts.pop("valid")) if "valid" in parts else None,
        normalisation=Normalisation(),
        crop_padding=min(pixels.shape[1:3]) // 8,
        flip=False,
        class_names=class_names,
        notes=tuple(notes),
    )
