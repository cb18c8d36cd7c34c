"""The entries: what is read, and one clear sentence for whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nasbook.claims import entries
from nasbook.claims.entries import Ledger
from nasbook.runtime.errors import UsageError

Write = Callable[[str], Path]


def test_entries_are_read_with_their_defaults(ledger: Ledger) -> None:
    assert list(ledger.studies) == ["heights", "depths"]
    heights, depths = ledger.studies.values()
    assert heights.settings == {"base": 10.0, "deep": {"list": [1, 2]}}
    assert (heights.size, heights.sizes, heights.accelerator) == ("class", ["class", "paper"], True)
    assert (depths.sizes, depths.accelerator) == (["class"], False)
    deep, high = ledger.claims  # by chapter: the file has them the other way round
    assert (high.id, high.threshold, high.exact) == ("06.high", 5, False)
    assert deep.exact


def test_studies_are_chosen_by_claims_or_by_their_own_ids_each_once(ledger: Ledger) -> None:
    heights, depths = ledger.studies.values()
    assert ledger.chosen([]) == [heights, depths]
    assert ledger.chosen(["05.deep", "depths", "06.high"]) == [depths, heights]
    with pytest.raises(UsageError, match=r"'07.x' is neither .*studies are heights, depths\."):
        ledger.chosen(["06.high", "07.x"])
    assert [claim.id for claim in ledger.of_chapter("05")] == ["05.deep"]
    with pytest.raises(UsageError, match="No claim is of chapter '07'; there are claims of 05, 06"):
        ledger.of_chapter("07")
    assert ledger.values_of(heights) == ["height"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'study = "depths"',
            'study = "widths"',
            "Claim 05.deep: there is no study 'widths'; there are heights, depths.",
        ),
        ('id = "05.deep"', 'id = "06.high"', "Claim 06.high: the id of a claim is its chapter"),
        ('id = "05.deep"\nchapter = "05"', 'id = "06.high"\nchapter = "06"', "Claim 06.high stands there twice"),
        ('id = "05.deep"\n', "", "Claim number 2: the key id is missing."),
        ('statement = "It is deep."\n', "", "Claim 05.deep: the key statement is missing."),
        ('statement = "It is deep."', "statement = 3", "Claim 05.deep: statement is text, not 3."),
        ("threshold = 0.0", "threshold = nan", "Claim 05.deep: threshold is a finite number, not nan."),
        ("threshold = 0.0", "threshold = true", "Claim 05.deep: threshold is a finite number, not True."),
        ("exact = true", "exact = 1", "Claim 05.deep: exact is true or false, not 1."),
        ('"below"', '"under"', "Claim 05.deep: expect is above or below, not 'under'."),
        ("exact = true", 'colour = "red"', "Claim 05.deep: there is no key 'colour'; there are id, chapter,"),
        ("seeds = [5]", "seeds = []", "Study depths: seeds are whole numbers"),
        ("seeds = [5]", "seeds = [5, 5]", "Study depths: seeds are whole numbers"),
        ("seeds = [5]", 'seeds = ["5"]', "Study depths: seeds is a list of whole numbers, not ['5']."),
        ("seeds = [5]\n", "", "Study depths: the key seeds is missing."),
        ('chosen_on = "nothing"', "", "Study depths: the key chosen_on is missing."),
        (
            'size = "class"',
            'size = "paper"',
            "Study depths: size is one of sizes, and these are among class and paper.",
        ),
        ('sizes = ["class"]', 'sizes = ["class", "wall"]', "Study depths: size is one of sizes"),
        ("{ base = -10.0 }", "{ base = 2026-11-24 }", "Study depths: settings are plain values"),
        ("{ base = -10.0 }", "{ base = inf }", "Study depths: settings are plain values"),
        ("[study.depths]", '[study."../depths"]', "Study ../depths: a study is named with small letters"),
        ("[study.heights]", "[studies.heights]", "holds tables [study.ID] and [[claim]] and nothing else"),
        ("[study.heights]", "[study.heights", "is not a readable TOML file"),
    ],
)
def test_a_wrong_entry_is_named_in_one_sentence(write: Write, text: str, old: str, new: str, said: str) -> None:
    assert text.count(old) == 1
    with pytest.raises(UsageError) as caught:
        entries.load(write(text.replace(old, new)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value).rstrip(".")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        entries.load(tmp_path / "nothing.toml")
