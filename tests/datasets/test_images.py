"""Images, normalisation and data sets refuse what does not fit, and normalise as their formulas say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from nasbook.datasets import Dataset, Images, Normalisation
from nasbook.runtime.errors import UsageError


def some(count: int = 6, *, channels: int = 3, classes: int = 3, side: int = 8) -> Images:
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(256, (count, channels, side, side), generator=generator, dtype=torch.uint8)
    return Images(pixels, torch.arange(count) % classes)


def dataset(**changes: Any) -> Dataset:
    whole = Dataset("tiny", 3, some(), some(3), some(3), Normalisation(), 1, True, ("a", "b", "c"))
    return replace(whole, **changes)


def test_arrays_become_planes() -> None:
    pixels = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    images = Images.from_arrays(pixels, np.array([1, 0], dtype=np.uint8))
    assert images.pixels.shape == (2, 3, 4, 5)
    assert int(images.pixels[1, 2, 3, 4]) == pixels[1, 3, 4, 2]
    assert images.labels.dtype == torch.int64
    assert images.labels.tolist() == [1, 0]


def test_arrays_without_channels_have_one() -> None:
    grey = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    images = Images.from_arrays(grey, np.zeros(2, dtype=np.int64))
    assert (images.pixels[:, 0].numpy() == grey).all()


def test_images_do_not_share_the_arrays_memory() -> None:
    pixels = np.zeros((1, 4, 4, 1), dtype=np.uint8)
    images = Images.from_arrays(pixels, np.zeros(1, dtype=np.int64))
    pixels[:] = 9
    assert int(images.pixels.max()) == 0


def test_a_subset_keeps_images_and_labels_together() -> None:
    images = some(6, classes=6)
    part = images.subset(torch.tensor([4, 1]))
    assert part.labels.tolist() == [4, 1]
    assert torch.equal(part.pixels, images.pixels[[4, 1]])
    assert len(part) == 2


@pytest.mark.parametrize(
    ("pixels", "labels", "sentence"),
    [
        (torch.zeros(2, 3, 4, 4), torch.zeros(2, dtype=torch.int64), "must be uint8"),
        (torch.zeros(2, 4, 4, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64), r"shape \(2, 4, 4\)"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(2), "must be int64"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), r"shape \(2,\)"),
        (torch.zeros(0, 3, 4, 4, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64), "no image"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([0, -1]), "there is a label -1"),
    ],
)
def test_unfit_images_are_refused(pixels: torch.Tensor, labels: torch.Tensor, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Images(pixels, labels)


def test_unfit_arrays_are_refused() -> None:
    with pytest.raises(UsageError, match="must be uint8"):
        Images.from_arrays(np.zeros((2, 4, 4)), np.zeros(2, dtype=np.int64))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="whole numbers, not float64"):
        Images.from_arrays(np.zeros((2, 4, 4), np.uint8), np.zeros(2))  # type: ignore[arg-type]


def test_normalisation_by_channel_is_its_formula() -> None:
    pixels = some().pixels
    normalised = Normalisation((0.5, 0.25, 0.1), (0.2, 0.3, 0.4))(pixels, dtype=torch.float64)
    value = int(pixels[2, 1, 3, 4]) / 255
    assert normalised.dtype == torch.float64
    assert float(normalised[2, 1, 3, 4]) == pytest.approx((value - 0.25) / 0.3, abs=1e-15)


def test_normalisation_by_image_centres_each_channel_and_has_unit_spread() -> None:
    normalised = Normalisation()(some().pixels, dtype=torch.float64)
    assert float(normalised.mean((2, 3)).abs().max()) < 1e-14
    spread = normalised.reshape(6, -1).std(1, correction=0)
    assert torch.allclose(spread, torch.ones(6, dtype=torch.float64), atol=1e-5, rtol=0)


def test_normalisation_by_image_keeps_the_ratio_of_the_channels_contrasts() -> None:
    pixels = np.zeros((1, 2, 2, 2), np.uint8)
    pixels[0, 0], pixels[0, :, 0, 0], pixels[0, :, 0, 1] = 100, (110, 120), (90, 80)
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    first, second = Normalisation()(x, dtype=torch.float64)[0].std((1, 2))
    raw_first, raw_second = x[0].double().std((1, 2))
    assert float(first / second) == pytest.approx(float(raw_first / raw_second), rel=1e-12)


def test_a_blank_image_becomes_zeros() -> None:
    normalised = Normalisation()(torch.full((1, 3, 4, 4), 200, dtype=torch.uint8))
    assert normalised.dtype == torch.float32
    assert float(normalised.abs().max()) < 1e-1  # the rounding of one number, divided by the smallest spread
    assert torch.isfinite(normalised).all()


@pytest.mark.parametrize(
    ("mean", "std", "sentence"),
    [
        ((0.5,), None, "both"),
        ((0.5,), (0.1, 0.2), "1 means and 2 stds"),
        ((0.5,), (0.0,), "must be positive"),
    ],
)
def test_unfit_normalisations_are_refused(mean: Any, std: Any, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Normalisation(mean, std)


def test_a_data_set_knows_its_image() -> None:
    assert dataset().image == (3, 8, 8)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"test": some(side=9)}, r"test images are \(3, 9, 9\), training images \(3, 8, 8\)"),
        ({"valid": some(classes=4)}, "validation labels go up to 3; with 3 classes they run from 0 to 2"),
        ({"class_names": ("a", "b")}, "2 names for 3 classes"),
        ({"normalisation": Normalisation((0.5,), (0.1,))}, "has 1 channels"),
    ],
)
def test_unfit_data_sets_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        dataset(**changes)
