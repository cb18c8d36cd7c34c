"""The systems that the lecture names, with what its tables say of them on CIFAR-10, sources and inconsistencies."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder

FAMILIES = ("human design", "random search", "reinforcement learning", "evolution", "gradient")


COLUMNS = (
    *("name", "title", "paper", "year", "family", "error_percent", "error_std", "gpu_days", "params_million"),
    *("source", "note"),
)


@dataclass(frozen=True)
class NamedMethod:
    """One system that the lecture names.

    Args:
        name: how this book calls it; the recipe's name where the system runs here.
        title: how the lecture calls it.
        paper: authors and year.
        year: of publication.
        family: one of `FAMILIES`: how the architecture was found.
        source: where the row was read.
        note: what to know before comparing it.
    """

    name: str
    title: str
    paper: str
    year: int
    family: str
    source: str
    note: str


@dataclass(frozen=True)
class PublishedMethod(NamedMethod):
    """One system with the error that it is published to reach.

    Args:
        error_percent: test error on CIFAR-10, in percent.
        error_std: its standard deviation, where one is given.
        gpu_days: cost of the search on one GPU, in days; None where none is given.
        params_million: parameters of the network, in millions.
    """

    error_percent: float
    error_std: float | None
    gpu_days: float | None
    params_million: float | None


@cache
def named_methods() -> tuple[NamedMethod, ...]:
    """All systems of `data/published_methods.csv`, in the lecture's order: its main table, then the other methods.

    Those that stand only in a table of another space than CIFAR-10's are between, where that table has them, without
    an error.

    Raises:
        UsageError: the file is missing or malformed; the sentence names the line.
    """
    return read_named(data_folder() / "published_methods.csv")


def published_methods() -> tuple[PublishedMethod, ...]:
    """Those of `named_methods` with a published error on CIFAR-10, in the same order.

    Raises:
        UsageError: as for `named_methods`.
    """
    return tuple(row for row in named_methods() if isinstance(row, PublishedMethod))


def read_named(path: Path) -> tuple[NamedMethod, ...]:
    """Read such a file.

    Raises:
        UsageError: it is missing or malformed; the sentence names the line.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise UsageError(f"{path.name} must have the columns {', '.join(COLUMNS)}.")
            rows = tuple(_row(row, f"{path.name}, line {reader.line_num}") for row in reader)
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist.") from None
    names = [row.name for row in rows]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise UsageError(f"{path.name} lists {sorted(repeated)[0]!r} twice.")
    return rows


def _row(row: dict[str, str], where: str) -> NamedMethod:
    if None in row or None in row.values():
        raise UsageError(f"{where}: the row does not have as many fields as there are columns.")
    if row["family"] not in FAMILIES:
        raise UsageError(f"{where}: the family is {row['family']!r}; it must be one of {', '.join(FAMILIES)}.")
    try:
        year, error = int(row["year"]), _optional(row["error_percent"])
        figures = [_optional(row[name]) for name in ("error_std", "gpu_days", "params_million")]
    except ValueError as problem:
        raise UsageError(f"{where}: {problem}.") from None
    named = (row["name"], row["title"], row["paper"], year, row["family"], row["source"], row["note"])
    if error is not None:
        return PublishedMethod(*named, error, *figures)
    if any(figure is not None for figure in figures):
        raise UsageError(f"{where}: a row without an error has no other figures either.")
    return NamedMethod(*named)


def _optional(text: str) -> float | None:
    return float(text) if text else None
