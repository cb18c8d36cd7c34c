"""Every method of the book on one space: how good its cells are after training, beside what was published of it there.

Levels cannot be compared: published accuracies are on CIFAR-10 at paper size. Their order can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasbook.analysis.published_errors import published_errors
from nasbook.claims import entries, results
from nasbook.claims.stored_runs import runs
from nasbook.claims.verdicts import Interval, interval
from nasbook.runtime.errors import UsageError
from nasbook.runtime.resources import data_folder

CONTROLS = ("random", "convolutions", "without-none", "empty")  # cells that no method searched
# Studies that trained what methods found in a space.
STUDIES: dict[str, tuple[str, ...]] = {
    "nas-bench-201": ("method-order", "pt-nas-bench-201", "smoothing-nas-bench-201"),
    **{space: (space, f"pt-{space}") for space in ("s1", "s2", "s3", "s4")},
}


@dataclass(frozen=True)
class Standing:
    """One method, or one control, in one study.

    Args:
        method: the recipe's name, or one of `CONTROLS`.
        study: its id.
        space: that was searched.
        accuracies: seed to the test accuracy of the derived cell in percent, the mean where it was trained repeatedly.
        published: its accuracy on CIFAR-10 in the same space in percent; None where the lecture has none.
    """

    method: str
    study: str
    space: str
    accuracies: Mapping[int, float]
    published: float | None

    @property
    def control(self) -> bool:
        """Whether no method searched it."""
        return self.method in CONTROLS

    @property
    def interval(self) -> Interval:
        """The mean over seeds and its 95 % interval."""
        return interval(tuple(self.accuracies.values()))

    def minus(self, other: Standing) -> Interval:
        """The mean paired difference to another of the same study, in points, and its 95 % interval.

        Raises:
            UsageError: it is of another study, whose seeds say nothing about these.
        """
        if other.study != self.study:
            raise UsageError(
                f"Differences are paired within a study: {self.method} is of {self.study}, "
                f"{other.method} of {other.study}."
            )
        return interval(tuple(self.accuracies[seed] - other.accuracies[seed] for seed in self.accuracies))


def standings(*studies: str, folder: Path | None = None) -> tuple[Standing, ...]:
    """Everything that these studies trained, the best mean first; a study that is not measured yet adds nothing.

    Args:
        studies: ids of the ledger, as in `STUDIES`.
        folder: of results; the book's own without.

    Raises:
        UsageError: there is no such study, it trains no cells of methods, or its file is damaged or of other settings.
    """
    found = [each for study in studies for each in _of_study(study, folder)]
    return tuple(sorted(found, key=lambda each: -each.interval.mean))


def distinct(found: Iterable[Standing]) -> tuple[Standing, ...]:
    """The same without what another study measured before with the same seeds and, so, to the same digit."""
    once: list[Standing] = []
    for each in found:
        if (each.method, each.accuracies) not in [(other.method, other.accuracies) for other in once]:
            once.append(each)
    return tuple(once)


def not_measured(*studies: str, folder: Path | None = None) -> tuple[str, ...]:
    """Those of the ledger's studies of which nothing is stored.

    Args:
        studies: ids of the ledger.
        folder: of results; the book's own without.
    """
    known, place = entries.load().studies, folder or data_folder() / "results"
    return tuple(study for study in studies if study in known and not results.path(known[study], place).exists())


def _of_study(study: str, folder: Path | None) -> list[Standing]:
    if not_measured(study, folder=folder):
        return []
    measured = {run.seed: _trained(study, run.values) for run in runs(study, folder=folder)}
    names, space = list(next(iter(measured.values()))), str(entries.load().studies[study].settings["space"])
    published = {row.method: row.accuracy for row in published_errors() if (row.space, row.data) == (space, "cifar10")}
    return [
        Standing(
            name,
            study,
            space,
            {seed: cells[name] for seed, cells in measured.items()},
            None if name in CONTROLS else published.get(name),
        )
        for name in names
    ]


def _trained(study: str, values: Mapping[str, Any]) -> dict[str, float]:
    """Test accuracy (percent) of each method and control."""
    if "trained" not in values:
        raise UsageError(f"Study {study} trains no cells of methods; those that do are in claims.comparison.STUDIES.")
    derived = {"darts": values["derived"]} if "derived" in values else {}  # a study of DARTS alone
    return derived | {name: _mean(found) for name, found in values["trained"].items()}


def _mean(found: Any) -> float:
    return float(sum(found) / len(found)) if isinstance(found, list) else float(found)
