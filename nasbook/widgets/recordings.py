"""A search as a microscope sees it: its space, and one record an epoch, from memory, a run folder or a live run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasbook import spaces
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.runtime.run_folder import RunFolder
from nasbook.spaces import SearchSpace, TopologySpace

NEEDED = ("epoch", "train_accuracy", "valid_accuracy", "alpha", "weights", "genotype")


@dataclass
class Recording:
    """The epochs of one search, so far.

    Args:
        title: what a picture calls it.
        space: what was searched.
        records: as `Search` writes them, in order; a live run adds to them.
        folder: where the run is kept, if it is.

    Raises:
        UsageError: a record lacks what is shown, or belongs to another space.
    """

    title: str
    space: SearchSpace | TopologySpace
    records: list[dict[str, Any]] = field(default_factory=list)
    folder: Path | None = None

    def __post_init__(self) -> None:
        records, self.records = self.records, []
        for record in records:
            self.add(record)

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one more epoch."""
        missing = [key for key in NEEDED if key not in record]
        if missing:
            raise UsageError(f"A record of {self.title} lacks {missing[0]!r}; a search records {', '.join(NEEDED)}.")
        for group, cell in self.space.groups.items():
            rows = record["weights"].get(group, [])
            if [len(row) for row in rows] != [cell.shape[1]] * cell.shape[0]:
                raise UsageError(
                    f"Epoch {record['epoch']} of {self.title} does not belong to space {self.space.name} with "
                    f"{self.space.edges} edges: its {group} weights have another shape."
                )
        self.records.append(dict(record))

    @property
    def epochs(self) -> int:
        """The number of the last epoch that is done, counted from 1."""
        return self.records[-1]["epoch"] if self.records else 0

    def at(self, epoch: int) -> dict[str, Any] | None:
        """The record of an epoch, or of the nearest before it; None while no epoch is done.

        A live recording of a search that was resumed begins in the middle: before that its first record is given.
        """
        found = [record for record in self.records if record["epoch"] <= epoch] or self.records[:1]
        return found[-1] if found else None

    def reload(self) -> None:
        """Read what a run that is kept in a folder has added."""
        if self.folder is not None:
            fresh = read(self.folder)
            self.space, self.records = fresh.space, fresh.records


def read(folder: Path | str) -> Recording:
    """The search in a run folder, finished or still under way.

    Args:
        folder: as `nasbook search --run` made it; its name becomes the title.

    Raises:
        UsageError: there is no search in this folder.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} is not a run folder: it has no config.json.")
    config = files.read_json(folder / "config.json")
    if not isinstance(config, dict) or config.get("command") != "search":
        raise UsageError(f"{folder} does not hold a search.")
    numbers = config["search"]
    space = spaces.get(config["space"], nodes=numbers["nodes"], reduction=numbers["reduction"])
    return Recording(folder.name, space, RunFolder(folder, config).history("search"), folder)


def recording(run: Any, *, space: SearchSpace | TopologySpace | None, title: str) -> Recording:
    """A recording of whatever a reader has of a run.

    Args:
        run: a run folder, the outcome of `experiment.search`, or its list of records.
        space: of a run that is not a folder.
        title: of a run that is not a folder.

    Raises:
        UsageError: there is no search in the folder, or records come without their space.
    """
    if isinstance(run, Recording):
        return run
    if isinstance(run, str | Path):
        return read(run)
    if space is None:
        raise UsageError("Records do not say which space they belong to: give space=.")
    return Recording(title, space, list(getattr(run, "history", run)))
