"""A picture and the sentence that says what it shows: what every plotting function of the book returns."""

from __future__ import annotations

import base64
import html
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from nasbook.figures import style
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError

FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True)
class Picture:
    """A figure with its alternative text. As the last expression of a notebook's cell it shows both, once.

    Args:
        figure: the drawing; one made by `pyplot` is taken out of its hands, so that it is not shown a second time.
        alt: what is plotted, the trend and the conclusion, in one or two sentences.

    Raises:
        UsageError: the sentence is empty.
    """

    figure: Figure
    alt: str

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise UsageError("A picture needs a sentence that says what it shows: alt is empty.")
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close(self.figure)

    @property
    def axes(self) -> list[Axes]:
        """The figure's axes, to read what was drawn or to draw more."""
        return self.figure.axes

    def png(self) -> bytes:
        """The picture at 110 dots an inch, white behind; the same picture gives the same bytes."""
        return self._bytes("png")

    def svg(self) -> str:
        """The picture as lines and letters, at any size."""
        return self._bytes("svg").decode("utf-8")

    def save(self, path: Path | str) -> Path:
        """Write the picture to a `.png`, `.svg` or `.pdf` file: the whole file or none.

        Raises:
            UsageError: the file's name ends otherwise.
        """
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        if kind not in FORMATS:
            raise UsageError(f"A picture is saved as .png, .svg or .pdf, not as {path.name!r}.")
        files.write_bytes(path, self._bytes(kind))
        return path

    @style.styled
    def _bytes(self, kind: str) -> bytes:
        buffer = io.BytesIO()
        if kind == "svg":
            self.figure.savefig(buffer, format="svg", metadata={"Description": self.alt, "Date": None})
            return buffer.getvalue()
        if kind == "pdf":
            self.figure.savefig(buffer, format="pdf", metadata={"Subject": self.alt, "CreationDate": None})
            return buffer.getvalue()
        self.figure.savefig(buffer, format="png", dpi=style.DPI, pil_kwargs={"compress_level": 1})
        # Line drawings need few colours: a palette makes the file a third as large.
        image = Image.open(buffer).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        smaller = io.BytesIO()
        image.save(smaller, "png", optimize=True)
        return smaller.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The picture as an HTML element: JupyterLab and nbconvert show image/png without any alternative text."""
        picture = base64.b64encode(self.png()).decode("ascii")
        element = f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{picture}">'
        return {"text/html": element, "text/plain": self.alt}

    def __repr__(self) -> str:
        return self.alt


def together(*pictures: Picture) -> Picture:
    """Several pictures drawn on axes of one figure, as one picture with all their sentences.

    Raises:
        UsageError: there are none, or they are on different figures.
    """
    if len({id(picture.figure) for picture in pictures}) != 1:
        raise UsageError("Pictures are put together from axes of one figure: draw each with its own ax=.")
    return Picture(pictures[0].figure, " ".join(picture.alt for picture in pictures))
