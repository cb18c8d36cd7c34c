"""Values of the usual types mean what they mean, and others are refused by name."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook.runtime import values
from nasbook.runtime.errors import UsageError


@pytest.mark.parametrize(
    "three", [3, 3.0, np.int8(3), np.uint64(3), np.float32(3), np.array(3), torch.tensor(3), Fraction(3), Decimal(3)]
)
def test_a_whole_number_may_be_of_any_type_of_numbers(three: Any) -> None:
    for found in (values.cast("n", three, int), values.whole("n", three, 1, 3), values.seed(three)):
        assert (found, type(found)) == (3, int)
    assert type(values.cast("n", three, float)) is float


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text(), st.none(), st.binary()))
def test_what_is_taken_is_equal_and_of_the_kind_that_is_asked_for(value: Any) -> None:
    for kind in (bool, int, float, str, type(None)):
        try:
            found = values.cast("x", value, kind)
        except UsageError:
            assert not isinstance(value, kind) or isinstance(value, bool)
        else:
            assert type(found) is kind
            assert found == value or value != value or isinstance(value, int)  # a large number is rounded


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (True, (int, float)),
        (np.bool_(False), (int,)),
        (2.5, (int,)),
        (float("inf"), (int,)),
        (np.float64("nan"), (int,)),
        ("3", (int, float)),
        (1, (bool, str)),
        (np.array([1]), (int,)),
        (None, (int,)),
        (1j, (float,)),
    ],
)
def test_another_meaning_is_refused(value: Any, kinds: tuple[type, ...]) -> None:
    with pytest.raises(UsageError, match="threads must be "):
        values.cast("threads", value, *kinds)


def test_truth_values_words_and_none_of_numpy() -> None:
    assert values.cast("x", np.bool_(True), bool) is True
    assert type(values.cast("x", np.str_("s2"), str)) is str
    assert values.cast("x", None, int, type(None)) is None


@pytest.mark.parametrize("value", [-1, 2**32, 1.5, True, None, "0"])
def test_a_seed_out_of_range_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="seed must be a whole number"):
        values.seed(value)


def test_a_path_may_be_text_or_a_path_and_is_not_empty() -> None:
    assert values.path("root", "a") == values.path("root", Path("a")) == Path("a")
    for wrong in ("", "  ", "a\0b", None, 3, b"a"):
        with pytest.raises(UsageError, match="root must be a path"):
            values.path("root", wrong)
