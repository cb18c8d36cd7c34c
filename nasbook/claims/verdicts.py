"""From the numbers of some seeds to a verdict.

A verdict looks at the 95 % interval of the mean (Student's t over the seeds), and never at the mean alone:

- `holds`: the whole interval is on the expected side of the threshold.
- `weak`: the mean is on that side, a part of the interval is not. One seed alone is weak at best.
- `fails`: the mean is on the other side, or on the threshold. It says "not at this size, with these settings".
- `not measured`: there is no number.

A deterministic measurement has no chance in it: its interval goes from its least to its largest value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nasbook.claims.entries import ABOVE

HOLDS, WEAK, FAILS, NOT_MEASURED = "holds", "weak", "fails", "not measured"
LEVEL = 0.95
ZERO = 1e-12  # what float64 arithmetic leaves of an exact zero


@dataclass(frozen=True)
class Interval:
    """A mean and where it may lie.

    Args:
        mean: over the seeds.
        low, high: ends of the interval; infinite where one seed says nothing about the spread.
    """

    mean: float
    low: float
    high: float

    @property
    def spread(self) -> float | None:
        """Half the length of the interval; None where it is not known."""
        half = (self.high - self.low) / 2
        return half if math.isfinite(half) else None

    def words(self, unit: str, *, exact: bool = False) -> str:
        """The mean and half of the interval, "23.1 ± 4.2 points"; of a deterministic measurement the mean alone."""
        mean = f"{0.0 if abs(self.mean) < ZERO else self.mean:.3g}"
        if exact:
            return f"{mean} {unit}".rstrip()
        if self.spread is None:
            return f"{mean} {unit}".rstrip() + " (one seed)"
        return f"{mean} ± {self.spread:.2g} {unit}".rstrip()


def interval(values: Sequence[float], *, exact: bool = False) -> Interval:
    """The mean and its interval.

    Args:
        values: one a seed, at least one.
        exact: the measurement is deterministic.
    """
    mean = sum(values) / len(values)
    if exact:
        return Interval(mean, min(values), max(values))
    if len(values) == 1:
        return Interval(mean, -math.inf, math.inf)
    from scipy import stats

    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * math.sqrt(variance / len(values))
    return Interval(mean, mean - half, mean + half)


def verdict(found: Interval | None, *, expect: str, threshold: float) -> str:
    """The verdict on a claim.

    Args:
        found: None where nothing was measured.
        expect: "above" or "below".
        threshold: of the claim.
    """
    if found is None:
        return NOT_MEASURED
    sign = 1 if expect == ABOVE else -1
    if all(sign * end > sign * threshold for end in (found.low, found.high)):
        return HOLDS
    return WEAK if sign * found.mean > sign * threshold else FAILS
