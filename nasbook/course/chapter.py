"""A chapter while it is read: `nb = nasbook.start("04")`."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import nasbook
from nasbook import sizes
from nasbook.course import out_of_order, printing
from nasbook.course.book import Chapter, load_book
from nasbook.course.exercises import exercises_of, find_exercise, judge
from nasbook.runtime import devices
from nasbook.runtime.errors import UsageError

if TYPE_CHECKING:
    from nasbook.claims.table import LedgerTable
    from nasbook.course.method_card import MethodCard
    from nasbook.widgets.predict import Predict
    from nasbook.widgets.progress import Progress


def seed_everything(seed: int = 0) -> None:
    """Seed Python's, numpy's and torch's global generators, for code that a reader writes.

    The package itself draws from generators that it is handed. Each cell of a chapter that draws makes its own, so
    that a cell run twice, or after others, gives the same result.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  the reader's own numpy code draws from the global state
    torch.manual_seed(seed)


@dataclass
class ChapterSession:
    """What a chapter's cells ask for: its size and device, predictions, exercises and compared output.

    Args:
        chapter: the entry of `book.yml`.
        size: "class" or "paper".
        device: where searches of this session run.
    """

    chapter: Chapter
    size: str
    device: torch.device
    predictions: list[Predict] = field(default_factory=list, repr=False)
    verdicts: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def preset(self) -> sizes.Size:
        """The numbers of this size (epochs, channels, layers, batch, ...): chapters ask, they never branch."""
        return sizes.get(self.size)

    @cached_property
    def progress(self) -> Progress:
        """A listener that shows epoch, loss, accuracy and time left under the cell that runs a search or a training."""
        from nasbook.widgets.progress import Progress

        return Progress()

    def predict(
        self,
        question: str,
        options: Sequence[str] | None = None,
        *,
        answer: str | float | None = None,
        explain: str = "",
        unit: str = "",
    ) -> Predict:
        """Ask for a guess before the run that answers it; ungraded, kept in `predictions`.

        Args:
            question: one question.
            options: the choices; without them the guess is a number.
            answer: one of the options, or the number; leave it out where a later cell computes it and calls
                `box.reveal(answer)`.
            explain: one or two sentences on why, shown with the answer.
            unit: of the number, like "%".

        Returns:
            A box of widgets; without a kernel it reads as the question with the answer folded under it.

        Raises:
            UsageError: fewer than two options, or an answer that is not one of them.
        """
        from nasbook.widgets.predict import Predict

        box = Predict(question, options, answer=answer, explain=explain, unit=unit)
        # a cell that is run again asks the same question again: the ledger holds it once
        self.predictions = [asked for asked in self.predictions if asked.question != question]
        self.predictions.append(box)
        return box

    def check(self, exercise_id: str, attempt: Any) -> None:
        """Check an exercise of this chapter and print the verdict in one sentence.

        Args:
            exercise_id: like "04.1".
            attempt: the reader's function or value.

        Raises:
            UsageError: this chapter has no such exercise.
        """
        exercise = find_exercise(exercise_id)
        if exercise not in exercises_of(self.chapter.number):
            raise UsageError(f"Exercise {exercise_id} belongs to another chapter than {self.chapter.number}.")
        self.verdicts[exercise_id], sentence = judge(exercise, attempt)
        print(sentence)

    def claims(self) -> LedgerTable:
        """This chapter's part of the claims ledger, with the verdicts of the stored results (`nasbook claims`).

        Raises:
            UsageError: the ledger has no claim of this chapter.
        """
        from nasbook.claims import entries, findings
        from nasbook.claims.table import LedgerTable

        return LedgerTable(tuple(findings.findings(entries.load(), chapter=self.chapter.number)))

    def card(self, name: str) -> MethodCard:
        """The card of a method: what it does, where in the code, what was published and measured (`nasbook methods`).

        Args:
            name: of a method that runs here, like "gdas".

        Raises:
            UsageError: there is no card of this name.
        """
        from nasbook.course.method_card import method_card

        return method_card(name)

    def show(self, *values: object, digits: int = printing.DIGITS, **labelled: object) -> None:
        """Print compared values: `nasbook.show`."""
        printing.show(*values, digits=digits, **labelled)


def start(number: str) -> ChapterSession:
    """Open a chapter: threads, seeds, plot style, and one line that says where this runs.

    `NASBOOK_SIZE` is "class" (default: a laptop's CPU, embedded data) or "paper" (the fastest device here), and
    `NASBOOK_DEVICE` names another device.

    Args:
        number: the chapter's number ("04") or name.

    Raises:
        UsageError: there is no such chapter, size or device.
    """
    from nasbook.figures import style

    chapter = load_book().chapter(number)
    size = os.environ.get("NASBOOK_SIZE", "class")
    if size not in sizes.SIZES:
        raise UsageError(f"NASBOOK_SIZE is {size!r}; it must be one of {', '.join(sizes.SIZES)}.")
    device = devices.pick(os.environ.get("NASBOOK_DEVICE", "cpu" if size == "class" else "auto"))
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)  # at class size a second thread costs more than it gives, and changes last digits
    seed_everything()
    style.use()
    out_of_order.explain_name_errors(chapter)
    print(
        f"Chapter {chapter.number}: {chapter.title} | {size} size on {device} | "
        f"nasbook {nasbook.__version__}, torch {torch.__version__.partition('+')[0]} | "
        f"about {chapter.minutes} minutes in class"
    )
    return ChapterSession(chapter=chapter, size=size, device=device)
