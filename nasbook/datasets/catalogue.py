"""The data sets by name: what there is, which of it is at hand, and how to load it."""

from __future__ import annotations

import errno
import os
import stat
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbook.runtime import values
from nasbook.runtime.errors import UsageError

if TYPE_CHECKING:  # torch loads with the first data set, not with the list
    from nasbook.datasets.images import Dataset

DEFAULT_ROOT = Path("datasets")
OWN = "or give the path of an .npz file or of a folder of images"
_ADVICE = (
    "save arrays with np.savez('own.npz', x_train=..., y_train=..., x_test=..., y_test=...), or name a folder with one "
    "folder of pictures per class"
)


@dataclass(frozen=True)
class Entry:
    """One named data set.

    Args:
        title: one line.
        classes: number of classes.
        image: (channels, height, width).
        train, test: numbers of images.
        files: what must lie under the root folder, if it is not embedded.
    """

    title: str
    classes: int
    image: tuple[int, int, int]
    train: int
    test: int
    files: tuple[str, ...] = ()


def _street_numbers() -> dict[str, tuple[str, int]]:
    """Names of the variants with their difficulty and size; the default's are left out of a name."""
    named = {}
    for difficulty in ("middle", "easy", "hard"):
        for size in (16, 12, 32):
            words = [difficulty] if difficulty != "middle" else []
            words += [str(size)] if size != 16 else []
            named["-".join(["street_numbers", *words])] = (difficulty, size)
    return named


STREET_NUMBERS = _street_numbers()


def _mnist(folder: str) -> tuple[str, ...]:
    kinds = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return tuple(f"{folder}/raw/{kind}-ubyte" for kind in kinds)


CATALOGUE = {
    **{
        name: Entry(
            f"digits in street-number style, {difficulty}" + ("" if name == "street_numbers" else ", drawn when used"),
            10,
            (3, size, size),
            4000,
            4000,
        )
        for name, (difficulty, size) in STREET_NUMBERS.items()
    },
    "digits": Entry(
        "scikit-learn's handwritten digits: a smoke test, architectures hardly differ", 10, (1, 8, 8), 1000, 500
    ),
    "cifar10": Entry(
        "CIFAR-10",
        10,
        (3, 32, 32),
        50_000,
        10_000,
        tuple(f"cifar-10-batches-py/{name}" for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch")),
    ),
    "cifar100": Entry(
        "CIFAR-100", 100, (3, 32, 32), 50_000, 10_000, ("cifar-100-python/train", "cifar-100-python/test")
    ),
    "svhn": Entry("Street View House Numbers", 10, (3, 32, 32), 73_257, 26_032, ("train_32x32.mat", "test_32x32.mat")),
    "fashion_mnist": Entry(
        "Fashion-MNIST, 28x28 with a border of 2", 10, (1, 32, 32), 60_000, 10_000, _mnist("FashionMNIST")
    ),
    "mnist": Entry("MNIST, 28x28 with a border of 2", 10, (1, 32, 32), 60_000, 10_000, _mnist("MNIST")),
    "imagenet16-120": Entry(
        "the first 120 classes of ImageNet at 16x16",
        120,
        (3, 16, 16),
        151_700,
        3_000,
        tuple(f"ImageNet16/{name}" for name in (*(f"train_data_batch_{k}" for k in range(1, 11)), "val_data")),
    ),
}


def names() -> list[str]:
    """The names that `load` knows."""
    return list(CATALOGUE)


def available(root: str | os.PathLike[str] | None = None) -> list[dict[str, Any]]:
    """One row a data set: `name`, `title`, `classes`, `image`, `train`, `test`, and whether it is `available`.

    Args:
        root: folder of the real data sets; by default `datasets` in the current folder.
    """
    where = _root(root)
    return [
        {
            "name": name,
            "title": entry.title,
            "classes": entry.classes,
            "image": list(entry.image),
            "train": entry.train,
            "test": entry.test,
            "available": all(os.path.isfile(where / file) for file in entry.files)
            and (name != "digits" or find_spec("sklearn") is not None),
        }
        for name, entry in CATALOGUE.items()
    ]


def load(
    name: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    size: int = 32,
    download: bool = False,
) -> Dataset:
    """A data set by name, or the reader's own; what was changed or left out in those is said on standard error.

    Args:
        name: a name of `available`, the path of an .npz file, or the path of a folder of images.
        root: folder of the real data sets; by default `datasets` in the current folder.
        size: pixels to which a folder's images are resized, in height and width.
        download: fetch a real data set that is not there yet (except imagenet16-120).

    Raises:
        UsageError: there is no such data set, its files are missing, corrupt or do not fit together, or a folder of
            pictures in the working folder has the same name.
    """
    values.path("data", name)  # refuses what is none
    name, where = os.fspath(name), _root(root)
    if name in CATALOGUE:
        _check_shadow(name)
    if name in STREET_NUMBERS:
        from nasbook.datasets import street_numbers

        difficulty, side = STREET_NUMBERS[name]
        if name == "street_numbers":
            return street_numbers.default()
        return street_numbers.variant(name, difficulty=difficulty, size=side)
    if name == "digits":
        from nasbook.datasets.digits import digits

        return digits()
    if name in CATALOGUE:
        from nasbook.datasets import real

        return real.load(name, where, files=CATALOGUE[name].files, download=download)
    return _own(name, values.whole("size", size, 1))


def _root(root: str | os.PathLike[str] | None) -> Path:
    return DEFAULT_ROOT if root is None else values.path("root", root)


def _own(name: str, size: int) -> Dataset:
    from nasbook.datasets import own

    path = Path(os.path.expanduser(name))
    mode = _mode(path) if name else None
    if mode is None:
        if path.suffix.lower() == ".npz":
            raise UsageError(f"{path} does not exist.")
        raise UsageError(f"Data set {name!r} does not exist; there are {', '.join(CATALOGUE)}, {OWN}.")
    if stat.S_ISDIR(mode):
        dataset = own.from_folder(path, size=size)
    elif not stat.S_ISREG(mode) or path.suffix.lower() != ".npz":
        kind = f"a file that is not read ({path.suffix or 'no suffix'})" if stat.S_ISREG(mode) else "not a regular file"
        raise UsageError(f"{path} is {kind}: {_ADVICE}.")
    else:
        dataset = own.from_npz(path)
    if dataset.notes:
        print(f"nasbook: {path}: {'; '.join(dataset.notes)}.", file=sys.stderr, flush=True)
    return dataset


def _check_shadow(name: str) -> None:
    """Refuse a name that may mean the reader's own folder as well."""
    from nasbook.datasets.folders import holds_pictures

    if holds_pictures(Path(name)):
        raise UsageError(
            f"{name} is a data set of this package and a folder of pictures here: write ./{name} for the folder, or "
            "rename it."
        )


def _mode(path: Path) -> int | None:
    """What `os.stat` tells about a path; None if nothing is there.

    Raises:
        UsageError: the system refuses to look there.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
