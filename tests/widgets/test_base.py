"""The picture and the words beside a live widget."""

import base64

import ipywidgets
import pytest

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.widgets.base import StaticFallback


class Line(StaticFallback, ipywidgets.VBox):
    """A widget whose picture is one line."""

    def figure(self):
        figure, axis = style.figure()
        axis.plot([0, 1])
        return Picture(figure, "A rising line.")


class Bare(StaticFallback, ipywidgets.VBox):
    """A widget that says nothing of itself."""


def test_the_bundle_holds_the_live_view_the_picture_and_the_words():
    data, metadata = Line()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == metadata["image/png"]["alt"] == "A rising line."


def test_a_widget_without_a_picture_says_so():
    with pytest.raises(NotImplementedError, match="Bare has no picture"):
        Bare()._repr_mimebundle_()
