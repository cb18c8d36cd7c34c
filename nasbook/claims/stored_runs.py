"""The stored runs of a study, for the pictures and tables of a chapter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasbook.claims import entries, results
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder


@dataclass(frozen=True)
class Run:
    """One seed of a study.

    Args:
        seed: of the run.
        values: what the study's function returned: numbers that claims read, and series and texts beside them.
    """

    seed: int
    values: dict[str, Any]


def runs(study: str, *, folder: Path | None = None) -> tuple[Run, ...]:
    """The stored runs of a study, seed by seed.

    Args:
        study: its id in `data/claims.toml`.
        folder: of results; the book's own without.

    Raises:
        UsageError: there is no such study, it is not measured yet, or its file is damaged or of other settings.
    """
    ledger = entries.load()
    if study not in ledger.studies:
        raise UsageError(f"There is no study {study!r}; there are {', '.join(ledger.studies)}.")
    stored = results.read(ledger.studies[study], folder or data_folder() / "results")
    if stored is None:
        raise UsageError(f"Study {study} is not measured yet: nasbook claims measure {study} --folder data/results.")
    return tuple(Run(run["seed"], run["values"]) for run in stored["runs"])
