"""Makes the shipped files of street_numbers: `python -m nasbook.datasets.make_street_numbers`.

They are made once and then belong to the repository, because the data must not depend on a reader's fonts: the glyphs
come from the font files that matplotlib carries (DejaVu, STIX and Computer Modern).
"""

from __future__ import annotations

import datetime
import hashlib
import io
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbook.datasets import street_numbers
from nasbook.datasets.drawing import CANVAS, GLYPH
from nasbook.runtime import files, resources

FACES = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic", "BolIta")),
    *("cmr10", "cmss10", "cmtt10", "cmb10"),
)
POINTS = 200  # glyphs are drawn this large, then averaged down


def rasterise() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Templates (faces, 10, 48, 48), 0 to 255, and widths (faces, 10) in glyph heights, from matplotlib's fonts."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    coverage = np.zeros((len(FACES), 10, CANVAS, CANVAS), np.uint8)
    widths = np.zeros((len(FACES), 10), np.float32)
    for face, name in enumerate(FACES):
        font = ImageFont.truetype(str(folder / f"{name}.ttf"), POINTS)
        for digit in range(10):
            paper = Image.new("L", (2 * POINTS, 2 * POINTS))
            ImageDraw.Draw(paper).text((POINTS // 2, POINTS // 4), str(digit), fill=255, font=font)
            glyph = paper.crop(paper.getbbox())
            scale = GLYPH / max(glyph.size)
            width, height = (round(scale * length) for length in glyph.size)
            left, top = (CANVAS - width) // 2, (CANVAS - height) // 2
            small = np.asarray(glyph.resize((width, height), Image.Resampling.BOX))
            coverage[face, digit, top : top + height, left : left + width] = small
            widths[face, digit] = width / GLYPH
    return coverage, widths


def make() -> None:
    """Write templates, images and manifest. The images are drawn from the templates just written."""
    folder = resources.data_folder() / street_numbers.FOLDER
    coverage, widths = rasterise()
    contents = {street_numbers.TEMPLATES: _packed({"coverage": coverage, "widths": widths, "faces": np.array(FACES)})}
    _write(folder, contents)
    street_numbers.templates.cache_clear()
    for split, (count, seed) in street_numbers.SPLITS.items():
        pixels, labels = street_numbers.draw(count, seed=seed)
        for part, name in enumerate(street_numbers.part_names(split)):
            rows = slice(part * street_numbers.PART, (part + 1) * street_numbers.PART)
            contents[name] = _packed({"pixels": pixels[rows], "labels": labels[rows]})
    _write(folder, contents)


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        files.write_bytes(folder / name, content)
    manifest = {
        "what": "street_numbers: glyph templates, and the default draw at the middle difficulty, 16x16 pixels",
        "command": "python -m nasbook.datasets.make_street_numbers",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("matplotlib", "numpy", "pillow")},
        },
        "splits": {split: {"images": count, "seed": seed} for split, (count, seed) in street_numbers.SPLITS.items()},
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in contents.items()
        },
    }
    files.write_json(folder / street_numbers.MANIFEST, manifest)


def _packed(arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(f"{sys.argv[0]} takes no arguments: it writes into the book's own data folder.")
    make()
