"""`nasbook search` and `nasbook train`: whole runs, kept in a folder and continued by the same command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbook.cli.numbers import NumberOptions, number_options
from nasbook.cli.output import AsJson, print_facts, print_json
from nasbook.runtime.events import Event, Listener, Started
from nasbook.runtime.progress import terminal_progress
from nasbook.sizes import SIZES, SearchNumbers, TrainNumbers

if TYPE_CHECKING:
    from nasbook.experiment import Outcome

SEARCH = NumberOptions(
    "search", SearchNumbers, "", "Numbers of the search (those of DARTS; others: nasbook methods NAME)"
)
RETRAIN = NumberOptions("train", TrainNumbers, "train-", "Numbers of the training from scratch")
TRAIN = NumberOptions("train", TrainNumbers, "", "Numbers of the training")

Data = Annotated[
    str | None,
    typer.Option(help="A name of `nasbook datasets`, an .npz file, or a folder of images. By default the size's own."),
]
SizeName = Annotated[str, typer.Option(help=f"Preset of all numbers: {' or '.join(SIZES)}.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Every random number follows from it.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Root = Annotated[Path | None, typer.Option(help="Folder of the real data sets.")]
Run = Annotated[
    Path | None,
    typer.Option(help="Folder to keep the run in. By default one under runs/ that follows from the command."),
]


@number_options(numbers=SEARCH, train_numbers=RETRAIN)
def search(
    method: Annotated[str, typer.Option(help="A method of `nasbook methods` that runs here.")] = "darts",
    space: Annotated[
        str | None, typer.Option(help="A space of `nasbook spaces`. By default the size's own.", show_default=False)
    ] = None,
    data: Data = None,
    size: SizeName = "class",
    seed: Seed = 0,
    device: Device = "auto",
    run: Run = None,
    root: Root = None,
    retrain: Annotated[bool, typer.Option(help="Train what comes out from scratch and test it.")] = True,
    record: Annotated[
        list[str] | None,
        typer.Option(
            help="Measure this after each epoch too (may be repeated): eigenvalue, skip-weight, derived-accuracy or "
            "gap. The eigenvalue costs several times the search; history.jsonl in the run's folder has all values.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    *,
    numbers: dict[str, Any],
    train_numbers: dict[str, Any],
) -> None:
    """Search an architecture, train it from scratch and test it.

    The same command again continues a run that was interrupted, and prints the result of one that is finished.
    """
    with _Sitting(run).shown() as sitting:
        from nasbook import experiment

        outcome = experiment.search(
            method,
            space=space,
            data=data,
            size=size,
            seed=seed,
            retrain=retrain,
            record=record or (),
            device=device,
            numbers=numbers,
            train_numbers=train_numbers,
            root=root,
            run=sitting.place,
            listeners=sitting.listeners,
        )
    sitting.report(outcome, as_json=as_json)


@number_options(numbers=TRAIN)
def train(
    genotype: Annotated[str, typer.Argument(help="A published name, the text form, or JSON.", show_default=False)],
    data: Data = None,
    size: SizeName = "class",
    seed: Seed = 0,
    device: Device = "auto",
    run: Run = None,
    root: Root = None,
    as_json: AsJson = False,
    *,
    numbers: dict[str, Any],
) -> None:
    """Train one architecture from scratch and test it.

    The same command again continues a run that was interrupted, and prints the result of one that is finished.
    """
    with _Sitting(run).shown() as sitting:
        from nasbook import experiment

        outcome = experiment.train(
            genotype,
            data=data,
            size=size,
            seed=seed,
            device=device,
            numbers=numbers,
            root=root,
            run=sitting.place,
            listeners=sitting.listeners,
        )
    sitting.report(outcome, as_json=as_json)


@dataclass
class _Sitting:
    """One sitting of a run: names its folder, shows its progress, and says how to go on when it is interrupted."""

    folder: Path | None
    listeners: list[Listener] = field(default_factory=list)
    begun: bool = False

    @contextmanager
    def shown(self) -> Iterator[_Sitting]:
        """Show on standard error what happens while the run lasts."""
        try:
            with terminal_progress() as progress:
                self.listeners += [self._announce, progress]
                yield self
        except KeyboardInterrupt:
            _tell(f"Interrupted: the same command goes on from the last finished epoch{self._kept()}.")
            raise typer.Exit(130) from None
        if not self.begun:
            _tell(f"This run is finished already{self._kept()}.")

    def place(self, config: dict[str, Any]) -> Path:
        """The run's folder: the one that was named, or one that follows from what is asked."""
        from nasbook.experiment import default_folder

        self.folder = self.folder or default_folder(config)
        return self.folder

    def _announce(self, event: Event) -> None:
        """Say where the run is kept when its first stage begins: a refused folder is never announced."""
        if isinstance(event, Started) and not self.begun:
            self.begun = True
            assert self.folder is not None
            known = (self.folder / "checkpoint.pt").exists()
            _tell(f"{'Continuing' if known else 'Keeping'} the run in {self.folder}.")

    def _kept(self) -> str:
        return f"; it is kept in {self.folder}" if self.folder else ""

    def report(self, outcome: Outcome, *, as_json: bool) -> None:
        """Draw what came out into the run's folder, and print the result."""
        assert self.folder is not None
        pictures = _draw(outcome.genotype, self.folder)
        result = {**outcome.result, "run": str(self.folder), "pictures": pictures}
        if as_json:
            print_json(result)
        else:
            print_facts(result)


def _tell(sentence: str) -> None:
    print(f"nasbook: {sentence}", file=sys.stderr, flush=True)


def _draw(architecture: Any, folder: Path) -> list[str]:
    """Draw each cell that was searched into the run's folder; returns the files."""
    from nasbook.figures import cells

    return [str(cells.cell(architecture, kind).save(folder / f"cell-{kind}.png")) for kind in cells.kinds(architecture)]
