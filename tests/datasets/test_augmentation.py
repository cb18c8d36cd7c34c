"""Crop, flip and cutout on batches equal the plain way of doing them, one image after the other."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook.datasets.augmentation import crop_and_flip, cut_out


@given(
    seed=st.integers(0, 2**32 - 1),
    padding=st.integers(0, 4),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    channels=st.sampled_from([1, 3]),
)
def test_crop_and_flip_of_each_image(seed: int, padding: int, height: int, width: int, channels: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(256, (5, channels, height, width), generator=generator, dtype=torch.uint8)
    corners = torch.randint(2 * padding + 1, (5, 2), generator=generator)
    flipped = torch.randint(2, (5,), generator=generator).bool()
    result = crop_and_flip(pixels, corners=corners, flipped=flipped, padding=padding)
    assert result.dtype == torch.uint8
    for index in range(5):
        padded = np.pad(pixels[index].numpy(), ((0, 0), (padding, padding), (padding, padding)))
        top, left = corners[index].tolist()
        expected = padded[:, top : top + height, left : left + width]
        assert (result[index].numpy() == (expected[:, :, ::-1] if flipped[index] else expected)).all()


@given(seed=st.integers(0, 2**32 - 1), side=st.integers(1, 12), height=st.integers(1, 9), width=st.integers(1, 9))
def test_cutout_of_each_image(seed: int, side: int, height: int, width: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(5, 3, height, width, generator=generator, dtype=torch.float64) + 1
    rows = torch.randint(height, (5,), generator=generator)
    columns = torch.randint(width, (5,), generator=generator)
    result = cut_out(images, centres=torch.stack([rows, columns], 1), side=side)
    for index in range(5):
        expected = images[index].clone()
        for y in range(int(rows[index]) - side // 2, int(rows[index]) - side // 2 + side):
            for x in range(int(columns[index]) - side // 2, int(columns[index]) - side // 2 + side):
                if 0 <= y < height and 0 <= x < width:
                    expected[:, y, x] = 0
        assert torch.equal(result[index], expected)


def test_cutout_of_an_even_side_is_the_published_square() -> None:
    """Side 16 around (y, x) covers rows y - 8 to y + 7 where nothing clips it."""
    hole = cut_out(torch.ones(1, 1, 32, 32), centres=torch.tensor([[16, 10]]), side=16)[0, 0] == 0
    assert int(hole.sum()) == 256
    assert hole.any(1).nonzero().flatten().tolist() == list(range(8, 24))
    assert hole.any(0).nonzero().flatten().tolist() == list(range(2, 18))
