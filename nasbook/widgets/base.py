"""What every widget of the book shows where no kernel runs: a picture and its sentence, beside the live view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasbook.figures.picture import Picture


class StaticFallback:
    """A mixin for a box of widgets, put before it: `class Lens(StaticFallback, widgets.VBox)`."""

    def figure(self) -> Picture:
        """The current state as a picture; every subclass has its own."""
        raise NotImplementedError(f"{type(self).__name__} has no picture.")

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live view, the picture with its words, and the words alone."""
        live: Any = super()
        picture, metadata = self.figure()._repr_mimebundle_()
        return {**(live._repr_mimebundle_(**kwargs) or {}), **picture}, metadata
