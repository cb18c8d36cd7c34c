"""What the supernet microscope sees at one epoch, as plain numbers: no drawing, no widget."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, Space, Topology
from nasbook.supernet.mixing import edges_of
from nasbook.widgets.recordings import Recording


@dataclass(frozen=True)
class State:
    """Where the microscope is pointed at.

    Args:
        epoch: counted from 1.
        group: "normal" or "reduce".
        edge: index of the edge whose numbers are shown.
    """

    epoch: int = 1
    group: str = "normal"
    edge: int = 0

    def __str__(self) -> str:
        return f"epoch={self.epoch} group={self.group} edge={self.edge}"

    @classmethod
    def parse(cls, text: str) -> State:
        """Read a state that `str` wrote.

        Raises:
            UsageError: the text is not a state.
        """
        found = re.fullmatch(r"\s*epoch=(\d{1,9})\s+group=(\w+)\s+edge=(\d{1,9})\s*", text)
        if not found:
            raise UsageError(f'A state reads like "epoch=5 group=normal edge=0", not {text[:60]!r}.')
        return cls(int(found[1]), found[2], int(found[3]))


@dataclass(frozen=True)
class Operation:
    """One operation of the chosen edge: its architecture parameter, its weight, and whether the cell holds it."""

    name: str
    alpha: float
    weight: float
    kept: bool


@dataclass(frozen=True)
class Track:
    """A quantity that a search recorded besides (see `nasbook.instruments`).

    Args:
        key: its name in the records.
        label: its name in a picture.
        values: one an epoch that is recorded; None where an epoch lacks it.
    """

    key: str
    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class View:
    """One run at one epoch.

    Args:
        title: the run's.
        epoch: the one that is shown; 0 before the first is done.
        numbers: the epochs that are recorded.
        train, valid: accuracies in percent of each of them; no `train` where it was not kept.
        edges: "source→target" of every edge of the group.
        operations: the candidates of every edge.
        weights: (edges, operations).
        kept: for each edge the index of the operation that the derived cell holds, or None.
        chosen: the operations of the chosen edge; none where no edge is chosen.
        genotype: the derived architecture; None where the records do not say.
        group: whose cell is shown.
        edge: which edge is chosen.
        derived: accuracy of each epoch's derived cell with the shared weights, None where no record holds it.
        tracks: what else the records hold, each drawn on a scale of its own.
        edge_weights: of the edges beside each other (PC-DARTS), where there are any.
    """

    title: str
    epoch: int
    numbers: tuple[int, ...]
    train: tuple[float, ...]
    valid: tuple[float, ...]
    edges: tuple[str, ...]
    operations: tuple[tuple[str, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    kept: tuple[int | None, ...]
    chosen: tuple[Operation, ...]
    genotype: Genotype | Topology | None
    group: str
    edge: int
    derived: Track | None = None
    tracks: tuple[Track, ...] = ()
    edge_weights: tuple[float, ...] = ()

    @property
    def at(self) -> int:
        """The place of the epoch that is shown among those recorded."""
        return self.numbers.index(self.epoch)

    def sentence(self) -> str:
        """The run in words."""
        if not self.numbers:
            return f"{self.title}: no epoch is done yet."
        training = f"{self.train[self.at]:.1f} % in training and " if self.train else ""
        return (
            f"{self.title}, epoch {self.epoch} of {self.numbers[-1]}: supernet accuracy {training}"
            f"{self.valid[self.at]:.1f} % in validation; {self._cell()}.{self._recorded()}"
        )

    def _cell(self) -> str:
        """The derived cell, in words."""
        if self.genotype is None:
            return "no cell is derived here"
        kept = zip(self.edges, self.operations, self.kept, strict=True)
        pairs = ", ".join(f"{names[index]} on {edge}" for edge, names, index in kept if index is not None)
        return f"the {self.group} cell derived here has {pairs}"

    def _recorded(self) -> str:
        """What else this epoch's record holds, in words."""
        derived = self.derived.values[self.at] if self.derived else None
        told = [f"derived cell with shared weights {derived:.1f} %"] if derived is not None else []
        for track in self.tracks:
            value = track.values[self.at]
            told += [f"{track.label} {value:.3g}"] if value is not None else []
        if self.edge_weights:
            pairs = zip(self.edges, self.edge_weights, strict=True)
            told.append(f"edge weights {', '.join(f'{weight:.2f} of {edge}' for edge, weight in pairs)}")
        return f" Recorded besides: {', '.join(told)}." if told else ""


def compute(recording: Recording, state: State) -> View:
    """What is seen of a run in a state."""
    space: Space = recording.space
    record = recording.at(state.epoch)
    cell = space.groups[state.group]
    edges = cell.rows
    if record is None:
        empty: tuple[None, ...] = (None,) * len(edges)
        return View(
            recording.title, 0, (), (), (), edges, cell.operations, (), empty, (), None, state.group, state.edge
        )
    genotype = space.parse(record["genotype"])
    kept = tuple(held[0] if held else None for held in space.chosen(genotype)[state.group])
    alpha, weights = record["alpha"][state.group], record["weights"][state.group]
    chosen = zip(cell.operations[state.edge], alpha[state.edge], weights[state.edge], strict=True)
    return View(
        title=recording.title,
        epoch=record["epoch"],
        numbers=tuple(each["epoch"] for each in recording.records),
        train=tuple(each["train_accuracy"] for each in recording.records),
        valid=tuple(each["valid_accuracy"] for each in recording.records),
        edges=edges,
        operations=cell.operations,
        weights=tuple(map(tuple, weights)),
        kept=kept,
        chosen=tuple(
            Operation(name, value, weight, kept[state.edge] == index)
            for index, (name, value, weight) in enumerate(chosen)
        ),
        genotype=genotype,
        group=state.group,
        edge=state.edge,
        derived=_track(recording.records, "derived_accuracy", "derived"),
        tracks=tuple(
            track
            for key, label in (("eigenvalue", "eigenvalue"), ("skip_weight", "skip weight"))
            if (track := _track(recording.records, key, label)) is not None
        ),
        edge_weights=tuple(record["weights"].get(edges_of(state.group), [[]])[0]),
    )


def _track(records: Sequence[Mapping[str, Any]], key: str, label: str) -> Track | None:
    """The values that the records hold under a key, or None where none of them holds a finite one."""
    found = [record.get(key) for record in records]
    values = tuple(None if value is None or not math.isfinite(value) else float(value) for value in found)
    return Track(key, label, values) if any(value is not None for value in values) else None
