"""The ledger in a picture: bars as long as there are claims, parted by verdicts that are told apart without colour."""

import pytest

from nasbook.claims.table import VERDICTS
from nasbook.figures import ledger
from nasbook.runtime.errors import UsageError

COUNTS = {
    "06": {"holds": 5, "weak": 1, "fails": 0, "not measured": 0},
    "07": {"holds": 0, "weak": 2, "fails": 1, "not measured": 3},
}


def test_bars_are_counts_in_the_order_of_the_verdicts():
    picture = ledger.verdicts(COUNTS, ylabel="chapter")
    (ax,) = picture.axes
    widths = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert widths == [[5, 0], [1, 2], [0, 1], [0, 3]]
    lefts = [[bar.get_x() for bar in bars] for bars in ax.containers]
    assert lefts == [[0, 0], [5, 0], [6, 2], [6, 3]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["06", "07"]
    assert sorted(text.get_text() for text in ax.texts) == ["1", "1", "2", "3", "5"]  # no number for nothing
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(VERDICTS)
    assert ax.get_ylabel() == "chapter"


def test_verdicts_differ_in_more_than_hue():
    looks = {(mark[1], mark[0] == "#D9D9D9") for mark in ledger.MARKS.values()}
    assert len(looks) == len(VERDICTS)


def test_the_words_give_every_number():
    alt = ledger.verdicts(COUNTS, ylabel="chapter").alt
    assert "Of 12 claims 5 hold, 3 are weak, 1 fails and 3 are not measured." in alt
    assert "06: 5 hold and 1 is weak; 07: 2 are weak, 1 fails and 3 are not measured." in alt


def test_an_empty_ledger_is_refused():
    with pytest.raises(UsageError, match="no claim to count"):
        ledger.verdicts({}, ylabel="chapter")
