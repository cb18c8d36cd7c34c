"""Pictures of black-box searches, by what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nasbook import spaces, strategies
from nasbook.figures.strategies import generations, ranking, wiring
from nasbook.strategies import early
from nasbook.strategies.early import Generation


def small_table() -> strategies.Table:
    space = spaces.get("s2", nodes=1, reduction="fixed")
    valid = [(40.0, 44.0), (20.0, 22.0), (60.0, 58.0), (50.0, 50.0)]
    entries = [
        {
            "genotype": str(genotype),
            "valid": pair,
            "test": [pair[0] - 1, pair[1] - 1],
            "params": 1,
            "macs": 1,
            "seconds": [1.0, 1.0],
        }
        for genotype, pair in zip(strategies.architectures(space), valid)
    ]
    stored = {"space": "s2", "nodes": 1, "reduction": "fixed", "architectures": entries, "numbers": {}}
    return strategies.read_table({**stored, "manifest": {"seeds": [0, 1]}}, "small")


def test_the_ranking_is_sorted_and_shows_every_training() -> None:
    picture = ranking(small_table())
    first, second, mean, test = (line.get_ydata() for line in picture.axes[0].lines)
    assert list(mean) == [21.0, 42.0, 50.0, 59.0]
    assert list(first) == [20.0, 40.0, 50.0, 60.0]
    assert list(second) == [22.0, 44.0, 50.0, 58.0]
    np.testing.assert_allclose(test, mean - np.ones(4))
    assert "rises from 21.0 % to 59.0 %" in picture.alt
    assert "2.0 points apart on average" in picture.alt  # ranges of 4, 2, 2 and 0


def test_generations_show_every_member_and_the_mean() -> None:
    members = torch.zeros(2, 4, 4, dtype=torch.bool)
    errors = [torch.tensor([50.0, 30.0]), torch.tensor([10.0, 0.0])]
    picture = generations([Generation(members, each, each) for each in errors], baseline=2.0)
    lines = picture.axes[0].lines
    assert [list(line.get_ydata()) for line in lines[:3]] == [[50.0, 30.0], [10.0, 0.0], [40.0, 5.0]]
    assert list(lines[3].get_ydata()) == [2.0, 2.0]
    assert "from 40.0 % in the random first generation to 5.0 % in the last" in picture.alt
    assert "every wire has 2.0 %" in picture.alt


@pytest.mark.parametrize("hidden", [1, 4])
def test_a_wiring_has_an_arrow_for_each_wire(hidden: int) -> None:
    wires = early.allowed(hidden)
    wires[2] = False
    picture = wiring(wires)
    texts = picture.axes[0].texts
    assert sum(text.get_text() == "" for text in texts) == int(wires.sum())
    assert [text.get_text() for text in texts if text.get_text()][:3] == ["x", "y", "h1"]
    assert f"with {int(wires.sum())} of {int(wires.sum()) + 2} possible wires. Nothing feeds h1." in picture.alt
