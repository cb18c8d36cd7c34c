"""The study of scoring together, on few images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nasbook import sizes
from nasbook.claims.studies import scoring


@pytest.fixture
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    size = sizes.get("class")
    monkeypatch.setattr(sizes, "get", lambda name: replace(size, search=replace(size.search, images=256)))


@pytest.mark.usefixtures("few_images")
def test_both_ways_are_timed_in_one_run_and_give_the_same_losses():
    settings = {"spaces": ["s2", "nas-bench-1shot1-1"], "repeats": 1}
    values = scoring.study(0, settings, size="class", device="cpu", folder=None, listeners=())
    assert set(values) == {"s2_speedup", "nas-bench-1shot1-1_speedup", "apart"}
    assert values["s2_speedup"] > 0
    assert 0 <= values["apart"] < 1e-4


@pytest.mark.usefixtures("few_images")
def test_losses_that_differ_are_found_out(monkeypatch: pytest.MonkeyPatch):
    true = scoring.scores

    def off(*arguments, scoring):
        found = true(*arguments, scoring="one-by-one")
        return [replace(each, loss=each.loss * 1.01) for each in found] if scoring == "together" else found

    monkeypatch.setattr(scoring, "scores", off)
    values = scoring.study(0, {"spaces": ["s2"], "repeats": 1}, size="class", device="cpu", folder=None, listeners=())
    assert values["apart"] == pytest.approx(0.01, rel=0.01)
