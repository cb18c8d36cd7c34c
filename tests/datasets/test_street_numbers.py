"""The shipped draw is what the generator draws, the knobs are the table's, and more images never change the first."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nasbook.datasets import street_numbers
from nasbook.runtime import resources
from nasbook.runtime.errors import UsageError

# The knobs as the data set was specified: name, easy, middle, hard.
TABLE: list[tuple[str, Any, Any, Any]] = [
    ("lighter", False, True, True),
    ("contrast", (0.45, np.inf), (0.20, 0.50), (0.15, 0.45)),
    ("rotation", 12, 30, 35),
    ("shear", 0.10, 0.30, 0.35),
    ("height", (0.70, 0.95), (0.45, 0.95), (0.45, 0.95)),
    ("aspect", (1, 1), (0.70, 1.30), (0.70, 1.30)),
    ("shift", (0.08, 0.08), (0.10, 0.18), (0.10, 0.20)),
    ("neighbour", 0.40, 0.90, 0.95),
    ("gap", (0.02, 0.12), (0.02, 0.12), (0.02, 0.12)),
    ("ramp", 0.12, 0.12, 0.12),
    ("texture", 0.12, 0.12, 0.12),
    ("blur", 0.30, 0.30, 0.40),
    ("noise", 0.05, 0.06, 0.07),
]


@pytest.mark.parametrize(("knob", "easy", "middle", "hard"), TABLE, ids=[row[0] for row in TABLE])
def test_the_knobs_are_the_tables(knob: str, easy: Any, middle: Any, hard: Any) -> None:
    values = [getattr(street_numbers.DIFFICULTIES[name], knob) for name in ("easy", "middle", "hard")]
    assert values == [easy, middle, hard]


def test_every_knob_is_in_the_table() -> None:
    assert list(vars(street_numbers.DIFFICULTIES["middle"])) == [row[0] for row in TABLE]


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_the_shipped_images_are_drawn_again_alike(split: str) -> None:
    count, seed = street_numbers.SPLITS[split]
    pixels, labels = street_numbers.draw(count, seed=seed)
    shipped = getattr(street_numbers.default(), split)
    assert (shipped.pixels.permute(0, 2, 3, 1).numpy() == pixels).all()
    assert (shipped.labels.numpy() == labels).all()


def test_the_shipped_sets_are_10_balanced_classes_and_share_no_image() -> None:
    dataset = street_numbers.default()
    assert dataset.image == (3, 16, 16)
    assert dataset.valid is not None
    splits = [dataset.train, dataset.valid, dataset.test]
    assert [len(split) for split in splits] == [4000, 2000, 4000]
    for split in splits:
        expected = len(split) / 10
        chi_square = float(((torch.bincount(split.labels, minlength=10) - expected) ** 2 / expected).sum())
        assert chi_square < 27.9  # uniform labels exceed it once in a thousand draws
    every = torch.cat([split.pixels for split in splits])
    assert len({image.numpy().tobytes() for image in every}) == 10_000


def test_the_manifest_describes_the_shipped_files() -> None:
    folder = resources.data_folder() / "street_numbers"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert {path.name for path in folder.iterdir()} == {*manifest["files"], "manifest.json"}
    for name, facts in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == facts["sha256"]
        assert len(content) == facts["bytes"] < 2_000_000
    drawn = {split: (facts["images"], facts["seed"]) for split, facts in manifest["splits"].items()}
    assert drawn == street_numbers.SPLITS


@pytest.mark.parametrize("split", ["train", "test"])
def test_no_shipped_seed_was_used_to_choose_settings(split: str) -> None:
    _, seed = street_numbers.SPLITS[split]
    assert seed not in {*range(101, 104), *range(1000, 4000)}


def test_the_first_images_do_not_depend_on_how_many_are_drawn() -> None:
    pixels, labels = street_numbers.draw(1001, seed=6, size=8)
    for count in (1, 499, 500, 501):
        fewer_pixels, fewer_labels = street_numbers.draw(count, seed=6, size=8)
        assert (fewer_pixels == pixels[:count]).all()
        assert (fewer_labels == labels[:count]).all()


def test_blocks_and_seeds_draw_different_images() -> None:
    pixels, _ = street_numbers.draw(1000, seed=6)
    other, _ = street_numbers.draw(500, seed=7)
    assert len({image.tobytes() for image in np.concatenate([pixels, other])}) == 1500


@pytest.mark.parametrize("difficulty", ["easy", "middle", "hard"])
@pytest.mark.parametrize("size", [12, 16, 32])
def test_difficulties_and_sizes(difficulty: str, size: int) -> None:
    pixels, labels = street_numbers.draw(3, seed=1, difficulty=difficulty, size=size)
    assert pixels.shape == (3, size, size, 3)
    assert pixels.dtype == np.uint8
    assert labels.dtype == np.int64


def test_a_size_shows_the_same_digits_as_another() -> None:
    """Averaged down, a large image is close to the small one of the same seed, whatever the pixel noise."""
    small, labels = street_numbers.draw(200, seed=2, size=16)
    large, same = street_numbers.draw(200, seed=2, size=32)
    assert (labels == same).all()
    averaged = large.reshape(200, 16, 2, 16, 2, 3).mean((2, 4))
    assert np.abs(averaged - small).mean() < 20
    assert np.abs(averaged - np.roll(small, 1, axis=0)).mean() > 50


def test_the_label_is_the_digit_in_the_middle() -> None:
    """A nearest-mean classifier of the mean picture: far above chance on easy images of other seeds."""

    def pictures(count: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        pixels, labels = street_numbers.draw(count, seed=seed, difficulty="easy")
        contrast = np.abs(pixels.mean(3) - pixels[:, :1, :1].mean((3,)))
        return contrast.reshape(count, -1) / contrast.reshape(count, -1).std(1, keepdims=True), labels

    x, y = pictures(3000, 11)
    means = np.stack([x[y == digit].mean(0) for digit in range(10)])
    held, truth = pictures(1000, 12)
    guess = ((held[:, None] - means[None]) ** 2).sum(2).argmin(1)
    assert (guess == truth).mean() > 0.3


def test_fresh_images_are_new() -> None:
    images = street_numbers.fresh(700, seed=0, difficulty="hard", size=12)
    assert images.pixels.shape == (700, 3, 12, 12)
    assert (
        images.pixels.permute(0, 2, 3, 1).numpy() == street_numbers.draw(700, seed=0, difficulty="hard", size=12)[0]
    ).all()


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_fresh_images_are_never_the_shipped_ones(split: str) -> None:
    with pytest.raises(UsageError, match=f"draws the {split} images that are shipped"):
        street_numbers.fresh(10, seed=street_numbers.SPLITS[split][1])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"difficulty": "harder"}, "'harder' does not exist; there are easy, middle, hard"),
        ({"size": 7}, "8 to 64 pixels wide, not 7"),
        ({"size": 65}, "8 to 64 pixels wide, not 65"),
        ({"count": 0}, "0 images"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_unfit_requests_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        street_numbers.draw(**({"count": 1, "seed": 1} | arguments))


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped data that a test may spoil."""
    shutil.copytree(resources.data_folder() / "street_numbers", tmp_path / "street_numbers")
    monkeypatch.setattr(resources, "data_folder", lambda: tmp_path)
    street_numbers.templates.cache_clear()
    return tmp_path / "street_numbers"


def test_a_changed_file_is_refused(copy: Path) -> None:
    content = bytearray((copy / "test-2.npz").read_bytes())
    content[1000] ^= 1
    (copy / "test-2.npz").write_bytes(content)
    with pytest.raises(UsageError, match=r"test-2.npz is not the file that was shipped"):
        street_numbers.default()


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / "templates.npz").unlink()
    with pytest.raises(UsageError, match=r"templates.npz cannot be read"):
        street_numbers.draw(1, seed=1)
