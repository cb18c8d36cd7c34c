"""`nasbook search`, `select` and `train`: whole runs, kept in a folder and continued by the same command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nasbook.cli.numbers import NumberOptions, number_options
from nasbook.cli.output import AsJson
from nasbook.cli.sitting import Sitting
from nasbook.runtime.values import MOST_THREADS
from nasbook.search.recipes import SELECTING
from nasbook.sizes import SIZES, SearchNumbers, TrainNumbers

SEARCH = NumberOptions(
    "search", SearchNumbers, "", "Numbers of the search (those of DARTS; others: nasbook methods NAME)"
)
SELECT = NumberOptions(
    "search", SearchNumbers, "", "Numbers of selection by perturbation (where left out: those of the search)", SELECTING
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
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_THREADS,
        help="CPU threads; the digits depend on the number. By default 1 at class size on a CPU unless OMP_NUM_THREADS "
        "is set, and PyTorch's own number elsewhere; a run that goes on keeps its number.",
        show_default=False,
    ),
]
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
    threads: Threads = None,
    run: Run = None,
    root: Root = None,
    retrain: Annotated[bool, typer.Option(help="Train what comes out from scratch and test it.")] = True,
    record: Annotated[
        list[str] | None,
        typer.Option(
            help="Measure this after each epoch too (may be repeated): eigenvalue, skip-weight, derived-accuracy, gap "
            "or spread. The eigenvalue costs several times the search. The file history.jsonl in the run's folder has "
            "all values.",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        int, typer.Option(min=0, help="Keep the state after every so many epochs, and the last, for `nasbook select`.")
    ] = 0,
    as_json: AsJson = False,
    *,
    numbers: dict[str, Any],
    train_numbers: dict[str, Any],
) -> None:
    """Search an architecture, train it from scratch and test it.

    The same command again continues a run that was interrupted, and prints the result of one that is finished.
    """
    with Sitting(run).shown() as sitting:
        from nasbook import experiment

        outcome = experiment.search(
            method,
            space=space,
            data=data,
            size=size,
            seed=seed,
            retrain=retrain,
            record=record or (),
            keep=keep,
            device=device,
            threads=threads,
            numbers=numbers,
            train_numbers=train_numbers,
            root=root,
            run=sitting.place,
            listeners=sitting.listeners,
        )
    sitting.report(outcome, as_json=as_json)


@number_options(numbers=SELECT)
def select(
    run: Annotated[Path, typer.Argument(help="Folder of a `nasbook search` with --keep.", show_default=False)],
    epoch: Annotated[
        int | None, typer.Option(help="Select from the state after this epoch. By default the last that is kept.")
    ] = None,
    selection: Annotated[
        str, typer.Option(help="perturbation, magnitude, all-edges, top-pairs or ranking.")
    ] = "perturbation",
    device: Device = "auto",
    threads: Threads = None,
    root: Root = None,
    as_json: AsJson = False,
    *,
    numbers: dict[str, Any],
) -> None:
    """Select another architecture from a search that kept its states (--keep), at its end or at an earlier epoch.

    It is kept in a folder inside the search's, with a record of every decision in history.jsonl. The same command again
    continues a selection that was interrupted, and prints the result of one that is finished.
    """
    with Sitting(None, after="decision").shown() as sitting:
        from nasbook import experiment

        outcome = experiment.select(
            run,
            epoch=epoch,
            selection=selection,
            device=device,
            threads=threads,
            numbers=numbers,
            root=root,
            place=sitting.place_inside(run),
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
    threads: Threads = None,
    run: Run = None,
    root: Root = None,
    as_json: AsJson = False,
    *,
    numbers: dict[str, Any],
) -> None:
    """Train one architecture from scratch and test it.

    The same command again continues a run that was interrupted, and prints the result of one that is finished.
    """
    with Sitting(run).shown() as sitting:
        from nasbook import experiment

        outcome = experiment.train(
            genotype,
            data=data,
            size=size,
            seed=seed,
            device=device,
            threads=threads,
            numbers=numbers,
            root=root,
            run=sitting.place,
            listeners=sitting.listeners,
        )
    sitting.report(outcome, as_json=as_json)
