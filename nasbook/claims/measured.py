"""What the stored results say of one number, wherever a study measured it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasbook.claims import entries, results
from nasbook.claims.verdicts import Interval, interval
from nasbook.runtime.resources import data_folder


@dataclass(frozen=True)
class Measured:
    """One number of one study.

    Args:
        study: its id.
        settings: of the study.
        size: "class" or "paper".
        seeds: that were measured.
        values: one a seed.
    """

    study: str
    settings: dict[str, Any]
    size: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def interval(self) -> Interval:
        """The mean and its interval."""
        return interval(self.values)


def measured(function: str, value: str, *, folder: Path | None = None) -> list[Measured]:
    """A number of every study with this function that has stored it; empty while none has.

    Args:
        function: of `nasbook.claims.studies.STUDIES`.
        value: the number's name.
        folder: of results; the book's own without.

    Raises:
        UsageError: a file of results is damaged or of other settings.
    """
    found = []
    for study in entries.load().studies.values():
        stored = results.read(study, folder or data_folder() / "results") if study.function == function else None
        runs = [run for run in stored["runs"] if value in run["values"]] if stored else []
        if stored and runs:
            seeds, values = zip(*((run["seed"], float(run["values"][value])) for run in runs), strict=True)
            found.append(Measured(study.id, study.settings, stored["study"]["size"], seeds, values))
    return found
