"""Pictures come out as a person sees them, or are refused in a sentence; no other program is started for them."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from nasbook.datasets.pictures import Opener
from nasbook.runtime.errors import UsageError

SIDE = 8
ROWS = np.mgrid[0:SIDE, 0:SIDE][0]
RAMP = (ROWS * 255 / (SIDE - 1)).round().astype(np.uint8)  # dark above, bright below


def opened(path: Path, picture: Image.Image, name: str = "a.png", **options: Any) -> tuple[np.ndarray[Any, Any], str]:
    """What is read of a saved picture, and what is said of it."""
    picture.save(path / name, **options)
    opener = Opener(SIDE)
    return opener(path / name), "; ".join(opener.notes())


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
def test_gray_of_16_bits_is_scaled(tmp_path: Path, name: str) -> None:
    pixels, notes = opened(tmp_path, Image.fromarray(RAMP.astype(np.uint16) * 257), name)
    assert (pixels == RAMP[..., None]).all()
    assert "16 bits" in notes


def test_floats_are_scaled_from_0_to_1(tmp_path: Path) -> None:
    pixels, notes = opened(tmp_path, Image.fromarray((RAMP / 255).astype(np.float32)), "a.tif")
    assert (pixels == RAMP[..., None]).all()
    assert "floats" in notes


def test_where_zero_is_white_bright_stays_bright(tmp_path: Path) -> None:
    pixels, _ = opened(tmp_path, Image.fromarray(65535 - RAMP.astype(np.uint16) * 257), "a.tif", tiffinfo={262: 0})
    assert (pixels == RAMP[..., None]).all()


@pytest.mark.parametrize(
    "values", [np.full((4, 4), 200.0), np.full((4, 4), np.nan), np.full((4, 4), -0.5), np.full((4, 4), -5, np.int32)]
)
def test_values_without_a_known_white_are_refused(tmp_path: Path, values: np.ndarray[Any, Any]) -> None:
    picture = Image.fromarray(values.astype(np.float32) if values.dtype == float else values)
    with pytest.raises(UsageError, match=r"a\.tif has values"):
        opened(tmp_path, picture, "a.tif")


def test_a_nearly_black_picture_of_16_bits_is_told(tmp_path: Path) -> None:
    assert "nearly black" in opened(tmp_path, Image.fromarray(np.full((4, 4), 4000, np.uint16)))[1]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_comes_out_upright(tmp_path: Path, name: str, orientation: int) -> None:
    corners = np.zeros((SIDE, SIDE, 3), np.uint8)
    corners[: SIDE // 2, : SIDE // 2], corners[: SIDE // 2, SIDE // 2 :] = 255, 120  # bright, middle; dark below
    stored = {  # how each orientation stores what is seen
        1: corners,
        2: corners[:, ::-1],
        3: corners[::-1, ::-1],
        4: corners[::-1],
        5: corners.transpose(1, 0, 2),
        6: np.rot90(corners),
        7: corners[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(corners, -1),
    }[orientation]
    tags = Image.Exif()
    tags[274] = orientation
    pixels, notes = opened(tmp_path, Image.fromarray(stored.copy()), name, exif=tags, quality=95)
    assert np.abs(pixels.astype(int) - corners).max() < 60
    if name != "a.tif":  # Pillow turns those by itself
        assert ("EXIF" in notes) == (orientation > 1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(tmp_path: Path, mode: str) -> None:
    glyph = np.zeros((SIDE, SIDE, 4), np.uint8)  # black, seen in the upper half only
    glyph[: SIDE // 2, :, 3] = 255
    picture, options = Image.fromarray(glyph).convert(mode if mode != "P" else "RGBA"), {}
    if mode == "P":
        picture, options = Image.fromarray(glyph[..., 3] // 255).convert("P"), {"transparency": 0}
        picture.putpalette([0, 0, 0] * 256)
    pixels, notes = opened(tmp_path, picture, **options)
    assert pixels[0].max() == 0
    assert pixels[-1].min() == 255
    assert "transparent" in notes


def test_an_opaque_picture_with_alpha_is_as_without(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    pixels, notes = opened(tmp_path, Image.fromarray(colours).convert("RGBA"))
    assert (pixels == colours).all()
    assert notes == ""


def test_a_mode_that_cannot_be_shown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mode LAB"):
        opened(tmp_path, Image.new("LAB", (SIDE, SIDE)), "a.tif")


def test_a_postscript_file_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/called\nexit 1\n")
    (programs / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "a.png").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\nshowpage\n%%EOF\n"
    )
    with pytest.raises(UsageError, match="not a readable picture"):
        Opener(SIDE)(tmp_path / "a.png")
    assert not (tmp_path / "called").exists()


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(UsageError, match="not a regular file"):
        Opener(SIDE)(tmp_path / "a.png")


def _content(form: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.stack([RAMP] * 3, axis=-1)).save(stream, form)
    return stream.getvalue()


CONTENTS = [_content(form) for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.sampled_from(CONTENTS), place=st.integers(0, 10**6), value=st.binary(max_size=4))
def test_a_damaged_picture_is_read_or_refused(tmp_path: Path, content: bytes, place: int, value: bytes) -> None:
    place %= len(content)
    (tmp_path / "a.png").write_bytes(content[:place] + value + content[place + len(value) :])
    try:
        assert Opener(SIDE)(tmp_path / "a.png").shape == (SIDE, SIDE, 3)
    except UsageError:
        return  # every other error fails the test
