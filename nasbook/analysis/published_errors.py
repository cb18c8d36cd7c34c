"""What searches are published to have found in the spaces of this part of the book: test errors, from the lecture.

S1 to S4 (Zela et al. 2020; errors as in Wang et al. 2021): the best of four searches, chosen by a short training.
NAS-Bench-201 (Dong & Yang 2020; as in Chen et al. 2021): searched on each data set, errors looked up in the benchmark.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from nasbook.runtime import resources
from nasbook.runtime.errors import UsageError


@dataclass(frozen=True)
class PublishedError:
    """One method in one space on one data set.

    Args:
        space: its name in `spaces.names()`.
        data: the data set.
        method: the recipe's name, or "resnet", "random", or "optimum" for the best architecture of the space.
        test_error: of the network that came out, trained from scratch, in percent.
        spread: its standard deviation over searches, where one is given.
        source: where the row was read.
    """

    space: str
    data: str
    method: str
    test_error: float
    spread: float | None
    source: str

    @property
    def accuracy(self) -> float:
        """The test accuracy, in percent."""
        return 100.0 - self.test_error


@cache
def published_errors() -> tuple[PublishedError, ...]:
    """All rows of `data/published_errors.csv`, in the lecture's order."""
    with (resources.data_folder() / "published_errors.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_read(row) for row in csv.DictReader(file))


def published_error(space: str, data: str, method: str) -> PublishedError:
    """One row.

    Raises:
        UsageError: there is none; the sentence says what there is.
    """
    found = {(row.space, row.data, row.method): row for row in published_errors()}
    if (space, data, method) not in found:
        here = [" ".join(key) for key in found if key[0] == space] or dict.fromkeys(key[0] for key in found)
        raise UsageError(f"No error of {method} in {space} on {data} is stored; there are {', '.join(here)}.")
    return found[space, data, method]


def _read(row: dict[str, str]) -> PublishedError:
    return PublishedError(
        space=row["space"],
        data=row["data"],
        method=row["method"],
        test_error=float(row["test_error"]),
        spread=float(row["spread"]) if row["spread"] else None,
        source=row["source"],
    )
