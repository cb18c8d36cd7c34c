"""The stream of batches: every image once an epoch, a new order each time, and resumable at any point bit for bit."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook.datasets import Batches, Dataset, Images, Normalisation, in_order
from nasbook.runtime.errors import UsageError


def counted(count: int, *, side: int = 4) -> Images:
    """Images that are told apart by their labels: each has its own."""
    generator = torch.Generator().manual_seed(3)
    pixels = torch.randint(1, 256, (count, 3, side, side), generator=generator, dtype=torch.uint8)
    return Images(pixels, torch.arange(count))


def dataset(images: Images, **changes: Any) -> Dataset:
    classes = len(images)
    names = tuple(str(label) for label in range(classes))
    plain = Normalisation((0.0,) * 3, (1 / 255,) * 3)  # the pixels themselves, as floats
    return replace(Dataset("tiny", classes, images, images, None, plain, 2, True, names), **changes)


def batches(images: Images, batch: int, *, seed: int = 0, **settings: Any) -> Batches:
    whole = settings.pop("dataset", dataset(images))
    return Batches(images, batch, dataset=whole, generator=torch.Generator().manual_seed(seed), **settings)


def test_an_epoch_shows_every_image_once_in_a_new_order_each_time() -> None:
    stream = batches(counted(12), 4)
    epochs = [torch.cat([labels for _, labels in islice(stream, stream.per_epoch)]).tolist() for _ in range(3)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_the_short_batch_is_dropped_and_another_image_is_left_out_each_time() -> None:
    stream = batches(counted(10), 3)
    assert stream.per_epoch == 3
    missing = set()
    for _ in range(40):
        shown = [labels for _, labels in islice(stream, 3)]
        assert all(len(labels) == 3 for labels in shown)
        seen = set(torch.cat(shown).tolist())
        assert len(seen) == 9
        missing |= set(range(10)) - seen
    assert len(missing) > 5


def test_the_first_batch_is_not_shown_again() -> None:
    """A search whose architecture saw one batch for ever was a real bug elsewhere."""
    stream = batches(counted(64), 8)
    firsts = {tuple(next(stream)[1].tolist()) for _ in range(16)}
    assert len(firsts) == 16


def test_images_stay_with_their_labels() -> None:
    images = counted(9)
    for shown, labels in islice(batches(images, 4, dtype=torch.float64), 4):
        assert shown.dtype == torch.float64
        assert torch.allclose(shown, images.pixels[labels].double(), atol=1e-10)


def test_the_order_depends_on_the_generator_alone() -> None:
    images = counted(20)
    first, again, other = (batches(images, 5, seed=seed) for seed in (4, 4, 5))
    orders = [torch.cat([labels for _, labels in islice(stream, 8)]) for stream in (first, again, other)]
    assert torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], orders[2])


def test_nothing_is_drawn_before_the_first_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    Batches(counted(8), 4, dataset=dataset(counted(8)), generator=generator)
    assert torch.equal(generator.get_state(), before)


@given(
    stop=st.integers(0, 25), augment=st.booleans(), cutout=st.sampled_from([0, 2]), count=st.sampled_from([8, 10, 11])
)
def test_a_saved_stream_goes_on_bit_for_bit(stop: int, augment: bool, cutout: int, count: int) -> None:
    images = counted(count)
    stream = batches(images, 4, augment=augment, cutout=cutout)
    for _ in islice(stream, stop):
        pass
    file = io.BytesIO()
    torch.save(stream.state_dict(), file)
    expected = list(islice(stream, 7))
    resumed = batches(images, 4, seed=99, augment=augment, cutout=cutout)
    resumed.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    for (images_a, labels_a), (images_b, labels_b) in zip(expected, islice(resumed, 7)):
        assert torch.equal(images_a, images_b)
        assert torch.equal(labels_a, labels_b)


def test_a_saved_state_does_not_change_with_the_stream() -> None:
    stream = batches(counted(8), 4)
    next(stream)
    state = stream.state_dict()
    position, order = state["position"], state["order"].clone()
    for _ in islice(stream, 5):
        pass
    assert (state["position"], state["order"].tolist()) == (position, order.tolist())


def crops(image: torch.Tensor, padding: int, *, flips: bool) -> set[bytes]:
    """All that a random crop and flip can make of an image (channels, height, width)."""
    padded = torch.nn.functional.pad(image, (padding,) * 4)
    height, width = image.shape[1:]
    every = []
    for top in range(2 * padding + 1):
        for left in range(2 * padding + 1):
            crop = padded[:, top : top + height, left : left + width]
            every += [crop, crop.flip(2)] if flips else [crop]
    return {crop.contiguous().numpy().tobytes() for crop in every}


@pytest.mark.parametrize("flips", [True, False])
def test_augmentation_reaches_every_crop_and_nothing_else(flips: bool) -> None:
    images = counted(1)
    stream = batches(images, 1, augment=True, dataset=dataset(images, flip=flips, crop_padding=1))
    seen = {shown[0].round().to(torch.uint8).numpy().tobytes() for shown, _ in islice(stream, 400)}
    possible = crops(images.pixels[0], 1, flips=flips)
    assert len(possible) == (18 if flips else 9)
    assert seen == possible


def test_without_augmentation_nothing_moves() -> None:
    images = counted(1)
    (shown, _) = next(batches(images, 1, augment=False))
    assert torch.equal(shown[0].round().to(torch.uint8), images.pixels[0])


def test_the_border_of_a_crop_is_black_not_the_mean_colour() -> None:
    images = Images(torch.full((1, 3, 4, 4), 200, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))
    whole = dataset(images, normalisation=Normalisation((0.5,) * 3, (0.25,) * 3))
    shown = torch.cat([next(s)[0] for s in [batches(images, 1, augment=True, dataset=whole)] for _ in range(20)])
    expected = torch.tensor([(0 - 0.5) / 0.25, (200 / 255 - 0.5) / 0.25])
    assert torch.allclose(shown.unique(), expected)


def test_cutout_blanks_to_the_mean_colour_after_normalisation() -> None:
    images = Images(torch.full((1, 3, 6, 6), 255, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))
    whole = dataset(images, normalisation=Normalisation((0.5,) * 3, (0.5,) * 3))
    holes = [int((shown[0, 0] == 0).sum()) for shown, _ in islice(batches(images, 1, cutout=4, dataset=whole), 200)]
    assert max(holes) == 16
    assert min(holes) == 4  # centred on a corner, it is clipped to 2x2


def test_in_order_shows_all_images_once_and_untouched() -> None:
    images = counted(10)
    shown = list(in_order(images, 4, dataset=dataset(images), dtype=torch.float64))
    assert [len(labels) for _, labels in shown] == [4, 4, 2]
    assert torch.cat([labels for _, labels in shown]).tolist() == list(range(10))
    assert torch.allclose(torch.cat([x for x, _ in shown]), images.pixels.double(), atol=1e-10)


@pytest.mark.parametrize("batch", [0, 9])
def test_a_batch_larger_than_the_images_is_refused(batch: int) -> None:
    with pytest.raises(UsageError, match=f"takes 1 to 8 images, as many as there are, not {batch}"):
        batches(counted(8), batch)


def test_a_negative_cutout_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 0, not -1"):
        batches(counted(8), 4, cutout=-1)


def test_a_state_of_other_images_is_refused() -> None:
    stream = batches(counted(8), 4)
    next(stream)
    with pytest.raises(UsageError, match="has 8 images, this one has 9"):
        batches(counted(9), 4).load_state_dict(stream.state_dict())
