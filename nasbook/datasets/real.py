"""The real sets as torchvision lays them out, and ImageNet16-120 from its batches.

torchvision's own reader of CIFAR unpickles its files; here they are read by `plain_pickle`, as ImageNet16-120's are.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nasbook.datasets import plain_pickle
from nasbook.datasets.images import Dataset, Images, Normalisation
from nasbook.runtime.errors import UsageError

MNIST_BORDER = 2  # 28 pixels cannot be halved three times, 32 can
LARGEST_LABEL = 1_000_000  # far above any number of classes here


@dataclass(frozen=True)
class Published:
    """How a data set is normalised and augmented in the published work.

    Args:
        mean, std: per channel, of values in [0, 1].
        crop_padding: in pixels.
        flip: random mirroring.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop_padding: int
    flip: bool


PUBLISHED = {
    # Liu et al. 2019, the released code
    "cifar10": Published((0.49139968, 0.48215827, 0.44653124), (0.24703233, 0.24348505, 0.26158768), 4, True),
    # Zela et al. 2020, the released code; it flips SVHN's digits too
    "cifar100": Published((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762), 4, True),
    "svhn": Published((0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970), 4, True),
    "fashion_mnist": Published((0.2860,), (0.3530,), 4, True),  # of the 28x28 training pixels
    "mnist": Published((0.1307,), (0.3081,), 4, False),
    # Dong and Yang 2020 (NAS-Bench-201), the released code
    "imagenet16-120": Published(
        (122.68 / 255, 116.66 / 255, 104.01 / 255), (63.22 / 255, 61.26 / 255, 65.09 / 255), 2, True
    ),
}


def load(name: str, root: Path, *, files: Sequence[str], download: bool = False) -> Dataset:
    """A real data set.

    Args:
        name: one of `PUBLISHED`.
        root: the folder in which torchvision keeps data sets.
        files: what must lie under `root`.
        download: let torchvision fetch what is missing.

    Raises:
        UsageError: files are missing or corrupt, or cannot be fetched.
    """
    missing = [file for file in files if not os.path.isfile(root / file)]
    if missing and download:
        _download(name, root)
    elif missing:
        fetch = (
            "ask image-net.org for it"
            if name == "imagenet16-120"
            else f"fetch it once: nasbook datasets download {name}"
        )
        raise UsageError(
            f"{name} is not in the folder {root}: {missing[0]} is missing; name the folder that holds it as root "
            f"(--root), or {fetch}."
        )
    readers = {"cifar10": _cifar, "cifar100": _cifar, "svhn": _svhn, "imagenet16-120": _imagenet}
    train, valid, test, class_names = readers.get(name, _mnist)(name, root)
    published = PUBLISHED[name]
    return Dataset(
        name=name,
        classes=len(class_names),
        train=train,
        test=test,
        valid=valid,
        normalisation=Normalisation(published.mean, published.std),
        crop_padding=published.crop_padding,
        flip=published.flip,
        class_names=class_names,
    )


Parts = tuple[Images, Images | None, Images, tuple[str, ...]]


def _class(name: str) -> Any:
    from torchvision import datasets

    return getattr(
        datasets,
        {
            "cifar10": "CIFAR10",
            "cifar100": "CIFAR100",
            "svhn": "SVHN",
            "mnist": "MNIST",
            "fashion_mnist": "FashionMNIST",
        }[name],
    )


def _download(name: str, root: Path) -> None:
    from torchvision.datasets.utils import download_and_extract_archive

    if name == "imagenet16-120":
        raise UsageError("imagenet16-120 cannot be fetched from here: ask image-net.org, then name its folder as root.")
    kind = _class(name)
    try:
        if name.startswith("cifar"):
            download_and_extract_archive(kind.url, str(root), filename=kind.filename, md5=kind.tgz_md5)
        elif name == "svhn":
            for split in ("train", "test"):
                kind(root, split=split, download=True)
        else:
            kind(root, download=True)
    except (OSError, RuntimeError, EOFError, tarfile.TarError, zlib.error) as error:
        raise UsageError(f"{name} could not be fetched: {error}.") from None


def _cifar(name: str, root: Path) -> Parts:
    from torchvision.datasets.utils import check_integrity

    kind = _class(name)
    folder = root / kind.base_folder

    def checked(file: str, md5: str) -> dict[str, Any]:
        if not check_integrity(folder / file, md5):
            raise UsageError(f"{folder / file} is missing or corrupt (wrong checksum): fetch {name} again.")
        return _batch(folder / file)

    def images(listed: list[tuple[str, str]]) -> Images:
        batches = [(folder / file, checked(file, md5)) for file, md5 in listed]
        labels = [_labels(path, batch["labels" if name == "cifar10" else "fine_labels"]) for path, batch in batches]
        return Images(torch.cat([_planes(path, batch, 32) for path, batch in batches]), torch.cat(labels))

    names = checked(kind.meta["filename"], kind.meta["md5"])[kind.meta["key"]]
    return images(kind.train_list), None, images(kind.test_list), tuple(names)


def _imagenet(name: str, root: Path) -> Parts:
    """Training images of classes 1 to 120; the validation images of each class go to validation and test in turn."""
    classes = 120

    def images(paths: list[Path]) -> Images:
        pixels, labels = [], []
        for path in paths:
            batch = _batch(path)
            label = _labels(path, batch.get("labels")) - 1
            kept = (label >= 0) & (label < classes)
            if len(label) and int(label.min()) < 0:
                raise UsageError(f"{path}: labels count from 1, there is a label {int(label.min()) + 1}.")
            planes = _planes(path, batch, 16)
            if len(planes) != len(label):
                raise UsageError(f"{path} has {len(planes)} images and {len(label)} labels.")
            pixels.append(planes[kept])
            labels.append(label[kept])
        if not any(len(part) for part in labels):
            raise UsageError(f"{paths[0].parent} holds no image of the first {classes} classes.")
        return Images(torch.cat(pixels), torch.cat(labels))

    folder = root / "ImageNet16"
    train = images([folder / f"train_data_batch_{number}" for number in range(1, 11)])
    held = images([folder / "val_data"])
    by_class = held.labels.argsort(stable=True)
    names = tuple(str(number) for number in range(1, classes + 1))
    return train, held.subset(by_class[::2]), held.subset(by_class[1::2]), names


def _svhn(name: str, root: Path) -> Parts:
    parts = []
    for split in ("train", "test"):
        try:
            part = _class(name)(root, split=split, download=False)
        except (RuntimeError, ValueError, OSError):
            raise UsageError(f"svhn in {root} is corrupt ({split}_32x32.mat): fetch it again.") from None
        parts.append(Images(torch.from_numpy(part.data).contiguous(), torch.from_numpy(part.labels)))
    return parts[0], None, parts[1], tuple("0123456789")


def _mnist(name: str, root: Path) -> Parts:
    parts = []
    for train in (True, False):
        try:
            part = _class(name)(root, train=train, download=False)
        except (AssertionError, RuntimeError, ValueError, IndexError, KeyError, OSError) as error:
            raise UsageError(
                f"{name} in {root} is corrupt ({error or type(error).__name__}): fetch it again."
            ) from None
        parts.append(Images(F.pad(part.data, (MNIST_BORDER,) * 4)[:, None], part.targets))
    return parts[0], None, parts[1], tuple(part.classes)


def _batch(path: Path) -> dict[str, Any]:
    try:
        return plain_pickle.read(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UsageError as error:
        text = str(error)
        raise UsageError(f"{path} is not a batch of images: {text[0].lower()}{text[1:]}") from None


def _planes(path: Path, batch: dict[str, Any], side: int) -> Tensor:
    """Pixels (images, 3, side, side) of a batch that stores each image as a row, one colour plane after the other."""
    data = batch.get("data")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (3 * side**2,):
        raise UsageError(f"{path}: data must be uint8 with {3 * side**2} numbers an image, for 3x{side}x{side} pixels.")
    return torch.from_numpy(data.copy()).view(-1, 3, side, side)


def _labels(path: Path, labels: Any) -> Tensor:
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise UsageError(f"{path}: labels must be a list of whole numbers.")
    if not all(abs(label) < LARGEST_LABEL for label in labels):
        raise UsageError(f"{path}: labels must be less than {LARGEST_LABEL:,}.")
    return torch.tensor(labels, dtype=torch.int64)
