"""Ask the reader for a guess before the answer is computed."""

from __future__ import annotations

import html
import math
import operator
import re
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook.runtime.errors import UsageError

_NO_GUESS = "Make a guess first; a wrong one teaches as much as a right one."
_LOCK, _LOCKED = "Lock my guess", "Guess locked"
_TO_GUESS = "Run this cell to guess. The answer is shown when your guess is locked."

# Arrow keys choose a radio button, but JupyterLab also moves to another cell by them. Widgets have no Python interface
# for keys. So this hidden picture, which cannot be loaded, runs a script that keeps the arrow keys in its box.
_KEEP_ARROWS = """<img src="data:," alt="" hidden onerror="
this.closest('.nasbook-predict').addEventListener('keydown', event => {
  if (event.target.type === 'radio' && event.key.startsWith('Arrow')) event.stopPropagation();
});">"""


class Predict(widgets.VBox):
    """A question, a structured guess (one option, or a number), and then "you said ..., it is ...".

    Nothing is graded. The answer is shown only when a guess is locked; without a kernel the box reads as the question.

    Args:
        question: one question.
        options: the choices, at least two; without them the guess is a number.
        answer: one of the options, or the number; None until a later cell calls `reveal`.
        explain: one or two sentences on why.
        unit: of the number, like "%".

    Raises:
        UsageError: fewer than two options, options that repeat, or an answer that is not one of them.
    """

    question = traitlets.Unicode()
    options = traitlets.Tuple()
    guess = traitlets.Union([traitlets.Unicode(), traitlets.Float()], default_value=None, allow_none=True)
    answer = traitlets.Union([traitlets.Unicode(), traitlets.Float()], default_value=None, allow_none=True)
    explain = traitlets.Unicode()
    unit = traitlets.Unicode()
    locked = traitlets.Bool(False)

    def __init__(
        self,
        question: str,
        options: Sequence[str] | None = None,
        *,
        answer: str | float | None = None,
        explain: str = "",
        unit: str = "",
    ) -> None:
        options = tuple(options or ())
        if len(options) == 1 or len(set(options)) != len(options):
            raise UsageError("A prediction needs at least two different options, or none for a number.")
        _check_answer(options, answer)
        if options:
            self._field = widgets.RadioButtons(options=options, value=None, layout={"width": "max-content"})
        else:
            self._field = widgets.Text(placeholder=f"a number {unit}".strip(), layout={"width": "14em"})
        self._lock = widgets.Button(description=_LOCK, tooltip="Keep this guess, then see the answer")
        self._lock.on_click(self._on_lock)
        self._verdict = widgets.HTML()
        self._field.observe(self._on_field, names="value")
        super().__init__(
            [widgets.HTML(f"<b>{html.escape(question)}</b>{_KEEP_ARROWS}"), self._field, self._lock, self._verdict],
            question=question,
            options=options,
            answer=answer,
            explain=explain,
            unit=unit,
        )
        self.add_class("nasbook-predict")
        self.observe(self._draw, names=["guess", "answer", "explain", "locked"])

    def state(self) -> dict[str, Any]:
        """The question and what the reader has said so far."""
        return {"question": self.question, "guess": self.guess, "locked": self.locked, "answer": self.answer}

    def lock(self, guess: str | float | None = None) -> None:
        """Keep the guess (or the one given) and show the answer.

        Raises:
            UsageError: nothing was guessed, or the guess is not one of the options.
        """
        guess = self.guess if guess is None else guess
        if guess is None:
            raise UsageError(_NO_GUESS)
        _check_answer(self.options, guess)
        self.guess, self.locked = guess, True

    def reveal(self, found: float) -> Verdict:
        """Take the answer that a later cell has computed.

        Args:
            found: the number asked for, or the place of the right option, counted from 0.

        Returns:
            The sentence of `sentence`, for the cell to show.

        Raises:
            UsageError: no option has this place, or the number is not finite.
        """
        self.answer = self._option(found) if self.options else _finite(found)
        return Verdict(self.sentence())

    def sentence(self) -> str:
        """ "You said ..., it is ... .", with what is known so far. Without a locked guess the answer is not given."""
        if not self.locked:
            return "You have no locked guess. Lock one in the box of the question, and it shows the answer."
        if self.answer is None:
            return f"You said {self._text(self.guess)}. A later cell finds the answer."
        return f"You said {self._text(self.guess)}, it is {self._text(self.answer)}. {self.explain}".strip()

    def _option(self, place: Any) -> str:
        if not 0 <= operator.index(place) < len(self.options):
            raise UsageError(f"The place of an option is from 0 to {len(self.options) - 1}, not {place}.")
        return str(self.options[operator.index(place)])

    def _text(self, value: Any) -> str:
        return f"{value:.4g} {self.unit}".strip() if isinstance(value, int | float) else f"“{value}”"

    def _on_field(self, change: dict[str, Any]) -> None:
        if not self.locked:
            self.guess = change["new"] if self.options else read_number(change["new"], self.unit)

    def _on_lock(self, _button: Any) -> None:
        if self.locked:
            return
        typed = "" if self.options else self._field.value.strip()
        if self.guess is not None:
            self.locked = True
        elif typed:
            self._verdict.value = html.escape(f"“{typed}” is not a number. Write one like 60.5 or 1000.")
        else:
            self._verdict.value = _NO_GUESS

    def _draw(self, _change: Any) -> None:
        if self.locked:
            self._field.value = self.guess if self.options else f"{self.guess:g}"
            self._lock.description = _LOCKED  # a disabled button would lose the focus of the keyboard
        self._field.disabled = self.locked
        self._verdict.value = html.escape(self.sentence()) if self.locked else ""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and what a page without a kernel shows instead: never the answer."""
        live = super()._repr_mimebundle_(**kwargs) or {}
        return {**live, **page(self.question, self.options)}


def page(question: str, options: Sequence[str]) -> dict[str, str]:
    """What a notebook shows of a prediction where no kernel runs, by MIME type."""
    choices = "".join(f"<li>{html.escape(option)}</li>" for option in options)
    return {
        "text/plain": " / ".join([f"Predict: {question}", *options]),
        "text/html": (
            f"<p><b>Predict: {html.escape(question)}</b></p>"
            + (f"<ul>{choices}</ul>" if choices else "")
            + f"<p>{_TO_GUESS}</p>"
        ),
    }


class Verdict:
    """One sentence that a cell shows."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.text)}</p>"


_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def read_number(text: str, unit: str = "") -> float | None:
    """The number that a reader typed, with a decimal point or comma, or None.

    The unit and a percent sign may follow. "1,000" is no number: readers disagree on whether it is 1 or a thousand.
    """
    plain = text.strip().replace("\N{MINUS SIGN}", "-").removesuffix(unit).rstrip().removesuffix("%").rstrip()
    if not _NUMBER.fullmatch(plain) or _THOUSANDS.fullmatch(plain):
        return None
    number = float(plain.replace(",", "."))
    return number if math.isfinite(number) else None


def _finite(found: Any) -> float:
    number = float(found)
    if not math.isfinite(number):
        raise UsageError(f"The answer to a prediction is a finite number, not {number}.")
    return number


def _check_answer(options: Sequence[str], answer: str | float | None) -> None:
    if answer is None:
        return
    if options and answer not in options:
        raise UsageError(f"{answer!r} is not one of the options {', '.join(map(repr, options))}.")
    if not options and (isinstance(answer, bool) or not isinstance(answer, int | float)):
        raise UsageError(f"The prediction is a number, so {answer!r} cannot answer it.")
