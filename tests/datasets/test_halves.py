"""The two halves of a bilevel search share no image, and come from the training images alone."""

from __future__ import annotations

import pytest
import torch

from nasbook.datasets import Dataset, Images, Normalisation, bilevel_halves
from nasbook.runtime.errors import UsageError


def numbered(first: int, count: int) -> Images:
    """Images whose single pixel is their number."""
    return Images(torch.arange(first, first + count, dtype=torch.uint8).view(-1, 1, 1, 1), torch.arange(count) % 2)


WHOLE = Dataset(
    "tiny", 2, numbered(0, 101), numbered(150, 50), numbered(220, 20), Normalisation(), 0, False, ("a", "b")
)


def numbers(images: Images) -> set[int]:
    return set(images.pixels.flatten().tolist())


@pytest.mark.parametrize(("images", "half"), [(None, 50), (101, 50), (60, 30), (61, 30), (2, 1)])
def test_halves_are_disjoint_and_equal(images: int | None, half: int) -> None:
    weights, alpha = bilevel_halves(WHOLE, images=images, seed=1)
    assert len(weights) == len(alpha) == len(numbers(weights)) == len(numbers(alpha)) == half
    assert not numbers(weights) & numbers(alpha)
    assert numbers(weights) | numbers(alpha) <= set(range(101))


def test_labels_stay_with_their_images() -> None:
    weights, alpha = bilevel_halves(WHOLE, images=80, seed=3)
    for half in (weights, alpha):
        assert torch.equal(half.labels, half.pixels.flatten().long() % 2)


def test_the_seed_decides() -> None:
    first, again, other = (bilevel_halves(WHOLE, images=80, seed=seed)[0] for seed in (5, 5, 6))
    assert torch.equal(first.pixels, again.pixels)
    assert numbers(first) != numbers(other)


def test_a_sorted_file_gives_mixed_halves() -> None:
    """Both classes are in both halves, though the first half of the file is one class."""
    labels = torch.arange(101) // 51
    whole = Dataset(
        "sorted", 2, Images(WHOLE.train.pixels, labels), WHOLE.test, None, Normalisation(), 0, False, ("a", "b")
    )
    for half in bilevel_halves(whole, seed=0):
        assert 10 < int(half.labels.sum()) < 40


@pytest.mark.parametrize("images", [0, 1, 102])
def test_too_few_and_too_many_are_refused(images: int) -> None:
    with pytest.raises(UsageError, match=f"tiny has 101 training images.* 2 to 101 together, not {images}"):
        bilevel_halves(WHOLE, images=images)
