"""What a terminal, and a log, are shown of a run."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator

import pytest

from nasbook.runtime.events import EpochEnded, Event, Finished, Started, Stepped
from nasbook.runtime.progress import scores, terminal_progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def run(epochs: int, *, done: int = 0, steps: int = 3, valid: bool = True) -> Iterator[Event]:
    """The events of a stage whose epochs take two seconds each."""
    yield Started("search", epochs, done)
    for epoch in range(done + 1, epochs + 1):
        for step in range(1, steps + 1):
            yield Stepped("search", epoch, step, steps)
        record = {"train_loss": 2.0 / epoch, "train_accuracy": 10.0 * epoch, "seconds": 2.0}
        record |= {"valid_accuracy": 5.0 * epoch} if valid else {}
        yield EpochEnded("search", epoch, epochs, record)
    yield Finished("search", 2.0 * epochs)


def shown(stream: io.StringIO, events: Iterator[Event]) -> str:
    with terminal_progress(stream) as listener:
        for event in events:
            listener(event)
    return stream.getvalue()


def test_a_log_gets_one_line_an_epoch() -> None:
    assert shown(io.StringIO(), run(4, done=1)).splitlines() == [
        "search: epoch 2/4, train loss 1.000, valid accuracy 10.0 %, 4 s left",
        "search: epoch 3/4, train loss 0.667, valid accuracy 15.0 %, 2 s left",
        "search: epoch 4/4, train loss 0.500, valid accuracy 20.0 %, 0 s left",
    ]


def test_an_epoch_of_a_selection_is_called_a_decision() -> None:
    def selection() -> Iterator[Event]:
        yield Started("select", 2, 0)
        yield Stepped("select", 1, 1, 1)
        yield EpochEnded("select", 1, 2, {"train_loss": 1.0, "valid_accuracy": 20.0, "seconds": 3.0})

    assert shown(io.StringIO(), selection()) == (
        "select: decision 1/2, train loss 1.000, valid accuracy 20.0 %, 3 s left\n"
    )
    assert "select: decision 1/2" in shown(Terminal(), selection())


def test_the_bar_of_a_selection_ends_with_its_last_decision_which_takes_no_step() -> None:
    def selection() -> Iterator[Event]:
        yield Started("select", 2, 0)
        for step in (1, 2):
            yield Stepped("select", 1, step, 2)
        yield EpochEnded("select", 1, 2, {"train_loss": 1.0, "valid_accuracy": 20.0, "seconds": 3.0})
        yield EpochEnded("select", 2, 2, {"valid_accuracy": 30.0, "seconds": 1.0})
        yield Finished("select", 4.0)

    last = re.split(r"[\r\n]+", shown(Terminal(), selection()))[-2]
    assert last.startswith("select: decision 2/2")
    assert "█" * 20 in last


def test_without_validation_images_the_training_accuracy_is_shown() -> None:
    assert "train accuracy 10.0 %" in shown(io.StringIO(), run(1, valid=False))


def test_what_instruments_recorded_is_shown_where_it_is_a_number() -> None:
    record = {"train_loss": 1.0, "valid_accuracy": 20.0, "eigenvalue": 0.1234, "skip_weight": None}
    assert scores(record) == "train loss 1.000, valid accuracy 20.0 %, eigenvalue 0.123"


def test_a_terminal_gets_a_bar_that_ends_full_with_the_last_scores() -> None:
    frames = re.split(r"[\r\n]+", shown(Terminal(), run(4, done=2)))
    assert frames[-2].startswith("search: epoch 4/4")
    assert "train loss 0.500, valid accuracy 20.0 %" in frames[-2]
    assert "00:00 left" in frames[-2]
    assert "█" * 20 in frames[-2]
    assert "█" * 10 in frames[1]  # two of the four epochs were done before
    assert "█" * 15 not in frames[1]


def test_a_new_stage_gets_a_new_bar() -> None:
    def both() -> Iterator[Event]:
        yield from run(2)
        yield Started("train", 1, 0)
        yield Stepped("train", 1, 1, 1)
        yield EpochEnded("train", 1, 1, {"train_loss": 0.5, "train_accuracy": 90.0, "seconds": 1.0})
        yield Finished("train", 1.0)

    text = shown(Terminal(), both())
    assert "search: epoch 2/2" in text
    assert "train: epoch 1/1" in text
    assert text.count("\n") == 2


def test_an_interrupted_run_leaves_its_bar_on_a_line_of_its_own() -> None:
    def interrupted() -> Iterator[Event]:
        yield from itertools.islice(run(4), 5)
        raise KeyboardInterrupt

    stream = Terminal()
    with pytest.raises(KeyboardInterrupt):
        shown(stream, interrupted())
    assert stream.getvalue().endswith("\n")


def test_a_stage_with_nothing_left_shows_nothing() -> None:
    for stream in (Terminal(), io.StringIO()):
        assert shown(stream, run(2, done=2)) == ""
