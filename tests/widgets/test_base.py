"""The picture and the words beside a live widget."""

import base64

import ipywidgets
import pytest
from matplotlib.figure import Figure

from nasbook.widgets.base import StaticFallback, png


class Line(StaticFallback, ipywidgets.VBox):
    """A widget whose picture is one line."""

    def figure(self):
        figure = Figure(figsize=(2, 1))
        figure.subplots().plot([0, 1])
        return figure

    def alt(self):
        return "A rising line."


class Bare(StaticFallback, ipywidgets.VBox):
    """A widget that says nothing of itself."""


def test_the_bundle_holds_the_live_view_the_picture_and_the_words():
    data, metadata = Line()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == metadata["image/png"]["alt"] == "A rising line."


def test_the_same_picture_has_the_same_bytes():
    assert png(Line().figure()) == png(Line().figure())


def test_a_widget_without_picture_or_words_says_so():
    with pytest.raises(NotImplementedError, match="Bare has no description"):
        Bare()._repr_mimebundle_()
