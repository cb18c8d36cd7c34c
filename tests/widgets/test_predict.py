from __future__ import annotations

from typing import Any

import pytest
import traitlets

from nasbook.runtime.errors import UsageError
from nasbook.widgets.predict import Predict


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
    assert button.disabled
    assert verdict.value == "You said “conv”, it is “skip”. It has no weights."
    field.value = "skip"
    assert choice.guess == "conv"


@pytest.mark.parametrize(("typed", "guess"), [("0", 0.0), (" 12.5 % ", 12.5), ("1e-3", 1e-3)])
def test_a_number_is_typed(typed: str, guess: float) -> None:
    box = Predict("How much?", answer=20, unit="%")
    box._field.value = typed
    press(box)
    assert box.guess == guess
    assert box.sentence() == f"You said {guess:.4g} %, it is 20 %."


def test_what_is_no_number_is_no_guess() -> None:
    box = Predict("How much?", answer=20)
    box._field.value = "a lot"
    press(box)
    assert (box.guess, box.locked) == (None, False)


def test_a_later_cell_reveals_the_answer(choice: Predict) -> None:
    box = Predict("Which?", ("a", "b"))
    assert box.sentence() == "You made no guess; a later cell finds the answer."
    assert repr(box.reveal("a", "Because.")) == "You made no guess; it is “a”. Because."
    box = Predict("Which?", ("a", "b"))
    box.lock("b")
    assert box._verdict.value == "You said “b”, a later cell finds the answer."
    assert box.reveal("a")._repr_html_() == "<p>You said “b”, it is “a”.</p>"
    assert box._verdict.value == "You said “b”, it is “a”."


def test_without_a_kernel_the_answer_is_folded(choice: Predict) -> None:
    bundle = choice._repr_mimebundle_()
    assert bundle["text/plain"] == "Predict: Which <op>? / skip / conv"
    assert "application/vnd.jupyter.widget-view+json" in bundle
    before, folded = bundle["text/html"].split("<details>")
    assert "Which &lt;op&gt;?" in before
    assert "no weights" not in before
    assert "It is “skip”. It has no weights." in folded
    assert "<details>" not in Predict("Which?", ("a", "b"))._repr_mimebundle_()["text/html"]


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
