"""The studies of bilevel optimisation: known rests of the example, counted passes, errors of the analysis."""

from __future__ import annotations

from typing import Any

import pytest

from nasbook.claims.studies import bilevel

NOTHING: dict[str, Any] = {"size": "class", "device": "cpu", "folder": None, "listeners": ()}


def test_the_rests_are_those_on_paper() -> None:
    found = bilevel.toy(0, {"steps": 400, "xi": 1.5, "small_xi": 0.1}, **NOTHING)
    assert found == pytest.approx({"first": 1.0, "second": 0.5, "second_small": 2 / 1.2 - 1}, abs=1e-6)


def test_errors_and_passes() -> None:
    settings = {"space": "s2", "batch": 8, "step": 0.05}
    found = bilevel.hypergradient_errors(1, settings, **NOTHING)
    for name in ("smooth", "relu"):
        assert found[f"{name}_advantage"] == found[f"{name}_first"] - found[f"{name}_second"]
        assert found[f"{name}_first"] > 0
    # First order: one pass for alpha, one for w, each forward and backward. Second order has three more.
    assert found["passes"] == 5 / 2
    assert found["time"] > 1
    again = bilevel.hypergradient_errors(1, settings, **NOTHING)
    assert again["relu_second"] == pytest.approx(found["relu_second"], rel=1e-6)
    # Without a look-ahead step first order is exact.
    none = bilevel.hypergradient_errors(1, {**settings, "step": 0.0}, **NOTHING)
    assert none["smooth_first"] == none["relu_first"] == 0
