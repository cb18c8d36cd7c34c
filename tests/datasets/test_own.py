"""The reader's own images: what is read, and one sentence for everything that cannot be."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nasbook.datasets import Batches, bilevel_halves, load
from nasbook.runtime.errors import UsageError


def arrays(**changes: Any) -> dict[str, Any]:
    random = np.random.default_rng(0)
    whole = {
        "x_train": random.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8),
        "y_train": np.arange(12) % 3,
        "x_test": random.integers(0, 256, (6, 16, 16, 3), dtype=np.uint8),
        "y_test": (np.arange(6) % 3).astype(np.int32),
    }
    return {key: value for key, value in (whole | changes).items() if value is not None}


def saved(path: Path, **changes: Any) -> str:
    file = path / "own.npz"
    np.savez(file, **arrays(**changes))
    return str(file)


def test_arrays_are_read(tmp_path: Path) -> None:
    dataset = load(saved(tmp_path))
    assert dataset.image == (3, 16, 16)
    assert dataset.classes == 3
    assert dataset.valid is None
    assert dataset.normalisation.mean is None
    assert not dataset.flip
    assert (dataset.test.pixels.permute(0, 2, 3, 1).numpy() == arrays()["x_test"]).all()
    assert dataset.test.labels.tolist() == arrays()["y_test"].tolist()
    halves = bilevel_halves(dataset, seed=0)
    batches = Batches(halves[0], 3, dataset=dataset, generator=torch.Generator().manual_seed(0), augment=True)
    assert next(batches)[0].shape == (3, 3, 16, 16)


def test_grey_arrays_have_one_channel_and_validation_images_are_optional(tmp_path: Path) -> None:
    grey = {key: arrays()[key][..., 0] for key in ("x_train", "x_test")}
    dataset = load(saved(tmp_path, **grey, x_valid=grey["x_test"], y_valid=arrays()["y_test"]))
    assert dataset.image == (1, 16, 16)
    assert dataset.valid is not None
    assert len(dataset.valid) == 6


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"y_test": None}, "has no array y_test"),
        ({"x_valid": arrays()["x_test"]}, "x_valid without y_valid"),
        ({"x_train": arrays()["x_train"] / 255.0}, "x_train and y_train: Pixels must be uint8 .* float64"),
        ({"x_train": arrays()["x_train"][0, 0]}, "must be uint8 of shape .* not uint8 of shape"),
        ({"y_train": np.arange(11) % 3}, r"Labels must be of shape \(12,\)"),
        ({"y_train": np.eye(3)[np.arange(12) % 3]}, "whole numbers, not float64"),
        ({"y_train": np.arange(12) % 3 - 1}, "there is a label -1"),
        ({"y_train": np.arange(12) % 3 + 1}, "class 0 of 4 has no training image; labels count from 0"),
        ({"y_train": np.zeros(12, dtype=int)}, "has one class"),
        ({"y_test": np.arange(6) % 4}, "test labels go up to 3; with 3 classes they run from 0 to 2"),
        ({"x_test": arrays()["x_test"][:, :8]}, r"test images are \(3, 8, 16\), training images \(3, 16, 16\)"),
        ({"x_train": arrays()["x_train"][:0], "y_train": np.zeros(0, dtype=int)}, "There is no image"),
        (
            {key: arrays()[key].transpose(0, 3, 1, 2) for key in ("x_train", "x_test")},
            "16 channels; 1 or 3 are allowed, as the last dimension",
        ),
        ({"x_train": np.array([{}] * 12)}, "holds Python objects, which are never read"),
    ],
)
def test_unfit_arrays_are_refused(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refusal:
        load(saved(tmp_path, **changes))
    assert "own.npz" in str(refusal.value)


@pytest.mark.parametrize("valid", ["x_val", "X_valid", "x_validation"])
def test_validation_images_are_found_by_any_usual_name(tmp_path: Path, valid: str) -> None:
    changes = {valid: arrays()["x_test"], valid.replace("x_", "y_").replace("X_", "y_"): arrays()["y_test"]}
    dataset = load(saved(tmp_path, **changes))
    assert dataset.valid is not None
    assert len(dataset.valid) == 6
    assert dataset.notes == ()


def test_arrays_named_and_shaped_as_in_medmnist_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"x": "images", "y": "labels"}
    medmnist = {f"{key[2:]}_{names[key[0]]}": values for key, values in arrays().items()}
    medmnist = {key: values[:, None] if values.ndim == 1 else values[..., 0] for key, values in medmnist.items()}
    np.savez(tmp_path / "med.NPZ.npz", **medmnist, weights=np.ones(3))
    (tmp_path / "med.NPZ.npz").rename(tmp_path / "MED.NPZ")
    dataset = load(str(tmp_path / "MED.NPZ"))
    assert dataset.image == (1, 16, 16)
    assert dataset.train.labels.tolist() == arrays()["y_train"].tolist()
    assert dataset.notes == ("arrays left out: weights",)
    assert capsys.readouterr().err.count("arrays left out: weights") == 1


@pytest.mark.parametrize("label", [20_240_101, 2**31 - 1, 2**62])
def test_identifiers_as_labels_are_refused_before_classes_are_listed(tmp_path: Path, label: int) -> None:
    with pytest.raises(UsageError, match=r"number the 3 classes from 0 to 2"):
        load(saved(tmp_path, y_train=arrays()["y_train"] + label))
    with pytest.raises(UsageError, match="test labels go up to"):
        load(saved(tmp_path, y_test=arrays()["y_test"].astype(int) + label))


def test_two_arrays_of_one_meaning_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="x_train and train_images, which mean the same"):
        load(saved(tmp_path, train_images=arrays()["x_train"]))


def test_a_bomb_is_refused_by_what_it_claims(tmp_path: Path) -> None:
    file = Path(saved(tmp_path, x_train=None))
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (3000000, 32, 32, 1), }".ljust(117) + b"\n"
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY\x01\x00\x76\x00" + header)
    with pytest.raises(UsageError, match=r"Labels must be of shape \(3000000,\)"):
        load(str(file))


@pytest.mark.parametrize("keep", [0, 10, 3000])
def test_a_damaged_file_is_refused(tmp_path: Path, keep: int) -> None:
    file = Path(saved(tmp_path))
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(UsageError, match=r"own.npz is not a readable .npz file"):
        load(str(file))


@pytest.mark.parametrize("place", [200, 2000, 9000])
def test_a_file_with_a_changed_byte_is_refused(tmp_path: Path, place: int) -> None:
    file = Path(saved(tmp_path))
    content = bytearray(file.read_bytes())
    content[place] ^= 255
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"own.npz is not a readable .npz file"):
        load(str(file))


def test_one_array_alone_is_not_an_npz_file(tmp_path: Path) -> None:
    with (tmp_path / "own.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(UsageError, match=r"own.npz is not a readable .npz file"):
        load(str(tmp_path / "own.npz"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.npz does not exist"):
        load(str(tmp_path / "none.npz"))


def picture(path: Path, colour: int, *, size: tuple[int, int] = (20, 10), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour if mode == "L" else (colour, 0, 255 - colour)).save(path)


def test_a_folder_with_train_and_test(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("test", 2), ("valid", 1)):
        for number in range(count):
            picture(tmp_path / split / "cat" / f"{number}.png", 10 * number)
            picture(tmp_path / split / "dog" / f"{number}.PNG", 200, mode="L")
    (tmp_path / "train" / "cat" / "notes.txt").write_text("not a picture")
    dataset = load(str(tmp_path), size=12)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.image == (3, 12, 12)
    assert dataset.valid is not None
    assert (len(dataset.train), len(dataset.test), len(dataset.valid)) == (6, 4, 2)
    assert dataset.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.train.pixels[1, :, 5, 5].tolist() == [10, 0, 245]
    assert dataset.train.pixels[5, :, 5, 5].tolist() == [200, 200, 200]


def test_a_folder_of_classes_is_split_the_same_way_every_time(tmp_path: Path) -> None:
    for number in range(10):
        picture(tmp_path / "a" / f"{number}.png", number)
        picture(tmp_path / "b" / f"{number}.png", 100 + number)
    picture(tmp_path / "rare" / "1.png", 201)
    picture(tmp_path / "rare" / "2.png", 202)
    first, again = load(str(tmp_path)), load(str(tmp_path))
    assert torch.bincount(first.test.labels).tolist() == [2, 2, 1]
    assert torch.bincount(first.train.labels).tolist() == [8, 8, 1]
    assert torch.equal(first.test.pixels, again.test.pixels)
    colours = torch.cat([first.train.pixels, first.test.pixels])[:, 0, 0, 0].tolist()
    assert sorted(colours) == [*range(10), *range(100, 110), 201, 202]


def test_pictures_are_resized_with_all_they_show(tmp_path: Path) -> None:
    """The left half stays left: nothing is cropped."""
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 40:] = 255
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    image = load(str(tmp_path), size=8).train.pixels[0, 0]
    assert (image[:, :3] == 0).all()
    assert (image[:, 5:] == 255).all()


def test_unfit_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no folders"):
        load(str(tmp_path))
    picture(tmp_path / "train" / "cat" / "1.png", 1)
    with pytest.raises(UsageError, match="needs both"):
        load(str(tmp_path))
    picture(tmp_path / "test" / "bird" / "1.png", 1)
    with pytest.raises(UsageError, match="test has the class bird, which train has not"):
        load(str(tmp_path))
    (tmp_path / "train" / "bird").mkdir()
    with pytest.raises(UsageError, match=r"bird holds no picture \(\.png, "):
        load(str(tmp_path))
    (tmp_path / "train" / "bird" / "1.png").write_bytes(b"\x89PNG no more")
    with pytest.raises(UsageError, match=r"1.png is not a readable picture"):
        load(str(tmp_path))


def test_a_class_of_one_picture_cannot_be_split(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "1.png", 1)
    with pytest.raises(UsageError, match="holds one picture; a class needs two"):
        load(str(tmp_path))


def test_one_class_is_too_few(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "a" / f"{number}.png", 1)
    with pytest.raises(UsageError, match="has one class"):
        load(str(tmp_path))


def test_a_size_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1, not 0"):
        load(str(tmp_path), size=0)
