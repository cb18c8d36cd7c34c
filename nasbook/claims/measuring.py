"""Studies measured seed by seed: what is stored stays, what was interrupted goes on."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nasbook.claims import results
from nasbook.claims.entries import Ledger, Study
from nasbook.claims.studies import STUDIES
from nasbook.runtime import devices, files, values
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import Listener
from nasbook.runtime.lock import Lock
from nasbook.runtime.manifest import manifest
from nasbook.runtime.threads import default, scope


def measure(
    ledger: Ledger,
    studies: Sequence[Study],
    *,
    folder: Path,
    seeds: Sequence[int] | None = None,
    size: str | None = None,
    device: str = "auto",
    threads: int | None = None,
    listeners: Iterable[Listener] = (),
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Measure studies and store their numbers after every seed; seeds that are there are not measured again.

    Everything that can be refused is refused before the first measurement.

    Args:
        ledger: its claims say which numbers a study must give.
        studies: of the ledger.
        folder: of results.
        seeds: instead of each study's own.
        size: "class" or "paper", instead of each study's own.
        device: "auto", "cpu", "cuda" or "mps".
        threads: number of CPU threads to compute with; by default `runtime.threads.default`.
        listeners: told what happens in searches and trainings.
        report: is handed a line before each seed.

    Raises:
        UsageError: a study has no such function or size, the device is not here, a file is of other settings, or
            nothing can be written to the folder.
    """
    where = devices.pick(device).type
    threads = None if threads is None else values.whole("threads", threads, 1, values.MOST_THREADS)
    asked = [
        _Measurement(
            study,
            needed=ledger.values_of(study),
            folder=folder,
            seeds=tuple(dict.fromkeys(seeds or study.seeds)),
            size=size or study.size,
            device=where if study.accelerator else "cpu",
        )
        for study in studies
    ]
    for each in asked:
        each.check()
    files.check_folder(folder)
    for each in asked:
        with scope(threads or default(each.size, torch.device(each.device))):
            each.run(tuple(listeners), report)


@dataclass(frozen=True)
class _Measurement:
    """One study at one size on one device; `needed` are the numbers that claims read."""

    study: Study
    needed: Sequence[str]
    folder: Path
    seeds: tuple[int, ...]
    size: str
    device: str

    def check(self) -> None:
        """Refuse what cannot be measured, or not into this folder."""
        study = self.study
        if study.function not in STUDIES:
            known = ", ".join(STUDIES)
            raise UsageError(f"Study {study.id}: there is no function {study.function!r}; there are {known}.")
        if self.size not in study.sizes:
            raise UsageError(f"Study {study.id} is measured at {' and '.join(study.sizes)} size, not at {self.size}.")
        self.stored()

    def stored(self) -> dict[str, Any]:
        """What is there already."""
        found = results.read(self.study, self.folder, size=self.size)
        return found or {"manifest": {}, "study": results.identity(self.study, self.size), "runs": []}

    def run(self, listeners: Sequence[Listener], report: Callable[[str], None]) -> None:
        """Measure and store the seeds that are missing."""
        seconds: list[float] = []
        missing = [seed for seed in self.seeds if not self._has(seed)]
        if not missing:
            report(f"{self.study.id}: every seed is measured already.")
        for place, seed in enumerate(missing):
            mean = sum(seconds) / len(seconds) if seconds else 0.0
            left = f", about {mean * (len(missing) - place):.0f} s left" if seconds else ""
            report(f"{self.study.id}: seed {seed} ({place + 1} of {len(missing)}){left}")
            start = time.perf_counter()
            with self._told():
                self._measure(seed, listeners)
            seconds.append(time.perf_counter() - start)

    def _has(self, seed: int) -> bool:
        return any(run["seed"] == seed for run in self.stored()["runs"])

    def _measure(self, seed: int, listeners: Sequence[Listener]) -> None:
        """Measure and store a seed, unless another process has stored it by now."""
        scratch, start = self._scratch(seed), time.perf_counter()
        guard = scratch.with_suffix(".lock")
        busy = f"Another process measures seed {seed} of {self.study.id} into {self.folder}: wait, or name other seeds."
        with Lock(guard, busy=busy):
            if not self._has(seed):
                values = self._values(seed, scratch, listeners)
                seconds = round(time.perf_counter() - start, 1)
                self._store({"seed": seed, "seconds": seconds, "device": self.device, "values": values})
            shutil.rmtree(scratch, ignore_errors=True)
            with suppress(OSError):
                guard.unlink()  # a process that still holds the removed file finds this seed stored

    def _store(self, run: dict[str, Any]) -> None:
        """Add a run to the stored runs, also to those that another process has stored meanwhile."""
        busy = f"Another process has been writing to {self.folder} for a minute: try again when it has ended."
        with Lock(self.folder / ".lock", busy=busy, wait=60.0):
            files.sweep(self.folder, results.path(self.study, self.folder).name)
            stored = self.stored()
            by_seed = {each["seed"]: each for each in (run, *stored["runs"])}
            runs = [by_seed[seed] for seed in sorted(by_seed)]
            results.write(self.study, self.folder, {**stored, "runs": runs, "manifest": self._manifest(runs)})

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn an error of the system, such as a full disk, into a message of one sentence."""
        try:
            yield
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise UsageError(
                f"Study {self.study.id} stopped ({where}{files.reason(error)}): what is stored in {self.folder} stays, "
                "and the same command goes on."
            ) from None

    def _scratch(self, seed: int) -> Path:
        """Where a seed that is under way keeps its runs: another folder for other settings."""
        asked = json.dumps([results.identity(self.study, self.size), self.device], sort_keys=True)
        digest = hashlib.sha256(asked.encode()).hexdigest()[:8]
        return self.folder / f"{self.study.id}-seed{seed}-{digest}.partial"

    def _values(self, seed: int, scratch: Path, listeners: Sequence[Listener]) -> dict[str, Any]:
        """The numbers of a seed, of which those that claims read are there and finite."""
        study = self.study
        values = STUDIES[study.function](
            seed, study.settings, size=self.size, device=self.device, folder=scratch, listeners=listeners
        )
        for name in self.needed:
            value = values.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise UsageError(
                    f"Study {study.id} gave {value!r} for {name} with seed {seed}, where claims need a number."
                )
        return values

    def _manifest(self, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The command measures all the seeds that are there."""
        seeds = [run["seed"] for run in runs]
        words = [f"nasbook claims measure {self.study.id}", f"--seeds {','.join(map(str, seeds))}"]
        words += [f"--size {self.size}"] if self.size != self.study.size else []
        command = " ".join([*words, f"--folder {self.folder.as_posix()}"])
        return manifest(command=command, seeds=seeds, seconds=sum(run["seconds"] for run in runs), device=self.device)
