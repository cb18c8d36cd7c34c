"""The module that made the shipped files still makes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nasbook.datasets import make_street_numbers, street_numbers
from nasbook.datasets.drawing import CANVAS, GLYPH
from nasbook.runtime import resources


def test_the_shipped_templates_are_the_fonts_digits() -> None:
    """Up to what another version of the font renderer may change at the edges of a glyph."""
    coverage, widths = make_street_numbers.rasterise()
    shipped = street_numbers.templates()
    difference = np.abs(coverage / 255.0 - shipped.coverage).mean((2, 3))
    assert difference.max() < 0.01
    assert np.abs(widths - shipped.widths).max() <= 1.5 / GLYPH


def test_templates_are_centred_and_fill_their_height() -> None:
    shipped = street_numbers.templates()
    assert shipped.coverage.shape == (len(make_street_numbers.FACES), 10, CANVAS, CANVAS)
    rows = (shipped.coverage > 0).any(3).sum(2)
    columns = (shipped.coverage > 0).any(2).sum(2)
    assert (np.maximum(rows, columns) == GLYPH).all()
    assert np.abs(columns / GLYPH - shipped.widths).max() < 1e-6


def test_digits_of_a_face_differ_from_each_other() -> None:
    coverage = street_numbers.templates().coverage
    for face in coverage:
        apart = np.abs(face[:, None] - face[None]).mean((2, 3)) + np.eye(10)
        assert apart.min() > 0.02


def test_what_it_writes_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(street_numbers, "SPLITS", {"train": (4, 1), "valid": (2, 2), "test": (4, 3)})
    monkeypatch.setattr(street_numbers, "PART", 2)
    try:
        make_street_numbers.make()
        dataset = street_numbers.default()
        expected, labels = street_numbers.draw(4, seed=3)
    finally:
        street_numbers.templates.cache_clear()
    assert (dataset.test.pixels.permute(0, 2, 3, 1).numpy() == expected).all()
    assert (dataset.test.labels.numpy() == labels).all()
    folder = tmp_path / "street_numbers"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert sorted(manifest["files"]) == sorted(path.name for path in folder.glob("*.npz"))
    assert set(manifest["versions"]) == {"python", "matplotlib", "numpy", "pillow"}
