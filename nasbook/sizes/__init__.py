"""The two sizes, and the one table of numbers: `class` runs on a laptop in minutes, `paper` is as published.

Nothing else in the package or in a notebook holds a hyperparameter of a search or of a training.
"""

from __future__ import annotations

from dataclasses import replace

from nasbook.runtime.errors import UsageError
from nasbook.sizes.class_size import CLASS, CLASS_METHODS
from nasbook.sizes.numbers import LIMITS, Numbers, SearchNumbers, TrainNumbers, override
from nasbook.sizes.paper_size import PAPER, PAPER_CELLS, PAPER_METHODS, PAPER_TRAININGS
from nasbook.sizes.size import Size

SIZES = {
    "class": replace(CLASS, methods=CLASS_METHODS),
    "paper": replace(PAPER, methods=PAPER_METHODS, trainings=PAPER_TRAININGS, cells=PAPER_CELLS),
}


def get(name: str) -> Size:
    """A size by name.

    Raises:
        UsageError: there is no such size.
    """
    if name not in SIZES:
        raise UsageError(f"Size {name!r} does not exist; there are {' and '.join(SIZES)}.")
    return SIZES[name]


__all__ = ["LIMITS", "SIZES", "Numbers", "SearchNumbers", "Size", "TrainNumbers", "get", "override"]
