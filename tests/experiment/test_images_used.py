"""How many images a run uses is counted for its result, and said where nobody asked for the number."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from nasbook import sizes
from nasbook.datasets import Dataset, Images, Normalisation
from nasbook.experiment import images_used

SIZE = sizes.get("class")


def dataset(count: int) -> Dataset:
    images = Images(torch.zeros(count, 1, 1, 1, dtype=torch.uint8), torch.arange(count) % 2)
    return Dataset("own", 2, images, images, None, Normalisation(), 0, False, ("a", "b"))


def test_a_result_counts_used_and_left_out_images() -> None:
    assert images_used.row(dataset(9000), 4000) == {"images_used": 4000, "images_left_out": 5000}
    assert images_used.row(dataset(9000), None, prefix="train_") == {
        "train_images_used": 9000,
        "train_images_left_out": 0,
    }
    noted = replace(dataset(2), notes=("resized",))
    assert images_used.row(noted, 2)["images_notes"] == ["resized"]


def test_a_sample_that_nobody_asked_for_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    stages = {"search": (SIZE.search, None), "training": (replace(SIZE.train, images=300), {})}
    images_used.tell(dataset(9000), stages)
    out, line = capsys.readouterr()
    assert (out, line.count("\n")) == ("", 1)
    assert all(number in line for number in ("9,000", "4,000 by the search", "300 by the training"))


@pytest.mark.parametrize(("count", "asked"), [(4000, None), (9000, {"images": 4000})])
def test_nothing_is_said_of_all_images_or_of_what_was_asked(
    capsys: pytest.CaptureFixture[str], count: int, asked: dict[str, int] | None
) -> None:
    images_used.tell(dataset(count), {"search": (SIZE.search, asked)})
    assert capsys.readouterr().err == ""
