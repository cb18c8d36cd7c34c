"""The lecture's two tables of systems on CIFAR-10, with sources and with the lecture's own inconsistencies as notes."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder

FAMILIES = ("human design", "random search", "reinforcement learning", "evolution", "gradient")


@dataclass(frozen=True)
class PublishedMethod:
    """One system as published.

    Args:
        name: how this book calls it; the recipe's name where the system runs here.
        title: how the lecture calls it.
        paper: authors and year.
        year: of publication.
        family: one of `FAMILIES`: how the architecture was found.
        error_percent: test error on CIFAR-10, in percent.
        error_std: its standard deviation, where one is given.
        gpu_days: cost of the search on one GPU, in days; None where none is given.
        params_million: parameters of the network, in millions.
        source: where the row was read.
        note: what to know before comparing it.
    """

    name: str
    title: str
    paper: str
    year: int
    family: str
    error_percent: float
    error_std: float | None
    gpu_days: float | None
    params_million: float | None
    source: str
    note: str


@cache
def published_methods() -> tuple[PublishedMethod, ...]:
    """All systems of `data/published_methods.csv`, in the lecture's order: its main table, then the other methods.

    Raises:
        UsageError: the file is missing or malformed; the sentence names the line.
    """
    return read_published(data_folder() / "published_methods.csv")


def read_published(path: Path) -> tuple[PublishedMethod, ...]:
    """Read such a file.

    Raises:
        UsageError: it is missing or malformed; the sentence names the line.
    """
    wanted = [field.name for field in fields(PublishedMethod)]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != wanted:
                raise UsageError(f"{path.name} must have the columns {', '.join(wanted)}.")
            rows = tuple(_row(row, f"{path.name}, line {reader.line_num}") for row in reader)
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist.") from None
    names = [row.name for row in rows]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise UsageError(f"{path.name} lists {sorted(repeated)[0]!r} twice.")
    return rows


def _row(row: dict[str, str], where: str) -> PublishedMethod:
    if None in row or None in row.values():
        raise UsageError(f"{where}: the row does not have as many fields as there are columns.")
    if row["family"] not in FAMILIES:
        raise UsageError(f"{where}: the family is {row['family']!r}; it must be one of {', '.join(FAMILIES)}.")
    try:
        return PublishedMethod(
            name=row["name"],
            title=row["title"],
            paper=row["paper"],
            year=int(row["year"]),
            family=row["family"],
            error_percent=float(row["error_percent"]),
            error_std=_optional(row["error_std"]),
            gpu_days=_optional(row["gpu_days"]),
            params_million=_optional(row["params_million"]),
            source=row["source"],
            note=row["note"],
        )
    except ValueError as error:
        raise UsageError(f"{where}: {error}.") from None


def _optional(text: str) -> float | None:
    return float(text) if text else None
