"""scikit-learn's digits, all of them and each once."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from nasbook.datasets import load
from nasbook.runtime.errors import UsageError


def test_the_three_parts_hold_every_digit_once() -> None:
    dataset = load("digits")
    assert dataset.image == (1, 8, 8)
    assert dataset.valid is not None
    parts = [dataset.train, dataset.valid, dataset.test]
    assert [len(part) for part in parts] == [1000, 297, 500]
    bunch = load_digits()

    def known(pixels: np.ndarray, labels: np.ndarray) -> list[tuple[bytes, int]]:
        return sorted((image.tobytes(), int(label)) for image, label in zip(pixels, labels))

    pixels = torch.cat([part.pixels for part in parts])[:, 0].numpy()
    labels = torch.cat([part.labels for part in parts]).numpy()
    assert known(np.rint(pixels / 255 * 16).astype(np.uint8), labels) == known(
        bunch.images.astype(np.uint8), bunch.target
    )


def test_every_part_has_every_class() -> None:
    dataset = load("digits")
    for part in (dataset.train, dataset.valid, dataset.test):
        assert part is not None
        assert int(torch.bincount(part.labels, minlength=10).min()) > 15


def test_everybody_has_the_same_parts() -> None:
    assert torch.equal(load("digits").test.pixels, load("digits").test.pixels)


def test_without_scikit_learn_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(UsageError, match="scikit-learn, which is not installed"):
        load("digits")
