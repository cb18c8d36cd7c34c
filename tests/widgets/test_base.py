"""The picture and the words beside a live widget, and the state that goes out and in."""

from dataclasses import dataclass

import ipywidgets
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from nasbook.figures import style
from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.widgets.base import Stateful, StaticFallback
from nasbook.widgets.state import NamedState, names


class Line(StaticFallback, ipywidgets.VBox):
    """A widget whose picture is one line."""

    def figure(self):
        figure, axis = style.figure()
        axis.plot([0, 1])
        return Picture(figure, "A rising line.")


class Bare(StaticFallback, ipywidgets.VBox):
    """A widget that says nothing of itself."""


def test_the_bundle_holds_the_live_view_the_picture_and_the_words(alt_of):
    data = Line()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == alt_of(data) == "A rising line."


def test_a_widget_without_a_picture_says_so():
    with pytest.raises(NotImplementedError, match="Bare has no picture"):
        Bare()._repr_mimebundle_()


@dataclass(frozen=True)
class Span(NamedState):
    """From low to high."""

    low: int = 0
    high: int = 1

    def __post_init__(self):
        if self.low > self.high:
            raise UsageError("low lies above high.")


class Spans(Stateful[Span]):
    """Two sliders; it has numbers up to `top`."""

    state_type = Span
    low = traitlets.Int(Span.low)
    high = traitlets.Int(Span.high)

    def __init__(self, state=None, top=99):
        self.top, self.drawn = top, []
        self.sliders = {name: ipywidgets.IntSlider(min=-99, max=99) for name in names(Span)}
        super().__init__(list(self.sliders.values()))
        self._begin(Span() if state is None else self._read(state), self.sliders.items())

    @traitlets.validate(*names(Span))
    def _check(self, proposal):
        return self._checked(proposal)

    def _allowed(self, state):
        if state.high > self.top:
            raise UsageError(f"The numbers end at {self.top}.")
        return state

    def _draw(self, _change=None):
        self.drawn.append((self.state(), *(slider.value for slider in self.sliders.values())))


@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)).map(sorted), min_size=1))
def test_any_state_follows_any_other(ends):
    """Also where one trait set before the other would be refused, such as (0, 1) before (5, 9)."""
    spans = Spans()
    for low, high in ends:
        text = f"low={low} high={high}"
        spans.restore(text)
        assert spans.state() == text == Spans(text).state()
        assert spans.drawn[-1] == (text, low, high)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("low=1", "A state reads like 'low=0 high=1', not 'low=1'."),
        ("low=2 high=1", "low lies above high."),
        ("low=2 high=50", "The numbers end at 9."),
    ],
)
def test_a_refused_state_changes_nothing(text, message):
    spans = Spans("low=3 high=5", top=9)
    drawn = list(spans.drawn)
    for refused in (lambda: spans.restore(text), lambda: Spans(text, top=9)):
        with pytest.raises(UsageError) as refusal:
            refused()
        assert str(refusal.value) == message
    assert spans.state() == "low=3 high=5"
    assert spans.drawn == drawn


def test_controls_and_traits_follow_each_other_and_every_change_is_drawn():
    spans = Spans("low=3 high=5")
    assert spans.drawn == [("low=3 high=5", 3, 5)]
    spans.sliders["low"].value = 4
    assert spans.drawn[-1] == ("low=4 high=5", 4, 5)
    spans.high = 7
    assert spans.drawn[-1] == ("low=4 high=7", 4, 7)
    assert len(spans.drawn) == 3


def test_a_trait_is_checked_beside_the_others():
    spans = Spans("low=3 high=5", top=9)
    for name, value, message in (("low", 6, "low lies above high"), ("high", 10, "The numbers end at 9")):
        with pytest.raises(UsageError, match=message):
            setattr(spans, name, value)
    assert spans.state() == "low=3 high=5"


def test_a_control_may_hold_its_trait_under_another_name():
    class Chosen(Spans):
        """With a menu."""

        def __init__(self):
            self.top, self.menu = 99, ipywidgets.Dropdown(options=["a", "b", "c"])
            super(Spans, self).__init__([self.menu])
            self._begin(Span(0, 2), [("high", self.menu)], "index")

        def _draw(self, _change=None):
            pass

    chosen = Chosen()
    assert chosen.menu.value == "c"
    chosen.menu.value = "b"
    assert chosen.high == 1


def test_a_widget_that_draws_nothing_says_so():
    class Still(Stateful[Span]):
        """Without a drawing."""

        state_type = Span
        low, high = traitlets.Int(), traitlets.Int()

    with pytest.raises(NotImplementedError, match="Still draws nothing"):
        Still()._begin(Span(), [])


def test_a_button_has_words_and_acts():
    pressed = []
    box = Line()
    made = box._button("Step", "One further", lambda: pressed.append(1), width="7em")
    made.click()
    assert (made.description, made.tooltip, made.layout.width, pressed) == ("Step", "One further", "7em", [1])
    assert box._button("Reset", "Back", list).layout.width == "auto"
