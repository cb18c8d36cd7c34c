"""A chapter while it is read: `nb = nasbook.start("04")`."""

from __future__ import annotations

import os
import random
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
from nasbook.course.predictions import find_prediction
from nasbook.runtime import devices, threads
from nasbook.runtime.errors import UsageError

if TYPE_CHECKING:
    from nasbook.claims.table import LedgerTable
    from nasbook.course.method_card import MethodCard
    from nasbook.widgets.predict import Predict, Verdict
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
    predictions: dict[str, Predict] = field(default_factory=dict, repr=False)
    verdicts: dict[str, str] = field(default_factory=dict, repr=False)
    _found: dict[str, float] = field(default_factory=dict, repr=False)

    @property
    def preset(self) -> sizes.Size:
        """The numbers of this size (epochs, channels, layers, batch, ...): chapters ask, they never branch."""
        return sizes.get(self.size)

    @cached_property
    def progress(self) -> Progress:
        """A listener that shows epoch, loss, accuracy and time left under the cell that runs a search or a training."""
        from nasbook.widgets.progress import Progress

        return Progress()

    def predict(self, prediction_id: str) -> Predict:
        """Ask for a guess before the run that answers it; ungraded, kept in `predictions`.

        The question, its options and, where it is known, its answer stand in the package's data: neither this cell nor
        its output shows the answer before the reader has locked a guess.

        Args:
            prediction_id: like "04.1".

        Returns:
            A box of widgets; without a kernel it reads as the question and its options.

        Raises:
            UsageError: this chapter has no such prediction.
        """
        from nasbook.widgets.predict import Predict

        asked = find_prediction(prediction_id, self.chapter.number)
        box = Predict(asked.question, asked.options, answer=asked.answer, explain=asked.explain, unit=asked.unit)
        if prediction_id in self._found:
            box.reveal(self._found[prediction_id])
        self.predictions[prediction_id] = box
        return box

    def reveal(self, prediction_id: str, found: float) -> Verdict:
        """Hand a prediction the answer that this chapter has computed, after the result is shown.

        Args:
            prediction_id: like "04.1", of a prediction whose data have no answer.
            found: the number asked for, or, where there are options, the place of the right one, counted from 0.

        Returns:
            The reader's guess and the answer in one sentence; without a locked guess it does not give the answer.

        Raises:
            UsageError: this chapter has no such prediction, its answer is in the data, or no option has this place.
        """
        if find_prediction(prediction_id, self.chapter.number).answer is not None:
            raise UsageError(f"The answer to prediction {prediction_id} is in its data; nothing is left to reveal.")
        box = self.predictions.get(prediction_id) or self.predict(prediction_id)
        verdict = box.reveal(found)
        self._found[prediction_id] = found
        return verdict

    def check(self, exercise_id: str, attempt: Any) -> None:
        """Check an exercise of this chapter and print the verdict in one sentence.

        Args:
            exercise_id: like "04.1".
            attempt: the reader's function or value.

        Raises:
            UsageError: this chapter has no such exercise.
        """
        self.verdicts[exercise_id], sentence = self._judge(exercise_id, attempt)
        print(sentence)

    def check_solution(self, exercise_id: str, solution: Any) -> None:
        """Check the book's own solution of an exercise. The reader's verdict does not change.

        Args:
            exercise_id: like "04.1".
            solution: the book's function or value.

        Raises:
            UsageError: this chapter has no such exercise.
        """
        _, sentence = self._judge(exercise_id, solution)
        print(f"The book's solution of {sentence.removeprefix('Exercise ')}")

    def _judge(self, exercise_id: str, attempt: Any) -> tuple[str, str]:
        exercise = find_exercise(exercise_id)
        if exercise not in exercises_of(self.chapter.number):
            raise UsageError(f"Exercise {exercise_id} belongs to another chapter than {self.chapter.number}.")
        return judge(exercise, attempt)

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
    torch.set_num_threads(threads.default(size, device))
    seed_everything()
    style.use()
    out_of_order.explain_name_errors(chapter)
    print(
        f"Chapter {chapter.number}: {chapter.title} | {size} size on {device} | "
        f"nasbook {nasbook.__version__}, torch {torch.__version__.partition('+')[0]} | "
        f"about {chapter.minutes} minutes in class"
    )
    return ChapterSession(chapter=chapter, size=size, device=device)
