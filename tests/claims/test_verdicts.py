"""The verdict rule, against intervals worked out with a printed table of Student's t."""

from __future__ import annotations

import math

import pytest

from nasbook.claims.verdicts import Interval, interval, verdict


def test_intervals_worked_out_by_hand() -> None:
    three = interval([1.0, 2.0, 3.0])  # standard deviation 1, t with 2 degrees of freedom 4.303
    assert three.mean == 2
    assert three.spread == pytest.approx(4.303 / math.sqrt(3), abs=1e-3)
    assert (three.low + three.high) / 2 == pytest.approx(2)
    two = interval([9.0, 11.0])  # standard deviation sqrt(2), t with 1 degree of freedom 12.706
    assert two.spread == pytest.approx(12.706, abs=1e-3)
    five = interval([4.0, 4.0, 4.0, 4.0, 9.0])  # standard deviation sqrt(5), t with 4 degrees of freedom 2.776
    assert (five.low, five.high) == pytest.approx((5 - 2.776, 5 + 2.776), abs=1e-3)
    assert interval([7.0, 7.0]) == Interval(7.0, 7.0, 7.0)


def test_one_seed_says_nothing_about_the_spread_unless_it_is_exact() -> None:
    one = interval([3.0])
    assert (one.mean, one.low, one.high, one.spread) == (3.0, -math.inf, math.inf, None)
    assert interval([3.0], exact=True) == Interval(3.0, 3.0, 3.0)
    assert interval([3.0, 5.0], exact=True) == Interval(4.0, 3.0, 5.0)


@pytest.mark.parametrize(
    ("values", "exact", "above", "below"),
    [
        ([9.9, 10.0, 10.1], False, "holds", "fails"),  # 10 ± 0.25
        ([1.0, 2.0, 3.0], False, "fails", "weak"),  # 2 ± 2.48
        ([7.0, 7.0, 7.0], False, "holds", "fails"),
        ([4.0, 6.0, 8.0], False, "weak", "fails"),  # 6 ± 4.97
        ([100.0], False, "weak", "fails"),
        ([-100.0], False, "fails", "weak"),
        ([4.0], False, "fails", "fails"),  # on the threshold is on neither side
        ([4.1], True, "holds", "fails"),
        ([3.9, 4.3], True, "weak", "fails"),  # not deterministic after all
        ([4.0], True, "fails", "fails"),
        ([], False, "not measured", "not measured"),
    ],
)
def test_the_whole_interval_decides(values: list[float], exact: bool, above: str, below: str) -> None:
    found = interval(values, exact=exact) if values else None
    assert verdict(found, expect="above", threshold=4.0) == above
    assert verdict(found, expect="below", threshold=4.0) == below
    turned = interval([-value for value in values], exact=exact) if values else None
    assert verdict(turned, expect="below", threshold=-4.0) == above
