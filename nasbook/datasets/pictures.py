"""Reads picture files as a viewer shows them: upright, on a white background, from black to white."""

from __future__ import annotations

import os
import stat
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbook.runtime.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".ppm", ".pgm", ".pbm", ".tif", ".tiff", ".webp")
# Pillow tries these alone, whatever a file is called: some of its other formats start programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
_ORIENTATION, _PHOTOMETRIC, _BITS = 274, 262, 258  # numbers of TIFF tags
_WHITE_IS_ZERO = 0
_NEARLY_BLACK = 1 / 16  # of white

_CHANGES = {
    "resized": "resized to {size}x{size} pixels",
    "turned": "turned upright as their EXIF tag says",
    "transparent": "laid on white where they are transparent",
    "gray": "made RGB from shades of gray",
    "cmyk": "made RGB from CMYK",
    "deep": "scaled to 8 bits from whole numbers of up to 16 bits, where 0 is black and the largest possible is white",
    "float": "scaled to 8 bits from floats, where 0 is black and 1 is white",
    "dark": "nearly black, since their values use less than a sixteenth of the range (scale them before)",
    "animated": "reduced to the first of several frames",
}


class Opener:
    """Opens pictures as RGB squares, and counts what it changed in them.

    Args:
        size: height and width of the squares, in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.opened = 0
        self.changed: Counter[str] = Counter()

    def __call__(self, file: Path) -> NDArray[np.uint8]:
        """A picture as uint8 (size, size, 3).

        Raises:
            UsageError: the file is not a readable picture, or its values have no known black and white.
        """
        from PIL import Image

        try:
            if not stat.S_ISREG(os.stat(file).st_mode):  # opening a named pipe would wait for ever
                raise UsageError(f"{file} is not a readable picture: it is not a regular file.")
            # Pillow warns of large pictures and odd metadata; what it cannot read it refuses
            with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as picture:
                square = self._seen(picture, file).resize((self.size, self.size), Image.Resampling.BILINEAR)
        except UsageError:
            raise
        except Image.DecompressionBombError:
            raise UsageError(f"{file} has too many pixels: make it smaller.") from None
        except Exception:  # whatever a damaged picture does to its reader
            raise UsageError(f"{file} is not a readable picture.") from None
        self.opened += 1
        return np.asarray(square, dtype=np.uint8)

    def notes(self) -> list[str]:
        """What was changed, one phrase each."""
        return [
            f"{text.format(size=self.size)}: {self.changed[change]:,} of {self.opened:,} pictures"
            for change, text in _CHANGES.items()
            if self.changed[change]
        ]

    def _seen(self, picture: Image, file: Path) -> Image:
        """The picture in RGB as a viewer shows it."""
        from PIL import Image

        self._count("animated", picture.format != "MPO" and getattr(picture, "is_animated", False))
        picture.load()
        turn = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_270,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_90,
        }.get(_orientation(picture))
        shown = self._in_rgb(picture, file)
        self._count("turned", turn is not None)
        self._count("resized", shown.size != (self.size, self.size))
        return shown if turn is None else shown.transpose(turn)

    def _in_rgb(self, picture: Image, file: Path) -> Image:
        from PIL import Image

        if picture.mode.startswith(("I", "F")):
            return Image.fromarray(self._eight_bits(picture, file)).convert("RGB")
        if picture.has_transparency_data:
            with_alpha = picture.convert("RGBA")
            self._count("transparent", with_alpha.getchannel("A").getextrema() != (255, 255))
            white = Image.new("RGBA", picture.size, "white")
            return Image.alpha_composite(white, with_alpha).convert("RGB")
        if picture.mode == "LAB":
            raise UsageError(f"{file} has the colours of mode LAB, which are not read: save it as RGB.")
        self._count("gray", picture.mode in ("1", "L"))
        self._count("cmyk", picture.mode == "CMYK")
        return picture.convert("RGB")

    def _eight_bits(self, picture: Image, file: Path) -> NDArray[np.uint8]:
        """A picture of deeper gray values, from black as 0 to white as 255."""
        values = np.array(picture, dtype=np.float32)  # exact for 16 bits
        tags: Any = getattr(picture, "tag_v2", {})
        if picture.mode == "F":
            white, kind = 1.0, "float"
        elif picture.mode.startswith("I;16") or picture.format in ("PNG", "PPM"):
            white, kind = 2.0 ** tags.get(_BITS, (16,))[0] - 1, "deep"
        else:
            raise UsageError(f"{file} has values whose black and white are not known: save it with 8 or 16 bits.")
        if not (values.min() >= 0 and values.max() <= white):  # NaN is refused too
            raise UsageError(
                f"{file} has values from {values.min():g} to {values.max():g}; "
                f"they must lie between 0 (black) and {white:g} (white)."
            )
        self._count(kind, True)
        self._count("dark", values.max() < white * _NEARLY_BLACK)
        if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            np.subtract(white, values, out=values)
        if "transparency" in picture.info:
            values[values == picture.info["transparency"]] = white
        values *= 255 / white  # in place, as is all above: a small file may claim a hundred million pixels
        return np.rint(values, out=values).astype(np.uint8)

    def _count(self, change: str, happened: bool) -> None:
        self.changed[change] += bool(happened)


def _orientation(picture: Image) -> Any:
    """How a camera was held, 1 to 8; 1 where the file does not tell it."""
    try:
        return picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged metadata: the picture itself is whole, and every viewer shows it
        return 1
