"""Ask the reader for a guess before the answer is computed."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook.runtime.errors import UsageError

_NO_GUESS = "Make a guess first; a wrong one teaches as much as a right one."


class Predict(widgets.VBox):
    """A question, a structured guess (one option, or a number), and then "you said ..., it is ...".

    Nothing is graded. Without a kernel the box reads as the question with the answer folded under it.

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
        self._lock = widgets.Button(description="Lock my guess", tooltip="Keep this guess, then see the answer")
        self._lock.on_click(self._on_lock)
        self._verdict = widgets.HTML()
        self._field.observe(self._on_field, names="value")
        super().__init__(
            [widgets.HTML(f"<b>{html.escape(question)}</b>"), self._field, self._lock, self._verdict],
            question=question,
            options=options,
            answer=answer,
            explain=explain,
            unit=unit,
        )
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

    def reveal(self, answer: str | float, explain: str = "") -> Verdict:
        """Give the answer that a later cell has found.

        Returns:
            The sentence "You said ..., it is ...", for the cell to show.

        Raises:
            UsageError: the answer is not one of the options.
        """
        _check_answer(self.options, answer)
        self.answer, self.explain = answer, explain or self.explain
        return Verdict(self.sentence())

    def sentence(self) -> str:
        """ "You said ..., it is ... .", as far as guess and answer are known."""
        said = f"You said {self._text(self.guess)}," if self.locked else "You made no guess;"
        if self.answer is None:
            return f"{said} a later cell finds the answer."
        return f"{said} it is {self._text(self.answer)}. {self.explain}".strip()

    def _text(self, value: Any) -> str:
        return f"{value:.4g} {self.unit}".strip() if isinstance(value, int | float) else f"“{value}”"

    def _on_field(self, change: dict[str, Any]) -> None:
        if not self.locked:
            self.guess = change["new"] if self.options else _number(change["new"])

    def _on_lock(self, _button: Any) -> None:
        if self.guess is None:
            self._verdict.value = _NO_GUESS
        else:
            self.locked = True

    def _draw(self, _change: Any) -> None:
        if self.locked:
            self._field.value = self.guess if self.options else f"{self.guess:g}"
        self._field.disabled = self._lock.disabled = self.locked
        self._verdict.value = html.escape(self.sentence()) if self.locked else ""

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and beside it what a page without a kernel shows."""
        bundle = dict(super()._repr_mimebundle_(**kwargs) or {})
        choices = "".join(f"<li>{html.escape(option)}</li>" for option in self.options)
        folded = f"It is {self._text(self.answer)}. {self.explain}" if self.answer is not None else ""
        bundle["text/plain"] = " / ".join([f"Predict: {self.question}", *self.options])
        bundle["text/html"] = (
            f"<p><b>Predict: {html.escape(self.question)}</b></p>"
            + (f"<ul>{choices}</ul>" if choices else "")
            + (f"<details><summary>Answer</summary><p>{html.escape(folded)}</p></details>" if folded else "")
        )
        return bundle


class Verdict:
    """One sentence that a cell shows."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.text)}</p>"


def _number(text: str) -> float | None:
    try:
        return float(text.strip().rstrip("%"))
    except ValueError:
        return None


def _check_answer(options: Sequence[str], answer: str | float | None) -> None:
    if answer is None:
        return
    if options and answer not in options:
        raise UsageError(f"{answer!r} is not one of the options {', '.join(map(repr, options))}.")
    if not options and (isinstance(answer, bool) or not isinstance(answer, int | float)):
        raise UsageError(f"The prediction is a number, so {answer!r} cannot answer it.")
