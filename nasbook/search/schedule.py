"""Learning rates over a run."""

from __future__ import annotations

import math


def cosine(start: float, end: float, progress: float) -> float:
    """A learning rate annealed from `start` to `end` by half a cosine; a function of progress, so nothing to save."""
    return end + (start - end) * (1.0 + math.cos(math.pi * progress)) / 2.0
