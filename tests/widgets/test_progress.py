"""The line under a running cell."""

import pytest

import nasbook
from nasbook.runtime.events import EpochEnded, Finished, Started, Stepped
from nasbook.widgets.progress import Progress, duration

RECORD = {"train_loss": 1.25, "train_accuracy": 40.0, "valid_accuracy": 43.21, "seconds": 2.0}


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shown():
    return []


@pytest.fixture
def progress(clock, shown):
    return Progress(show=shown.append, clock=clock)


def run_epoch(progress, clock, epoch, *, steps=4, seconds=2.0, epochs=5):
    for step in range(1, steps + 1):
        clock.now += seconds / steps
        progress(Stepped("search", epoch, step, steps))
    progress(EpochEnded("search", epoch, epochs, RECORD))


def test_it_tells_epoch_loss_accuracy_and_time_left(progress, clock, shown):
    progress(Started("search", 5, 0))
    run_epoch(progress, clock, 1)
    assert shown == [progress.line]
    assert progress.seconds_left() == pytest.approx(8.0)
    assert "search: epoch 1/5, train loss 1.250, valid accuracy 43.2 %, 8 s left" in progress.line.value
    assert '<progress value="4" max="20"' in progress.line.value


def test_a_resumed_run_counts_the_time_of_this_sitting_alone(progress, clock):
    progress(Started("search", 5, 3))
    run_epoch(progress, clock, 4, seconds=6.0)
    assert progress.seconds_left() == pytest.approx(6.0)


def test_each_stage_gets_a_line_of_its_own(progress, clock, shown):
    progress(Started("search", 5, 0))
    run_epoch(progress, clock, 1)
    progress(Finished("search", 75.0))
    first = progress.line
    progress(Started("train", 8, 0))
    assert shown == [first, progress.line]
    assert first is not progress.line
    assert "done in 1 min 15 s" in first.value


def test_an_epoch_of_a_selection_is_called_a_decision(progress):
    progress(Started("select", 6, 0))
    progress(Stepped("select", 1, 1, 1))
    progress(EpochEnded("select", 1, 6, RECORD))
    assert "select: decision 1/6" in progress.line.value


def test_it_does_not_tell_every_step(progress, clock):
    progress(Started("search", 1, 0))
    told = []
    progress.line.observe(lambda change: told.append(change["new"]), names="value")
    for step in range(1, 101):
        clock.now += 0.01
        progress(Stepped("search", 1, step, 100))
    assert len(told) == 4  # one second of steps, a message each quarter


def test_without_a_kernel_it_reads_as_words(progress):
    bundle = progress.line._repr_mimebundle_()
    assert "epoch, loss, accuracy and time left" in bundle["text/plain"]


@pytest.mark.parametrize(("seconds", "text"), [(7.6, "8 s"), (80, "1 min 20 s"), (7500, "2 h 5 min")])
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def test_a_chapter_has_one_listener_for_all_its_runs():
    session = nasbook.start("06")
    assert isinstance(session.progress, Progress)
    assert session.progress is session.progress
