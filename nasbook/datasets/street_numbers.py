"""street_numbers, the embedded default: digits in street-number style, drawn from font faces, as many as wanted.

The glyph templates and one draw (training, validation and test images at the middle difficulty, 16x16 pixels) lie
under `data/street_numbers/` with their checksums; everything else is drawn at run time from them.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbook.datasets.drawing import Difficulty, Glyphs, draw_block
from nasbook.datasets.images import Dataset, Images, Normalisation
from nasbook.runtime import files, resources
from nasbook.runtime.errors import UsageError

DIFFICULTIES = {
    "easy": Difficulty(
        lighter=False,
        contrast=(0.45, np.inf),
        rotation=12.0,
        shear=0.10,
        height=(0.70, 0.95),
        aspect=(1.0, 1.0),
        shift=(0.08, 0.08),
        neighbour=0.40,
        noise=0.05,
    ),
    "middle": Difficulty(),
    "hard": Difficulty(
        contrast=(0.15, 0.45), rotation=35.0, shear=0.35, shift=(0.10, 0.20), neighbour=0.95, blur=0.40, noise=0.07
    ),
}
SMALLEST, LARGEST = 8, 64  # sides of an image in pixels
BLOCK = 500  # images that share a generator: the first n images do not depend on how many more are drawn

# The draw that every reader has. The test images were drawn once and choose nothing.
SPLITS = {"train": (4000, 51_001), "valid": (2000, 51_002), "test": (4000, 51_003)}
FOLDER, MANIFEST, TEMPLATES = "street_numbers", "manifest.json", "templates.npz"
PART = 2000  # images a shipped file, 1.5 MB


def draw(
    count: int, *, seed: int, difficulty: str = "middle", size: int = 16
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw images; the first n are the same however many are drawn.

    Args:
        count: how many.
        seed: equal seeds give equal images.
        difficulty: "easy", "middle" or "hard".
        size: height and width in pixels, 8 to 64.

    Returns:
        Pixels uint8 (count, size, size, 3) and labels int64 (count,).

    Raises:
        UsageError: an argument is out of range.
    """
    if difficulty not in DIFFICULTIES:
        raise UsageError(f"Difficulty {difficulty!r} does not exist; there are {', '.join(DIFFICULTIES)}.")
    if not SMALLEST <= size <= LARGEST:
        raise UsageError(f"Images are drawn {SMALLEST} to {LARGEST} pixels wide, not {size}.")
    if count < 1 or seed < 0:
        raise UsageError(f"At least one image is drawn and a seed is not negative; asked: {count} images, seed {seed}.")
    knobs, glyphs = DIFFICULTIES[difficulty], templates()
    blocks = [
        draw_block(np.random.default_rng([seed, block]), BLOCK, size=size, difficulty=knobs, glyphs=glyphs)
        for block in range(-(-count // BLOCK))
    ]
    pixels, labels = (np.concatenate(parts)[:count] for parts in zip(*blocks))
    return pixels, labels


def fresh(count: int, *, seed: int, difficulty: str = "middle", size: int = 16) -> Images:
    """As many new images as asked for, none of them in the shipped sets.

    Args:
        count, seed, difficulty, size: as for `draw`.

    Raises:
        UsageError: an argument is out of range, or the seed is that of a shipped set.
    """
    shipped = {number: split for split, (_, number) in SPLITS.items()}
    if seed in shipped:
        raise UsageError(f"Seed {seed} draws the {shipped[seed]} images that are shipped; take another one.")
    return Images.from_arrays(*draw(count, seed=seed, difficulty=difficulty, size=size))


def default() -> Dataset:
    """The shipped draw: middle difficulty, 16x16 pixels.

    Raises:
        UsageError: a file is missing or not the one that was shipped.
    """
    images = {}
    for split in SPLITS:
        parts = [_read(name) for name in part_names(split)]
        pixels, labels = (np.concatenate([part[key] for part in parts]) for key in ("pixels", "labels"))
        images[split] = Images.from_arrays(pixels, labels)
    return _dataset("street_numbers", images, 16)


def variant(name: str, *, difficulty: str, size: int) -> Dataset:
    """Another difficulty or size, drawn now, with as many images as the default and from the same seeds.

    Raises:
        UsageError: as for `draw`.
    """
    images = {
        split: Images.from_arrays(*draw(count, seed=seed, difficulty=difficulty, size=size))
        for split, (count, seed) in SPLITS.items()
    }
    return _dataset(name, images, size)


@cache
def templates() -> Glyphs:
    """The shipped pictures of the digits.

    Raises:
        UsageError: the file is missing or not the one that was shipped.
    """
    arrays = _read(TEMPLATES)
    return Glyphs(arrays["coverage"].astype(np.float64) / 255.0, arrays["widths"].astype(np.float64))


def part_names(split: str) -> list[str]:
    """The shipped files of a split, in order."""
    return [f"{split}-{part + 1}.npz" for part in range(SPLITS[split][0] // PART)]


def _dataset(name: str, images: dict[str, Images], size: int) -> Dataset:
    return Dataset(
        name=name,
        classes=10,
        train=images["train"],
        test=images["test"],
        valid=images["valid"],
        normalisation=Normalisation(),
        crop_padding=size // 8,
        flip=False,
        class_names=tuple("0123456789"),
    )


def _read(name: str) -> dict[str, NDArray[Any]]:
    """The arrays of a shipped file, once its checksum is found right."""
    folder = resources.data_folder() / FOLDER
    expected = files.read_json(folder / MANIFEST)["files"][name]["sha256"]
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise UsageError(f"{folder / name} cannot be read: install nasbook again.") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise UsageError(f"{folder / name} is not the file that was shipped (wrong checksum): install nasbook again.")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}
