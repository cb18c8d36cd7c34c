"""What every widget of the book shows where no kernel runs: a picture and a sentence, beside the live view."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 110


class StaticFallback:
    """A mixin for a box of widgets, put before it: `class Lens(StaticFallback, widgets.VBox)`.

    A subclass says `figure()` and `alt()`; both are of the widget's state at the moment of showing.
    """

    def figure(self) -> Figure:
        """The picture of the current state."""
        raise NotImplementedError(f"{type(self).__name__} has no picture.")

    def alt(self) -> str:
        """One or two sentences that say what the picture shows."""
        raise NotImplementedError(f"{type(self).__name__} has no description.")

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live view, the picture with its words, and the words alone."""
        live: Any = super()
        bundle = dict(live._repr_mimebundle_(**kwargs) or {})
        words = self.alt()
        bundle["image/png"] = base64.b64encode(png(self.figure())).decode("ascii")
        bundle["text/plain"] = words
        return bundle, {"image/png": {"alt": words}}


def png(figure: Figure) -> bytes:
    """A figure as PNG, the same bytes for the same picture; the figure is closed if pyplot knows it."""
    from matplotlib import pyplot

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    pyplot.close(figure)
    return buffer.getvalue()
