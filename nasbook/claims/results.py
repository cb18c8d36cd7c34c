"""The stored numbers of a study: one file, replaced whole after every seed.

{"manifest": {...}, "study": {"function", "settings", "size"}, "runs": [{"seed", "seconds", "device", "values"}]}
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nasbook.claims.entries import Study
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError


def identity(study: Study, size: str) -> dict[str, Any]:
    """What must be equal for two runs to stand in one file."""
    return {"function": study.function, "settings": study.settings, "size": size}


def path(study: Study, folder: Path) -> Path:
    """The file of a study in a folder of results."""
    return folder / f"{study.id}.json"


def read(study: Study, folder: Path, *, size: str | None = None) -> dict[str, Any] | None:
    """What is stored of a study, or None. If a seed is stored twice, its first run counts.

    Args:
        study: the entry of the ledger.
        folder: of results.
        size: the size that it must be of; any without.

    Raises:
        UsageError: the file is damaged, or holds results of other settings or of another size.
    """
    place = path(study, folder)
    try:
        if not place.exists():
            return None
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {files.reason(error)}.") from None
    stored = files.read_json(place)
    try:
        known = {key: stored["study"][key] for key in ("function", "settings", "size")}
        runs = {run["seed"]: run for run in reversed(stored["runs"])}
        right = isinstance(stored["runs"], list) and isinstance(known["size"], str) and all(map(_is_run, runs.values()))
    except (KeyError, TypeError):
        right = False
    if not right:
        raise UsageError(f"{place} is not a file of results: name another folder, or rename it.")
    wanted = identity(study, size or known["size"])
    differing = [key for key in wanted if known[key] != wanted[key]]
    if differing:
        raise UsageError(
            f"{place} holds results of study {study.id} with another {differing[0].removesuffix('s')}: "
            "name another folder, or remove the file to measure again."
        )
    return {"manifest": {}, **stored, "runs": [runs[seed] for seed in sorted(runs)]}


def _is_run(run: Any) -> bool:
    """Whether a stored run is as `measure` writes it."""
    kinds: dict[str, Any] = {"seed": int, "seconds": (int, float), "device": str, "values": dict}
    return isinstance(run, dict) and all(
        isinstance(run.get(key), kind) and not isinstance(run[key], bool) for key, kind in kinds.items()
    )


def write(study: Study, folder: Path, stored: dict[str, Any]) -> None:
    """Replace the file of a study: a run a line, so that pictures' series do not fill pages."""
    head = json.dumps({"manifest": stored["manifest"], "study": stored["study"]}, indent=2)
    runs = ",\n    ".join(json.dumps(run, allow_nan=False) for run in stored["runs"])
    files.write_text(path(study, folder), f'{head[:-2]},\n  "runs": [\n    {runs}\n  ]\n}}\n')
