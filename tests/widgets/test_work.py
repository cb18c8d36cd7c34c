"""Work that takes long: it is said, and clicks made meanwhile do nothing."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from nasbook.widgets import page, work
from nasbook.widgets.work import LONG, WORDS, Work


@pytest.fixture
def clicked_at(monkeypatch):
    """Let clicks carry a time, in seconds of the browser's clock, which is an hour fast."""
    begin = datetime(2000, 1, 1, 13, tzinfo=UTC)

    def at(seconds):
        date = begin + timedelta(seconds=seconds)
        kernel = SimpleNamespace(get_parent=lambda _channel: {"header": {"date": date}})
        monkeypatch.setattr(work, "get_ipython", lambda: SimpleNamespace(kernel=kernel))

    return at


def wait_for(condition):
    """Until it is so; at most ten seconds, on a machine that does other things too."""
    for _ in range(1000):
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_long_work_is_said_and_short_work_is_not():
    made = Work()
    with made:
        pass
    time.sleep(LONG + 0.1)
    assert made.shown.value == ""
    with made:
        with made:
            assert wait_for(lambda: made.shown.value == WORDS)
            assert page.BUSY in made.shown._dom_classes
        assert made.shown.value == WORDS  # the outer work still goes on
    assert made.shown.value == ""
    assert page.BUSY not in made.shown._dom_classes


def test_a_failure_ends_the_work():
    made, said = Work(), []

    def fail():
        said.append(wait_for(lambda: made.shown.value == WORDS))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        made.clicked(fail)
    assert said == [True]
    assert made.shown.value == ""


def test_clicks_during_long_work_are_ignored_and_later_ones_are_not(clicked_at):
    made, done = Work(), []
    clicked_at(0)
    made.clicked(lambda: (done.append("first"), time.sleep(LONG + 0.2)))
    for seconds in (0.1, 0.4):
        clicked_at(seconds)
        made.clicked(lambda: done.append("impatient"))
    clicked_at(5)
    made.clicked(lambda: done.append("later"))
    assert done == ["first", "later"]


def test_quick_clicks_all_count(clicked_at):
    made, done = Work(), []
    for place in range(5):
        clicked_at(place / 1000)
        made.clicked(lambda: done.append(1))
    assert len(done) == 5


def test_clicks_without_a_browser_all_count():
    made, done = Work(), []
    for _ in range(2):
        made.clicked(lambda: (done.append(1), time.sleep(LONG + 0.05)))
    assert len(done) == 2
