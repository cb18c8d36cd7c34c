"""What a step costs with each method, as ratios."""

import json

import pytest

from nasbook import sizes
from nasbook.claims.studies import methods

SETTINGS = {"space": "s2", "methods": ["darts", "rsps"], "repeats": 1}


def test_ratios_are_those_of_the_series(monkeypatch):
    small = sizes.SIZES["class"]
    numbers = sizes.override(small.search, {"images": 128, "channels": 4, "layers": 3, "batch": 16})
    monkeypatch.setitem(sizes.SIZES, "class", sizes.replace(small, search=numbers))
    values = methods.study(0, SETTINGS, size="class", device="cpu", folder=None, listeners=())
    json.dumps(values, allow_nan=False)
    assert values["methods"] == ["darts", "rsps"]
    assert values["rsps_memory"] == pytest.approx(values["saved_mib"][1] / values["saved_mib"][0])
    assert values["rsps_time"] == pytest.approx(values["seconds"][1] / values["seconds"][0])
    assert values["rsps_memory"] < 1
    assert values["device_mib"] == [None, None]
