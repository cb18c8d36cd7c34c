from __future__ import annotations

import html
import json
import math
from typing import Any

import numpy as np
import pytest
import traitlets
from hypothesis import given
from hypothesis import strategies as st

from nasbook.runtime.errors import UsageError
from nasbook.widgets.predict import Predict, page, read_number


@pytest.fixture
def choice() -> Predict:
    return Predict("Which <op>?", ("skip", "conv"), answer="skip", explain="It has no weights.")


def press(box: Predict) -> None:
    box._lock.click()


def test_a_guess_is_locked_before_the_answer_shows(choice: Predict) -> None:
    _, field, button, verdict = choice.children
    assert choice.state() == {"question": "Which <op>?", "guess": None, "locked": False, "answer": "skip"}
    press(choice)
    assert not choice.locked
    assert verdict.value.startswith("Make a guess first")
    field.value = "conv"
    assert verdict.value == ""
    press(choice)
    assert choice.locked
    assert field.disabled
    assert not button.disabled  # a disabled button would lose the focus
    press(choice)
    assert verdict.value == "You said “conv”, it is “skip”. It has no weights."
    field.value = "skip"
    assert choice.guess == "conv"


@pytest.mark.parametrize(
    ("typed", "guess"),
    [
        ("0", 0.0), (" 12.5 % ", 12.5), ("1e-3", 1e-3), ("60,5", 60.5), ("60,5 %", 60.5), ("0,125", 0.125),
        ("−3", -3.0), ("+.5", 0.5), (",5", 0.5), ("7.", 7.0), ("1000", 1000.0),
    ],
)  # fmt: skip
def test_a_number_is_typed(typed: str, guess: float) -> None:
    box = Predict("How much?", answer=20, unit="%")
    box._field.value = typed
    press(box)
    assert box.guess == guess
    assert box.sentence() == f"You said {guess:.4g} %, it is 20 %."


def test_the_unit_may_be_typed() -> None:
    assert read_number("12 points", "points") == 12
    assert read_number("12 points", "%") is None


@pytest.mark.parametrize(
    "typed", ["a lot", "nan", "inf", "1e999", "1_000", "1,000", "1.2.3", "1,2,3", "1 2", "%", "<b>"]
)
def test_what_is_no_number_is_no_guess(typed: str) -> None:
    box = Predict("How much?", answer=20)
    box._field.value = typed
    press(box)
    assert (box.guess, box.locked) == (None, False)
    assert f"“{html.escape(typed)}” is not a number" in box._verdict.value
    assert "20" not in box._verdict.value
    box._field.value = " "
    press(box)
    assert "guess first" in box._verdict.value


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from(["{}", " {} % ", "{} nats"]))
def test_every_number_is_read_back(number: float, form: str) -> None:
    assert read_number(form.format(number), "nats") == number
    if ",000" not in (comma := form.format(f"{number:.2f}").replace(".", ",")):
        assert read_number(comma, "nats") == float(f"{number:.2f}")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    number = read_number(text)
    assert number is None or math.isfinite(number)


def test_a_later_cell_reveals_the_answer() -> None:
    box = Predict("Which?", ("a", "b"), explain="Because.")
    assert "“a”" not in repr(box.reveal(0))
    box.lock("b")
    assert box._verdict.value == "You said “b”, it is “a”. Because."
    box = Predict("Which?", ("a", "b"))
    box.lock("b")
    assert box._verdict.value == "You said “b”. A later cell finds the answer."
    assert box.reveal(np.int64(0))._repr_html_() == "<p>You said “b”, it is “a”.</p>"
    assert box._verdict.value == "You said “b”, it is “a”."
    number = Predict("How much?", unit="%")
    number.lock(3)
    assert repr(number.reveal(np.float32(4.5))) == "You said 3 %, it is 4.5 %."


@pytest.mark.parametrize("place", [-1, 2])
def test_only_an_option_can_be_revealed(choice: Predict, place: int) -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        choice.reveal(place)
    with pytest.raises(UsageError, match="finite"):
        Predict("How much?").reveal(float("nan"))


def test_nothing_that_leaves_the_kernel_holds_the_answer_before_the_guess() -> None:
    box = Predict("Which <op>?", ("skip", "conv"), answer="skip", explain="It has no weights.")
    number = Predict("How many?", answer=8193, explain="Two to the 13, and one.")
    for asked, secrets in ((box, ("no weights", "“skip”")), (number, ("8193", "Two to"))):
        models = [asked, *asked.children]
        sent = json.dumps([str(each.get_state()) for each in models] + [str(asked._repr_mimebundle_())])
        assert not [secret for secret in secrets if secret in sent]


def test_without_a_kernel_the_question_is_read(choice: Predict) -> None:
    bundle = choice._repr_mimebundle_()
    assert bundle.pop("application/vnd.jupyter.widget-view+json")
    assert bundle == page("Which <op>?", ("skip", "conv"))
    assert bundle["text/plain"] == "Predict: Which <op>? / skip / conv"
    assert "Which &lt;op&gt;?" in bundle["text/html"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"options": ("a",)}, "at least two different options"),
        ({"options": ("a", "a")}, "at least two different options"),
        ({"options": ("a", "b"), "answer": "c"}, "not one of the options"),
        ({"answer": "c"}, "is a number"),
        ({"answer": True}, "is a number"),
    ],
)
def test_a_question_without_a_possible_answer_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Predict("?", **arguments)


def test_traits_are_typed_and_guesses_checked(choice: Predict) -> None:
    with pytest.raises(traitlets.TraitError):
        choice.locked = "yes"
    with pytest.raises(traitlets.TraitError):
        choice.guess = [1]
    with pytest.raises(UsageError, match="Make a guess first"):
        choice.lock()
    with pytest.raises(UsageError, match="not one of the options"):
        choice.lock("pool")
