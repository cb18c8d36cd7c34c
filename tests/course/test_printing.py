from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook.course.printing import near_rounding_edge, show, text_of
from nasbook.runtime.errors import UsageError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (0.5, "0.5000"),
        (12345.6, "1.235e+04"),
        (1234.4, "1234"),
        (4611926, "4,611,926"),
        (True, "True"),
        (torch.tensor(True), "True"),
        (np.float32(2.0), "2.000"),
        (-3e-17, "0"),
        (-0.0, "0"),
        (float("nan"), "nan"),
        (None, "None"),
        ("text stays", "text stays"),
        ([1, 0.25, "a"], "1  0.2500  a"),
        ((), "(empty)"),
        (torch.Size([2, 3]), "2  3"),
        (torch.tensor([[1.0, 22.0], [-3.0, 0.5]]), " 1.000   22.00\n-3.000  0.5000"),
        (torch.tensor([[[1, 2]], [[3, 4]]]), "[1, 2]\n[3, 4]"),
    ],
)
def test_text_of_one_value(value: object, text: str) -> None:
    assert text_of(value) == text


def test_labels_and_values_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    show("first", skip_weight=0.25, n=3, rows=torch.eye(2, dtype=torch.float64))
    assert capsys.readouterr().out == (
        "first\nskip weight  0.2500\nn            3\nrows         1.000      0\n                 0  1.000\n"
    )


def test_digits_can_be_fewer(capsys: pytest.CaptureFixture[str]) -> None:
    show(0.123456, digits=2)
    assert capsys.readouterr().out == "0.12\n"
    with pytest.raises(UsageError, match="at least 1"):
        show(1.0, digits=0)


def test_what_has_no_reproducible_text_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot print a object"):
        show(object())


def test_values_near_a_rounding_edge_are_reported() -> None:
    assert near_rounding_edge([0.12345, {"a": 0.1235, "b": torch.tensor([1.0005, 2.0], dtype=torch.float64)}]) == [
        0.12345,
        1.0005,
    ]
    assert near_rounding_edge(0.12345 * (1 + 5e-7)) != []
    assert near_rounding_edge(0.12345 * (1 + 2e-6)) == []
    assert near_rounding_edge(-98765.0) == [-98765.0]
    assert near_rounding_edge([0.0, 1e-15, float("inf"), float("nan"), 12345, True]) == []


@given(st.floats(1e-9, 1e9), st.floats(-9e-7, 9e-7))
def test_a_number_far_from_every_edge_prints_the_same_after_a_small_change(number: float, change: float) -> None:
    if not near_rounding_edge(number):
        assert text_of(number) == text_of(number * (1 + change))


def test_an_edge_stops_the_making_of_the_book_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(loss=0.12345)
    assert capsys.readouterr().out.startswith("loss")
    monkeypatch.setenv("NASBOOK_EDGES", "1")
    with pytest.raises(UsageError, match=r"0\.12345 sits on a rounding edge at 4 digits"):
        show(loss=0.12345)
