"""A state's text goes out and in; a text of another form is refused with one sentence."""

from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nasbook.runtime.errors import UsageError
from nasbook.widgets.state import NamedState, floats, names, read


@dataclass(frozen=True)
class Every(NamedState):
    """A field of each kind."""

    word: str = "here"
    share: float = 0.5
    count: int = 3
    numbers: tuple[float, ...] = (1.0, -2.0)

    def __post_init__(self):
        if self.count < 0:
            raise UsageError("A count is not below 0.")


WORDS = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="="))
SHORT = st.floats(allow_nan=False).map(lambda value: float(f"{value:g}"))  # what a text holds whole
STATES = st.builds(Every, WORDS, SHORT, st.integers(min_value=0), st.lists(SHORT, min_size=1).map(tuple))


@given(STATES)
def test_a_state_goes_out_and_in(state):
    assert Every.parse(str(state)) == state


@given(STATES, st.randoms(use_true_random=False))
def test_the_order_of_its_parts_does_not_matter(state, shuffler):
    parts = str(state).split(" ")
    shuffler.shuffle(parts)
    assert Every.parse("  ".join(parts)) == state


@given(st.floats(allow_nan=False))
def test_a_number_is_written_with_six_digits(value):
    assert Every.parse(str(Every(share=value))).share == pytest.approx(value, rel=1e-5)


def test_its_text_names_the_fields():
    assert str(Every()) == "word=here share=0.5 count=3 numbers=1,-2"
    assert names(Every) == names(Every()) == ("word", "share", "count", "numbers")


@pytest.mark.parametrize(
    "text",
    [
        "word=here share=0.5 count=3",
        "word=here share=0.5 count=3 numbers=1 more=1",
        "word=here share=half count=3 numbers=1",
        "word=here share=0.5 count=3.0 numbers=1",
        "word=here share=0.5 count=3 numbers=",
        "word=here share=0.5 count=3 numbers=1,",
        "word=here share=0.5 count=3 numbers=1=2",
        "here 0.5 3 1",
    ],
)
def test_another_form_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as refusal:
        Every.parse(text)
    assert str(refusal.value) == f"A state reads like 'word=here share=0.5 count=3 numbers=1,-2', not {text!r}."


@given(st.text())
@example("")
@example("=")
@example("word=a share=1 count=2 numbers=1 word=b")
def test_any_text_is_read_or_refused(text):
    try:
        state = Every.parse(text)
    except UsageError:
        return
    assert {part.partition("=")[0] for part in text.split()} == set(names(state))


def test_what_is_no_text_is_refused():
    with pytest.raises(UsageError, match="not None"):
        Every.parse(None)


def test_the_range_is_told_by_the_state_itself():
    with pytest.raises(UsageError, match=r"^A count is not below 0\.$"):
        Every.parse("word=a share=1 count=-1 numbers=1")


def test_a_form_of_its_own_is_read_by_its_readers():
    readers = {"A": int, "pair": floats}
    assert list(read("pair=1,2.5 A=3", readers, example="A=1 pair=0,0").items()) == [("A", 3), ("pair", (1.0, 2.5))]
    with pytest.raises(UsageError, match=r"^A state reads like 'A=1 pair=0,0', not 'A=3'\.$"):
        read("A=3", readers, example="A=1 pair=0,0")
