"""The study of what K operations cost."""

from __future__ import annotations

import pytest

from nasbook.claims.studies import operations


def test_ratios_are_those_of_the_series() -> None:
    settings = {"operations": [1, 2, 3], "repeats": 1}
    found = operations.study(0, settings, size="class", device="cpu", folder=None, listeners=())
    saved, path = found["saved_mib"], found["path_saved_mib"]
    assert found["memory_ratio"] == saved[2] / saved[0]
    assert found["time_ratio"] == found["seconds"][2] / found["seconds"][0]
    assert found["path_memory_ratio"] == pytest.approx(1, rel=1e-3)
    assert path[0] == pytest.approx(saved[0], rel=1e-3)
    assert found["memory_growth"] == pytest.approx(1, rel=1e-3)
    assert found["operations"] == [1, 2, 3]
