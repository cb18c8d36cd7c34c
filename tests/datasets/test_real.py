"""The real sets, from files written here as the real ones are laid out."""

from __future__ import annotations

import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import datasets as torchvision_datasets

from nasbook.datasets import load
from nasbook.datasets.catalogue import CATALOGUE
from nasbook.datasets.real import PUBLISHED
from nasbook.runtime.errors import UsageError

REAL = [name for name, entry in CATALOGUE.items() if entry.files]
RANDOM = np.random.default_rng(0)


def rows(count: int, side: int) -> np.ndarray[Any, Any]:
    return RANDOM.integers(0, 256, (count, 3 * side * side), dtype=np.uint8)


def write_pickle(path: Path, batch: dict[str, Any]) -> list[str]:
    """Write a batch; returns its entry in torchvision's list of files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = pickle.dumps(batch, protocol=2)
    path.write_bytes(content)
    return [path.name, hashlib.md5(content).hexdigest()]


def cifar(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A small CIFAR in `root`, whose checksums torchvision is told; returns the batches."""
    kind = {"cifar10": torchvision_datasets.CIFAR10, "cifar100": torchvision_datasets.CIFAR100}[name]
    key, classes = ("labels", 10) if name == "cifar10" else ("fine_labels", 100)
    listed: dict[str, list[list[str]]] = {"train_list": [], "test_list": []}
    batches = {}
    for kept in listed:
        for file, _ in getattr(kind, kept):
            batch = {"data": rows(4, 32), key: RANDOM.integers(0, classes, 4).tolist(), "filenames": ["a.png"] * 4}
            batches[file] = batch
            listed[kept].append(write_pickle(root / kind.base_folder / file, batch))
        monkeypatch.setattr(kind, kept, listed[kept])
    names = [f"class {number}" for number in range(classes)]
    _, md5 = write_pickle(root / kind.base_folder / kind.meta["filename"], {kind.meta["key"]: names})
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": md5})
    return batches


@pytest.mark.parametrize(("name", "files"), [("cifar10", 5), ("cifar100", 1)])
def test_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, files: int) -> None:
    batches = cifar(tmp_path, name, monkeypatch)
    dataset = load(name, root=tmp_path)
    assert dataset.image == (3, 32, 32)
    assert (len(dataset.train), len(dataset.test), dataset.valid) == (4 * files, 4, None)
    assert dataset.class_names[3] == "class 3"
    assert dataset.flip
    assert dataset.crop_padding == 4
    last = list(batches)[files - 1]
    assert dataset.train.labels[-4:].tolist() == batches[last]["labels" if name == "cifar10" else "fine_labels"]
    # torchvision's own reader agrees on these (harmless) files
    kind = torchvision_datasets.CIFAR10 if name == "cifar10" else torchvision_datasets.CIFAR100
    theirs = kind(tmp_path, train=False)
    assert (dataset.test.pixels.permute(0, 2, 3, 1).numpy() == theirs.data).all()
    assert dataset.test.labels.tolist() == theirs.targets


def test_a_changed_cifar_batch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cifar(tmp_path, "cifar10", monkeypatch)
    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UsageError, match=r"data_batch_3 is missing or corrupt \(wrong checksum\)"):
        load("cifar10", root=tmp_path)


def imagenet(root: Path, **changes: Any) -> list[int]:
    """A small ImageNet at 16x16 in `root`; returns the labels of all training images."""
    labels = []
    for number in range(1, 11):
        batch = {"data": rows(60, 16), "labels": RANDOM.integers(1, 1001, 60).tolist(), "mean": np.zeros(768)}
        labels += batch["labels"]
        write_pickle(root / "ImageNet16" / f"train_data_batch_{number}", batch)
    held = [number for number in range(1, 201) for _ in range(4)]
    write_pickle(root / "ImageNet16" / "val_data", {"data": rows(800, 16), "labels": held} | changes)
    return labels


def test_imagenet16_keeps_the_first_120_classes(tmp_path: Path) -> None:
    labels = imagenet(tmp_path)
    dataset = load("imagenet16-120", root=tmp_path)
    assert dataset.image == (3, 16, 16)
    assert dataset.classes == 120
    assert dataset.train.labels.tolist() == [label - 1 for label in labels if label <= 120]
    batch = pickle.loads((tmp_path / "ImageNet16" / "train_data_batch_1").read_bytes())
    kept = batch["data"][np.array(batch["labels"]) <= 120]
    assert (dataset.train.pixels[: len(kept)].numpy() == kept.reshape(-1, 3, 16, 16)).all()


def test_imagenet16_halves_its_validation_images_class_by_class(tmp_path: Path) -> None:
    imagenet(tmp_path)
    dataset = load("imagenet16-120", root=tmp_path)
    assert dataset.valid is not None
    for part in (dataset.valid, dataset.test):
        assert torch.bincount(part.labels, minlength=120).tolist() == [2] * 120
    both = torch.cat([dataset.valid.pixels, dataset.test.pixels])
    assert len({image.numpy().tobytes() for image in both}) == 480


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": rows(800, 32)}, "data must be uint8 with 768 numbers an image"),
        ({"data": None}, "data must be uint8"),
        ({"labels": [2**70, 1]}, "labels must be less than"),
        ({"labels": "many"}, "labels must be a list of whole numbers"),
        ({"labels": [1, 2]}, "has 800 images and 2 labels"),
        ({"labels": list(range(800))}, "labels count from 1, there is a label 0"),
        ({"labels": [500] * 800}, "no image of the first 120 classes"),
        ({"data": {1, 2}}, "val_data is not a batch of images: it (holds|refers)"),
    ],
)
def test_unfit_batches_are_refused(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    imagenet(tmp_path, **changes)
    with pytest.raises(UsageError, match=sentence):
        load("imagenet16-120", root=tmp_path)


def write_idx(path: Path, array: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


@pytest.mark.parametrize(
    ("name", "folder", "flip"), [("mnist", "MNIST", False), ("fashion_mnist", "FashionMNIST", True)]
)
def test_mnist_has_a_black_border(tmp_path: Path, name: str, folder: str, flip: bool) -> None:
    pixels = {}
    for kind, count in (("train", 7), ("t10k", 3)):
        pixels[kind] = RANDOM.integers(1, 256, (count, 28, 28), dtype=np.uint8)
        write_idx(tmp_path / folder / "raw" / f"{kind}-images-idx3-ubyte", pixels[kind])
        write_idx(tmp_path / folder / "raw" / f"{kind}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8))
    dataset = load(name, root=tmp_path)
    assert dataset.image == (1, 32, 32)
    assert dataset.flip == flip
    assert (dataset.test.pixels[:, 0, 2:30, 2:30].numpy() == pixels["t10k"]).all()
    assert int((dataset.test.pixels > 0).sum()) == 3 * 28 * 28
    assert dataset.train.labels.tolist() == list(range(7))
    (tmp_path / folder / "raw" / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03\0\0")
    with pytest.raises(UsageError, match=f"{name} in .* is corrupt"):
        load(name, root=tmp_path)


def test_svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.io import savemat

    listed = dict(torchvision_datasets.SVHN.split_list)
    pixels = RANDOM.integers(0, 256, (32, 32, 3, 5), dtype=np.uint8)
    for split in ("train", "test"):
        file = tmp_path / f"{split}_32x32.mat"
        savemat(file, {"X": pixels, "y": np.array([[10], [1], [2], [9], [10]], dtype=np.uint8)})
        listed[split] = [*listed[split][:2], hashlib.md5(file.read_bytes()).hexdigest()]
    monkeypatch.setattr(torchvision_datasets.SVHN, "split_list", listed)
    dataset = load("svhn", root=tmp_path)
    assert dataset.image == (3, 32, 32)
    assert dataset.train.labels.tolist() == [0, 1, 2, 9, 0]
    assert (dataset.test.pixels.numpy() == pixels.transpose(3, 2, 0, 1)).all()
    (tmp_path / "test_32x32.mat").write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"svhn in .* is corrupt \(test_32x32.mat\)"):
        load("svhn", root=tmp_path)


@pytest.mark.parametrize("name", REAL)
def test_missing_files_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is not in the folder .*{CATALOGUE[name].files[0]} is missing"):
        load(name, root=tmp_path)


def test_imagenet16_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be fetched from here"):
        load("imagenet16-120", root=tmp_path, download=True)


def test_a_failed_download_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.datasets.utils.download_and_extract_archive", refuse)
    with pytest.raises(UsageError, match="cifar10 could not be fetched: no route to host"):
        load("cifar10", root=tmp_path, download=True)


def test_every_real_set_has_its_published_numbers() -> None:
    assert set(PUBLISHED) == set(REAL)
    for name, published in PUBLISHED.items():
        assert len(published.mean) == len(published.std) == CATALOGUE[name].image[0]
