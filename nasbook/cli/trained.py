"""`nasbook export` and `nasbook predict`: export the trained network of a run, or classify pictures with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nasbook.cli.output import AsJson, print_facts, print_json, print_table

Run = Annotated[
    Path, typer.Argument(help="Folder of a finished `nasbook search` or `nasbook train`.", show_default=False)
]
WORDS = {"pt2": "network.pt2", "onnx": "network.onnx", "state": "network-state.pt"}


def export(
    run: Run,
    to: Annotated[
        str,
        typer.Option(
            help="File to write: .pt2 (torch.export), .onnx, or .pt (weights alone). The words pt2, onnx and state "
            "write such a file into the run's folder."
        ),
    ] = "pt2",
    as_json: AsJson = False,
) -> None:
    """Write the trained network of a run to a file that needs no nasbook (.pt2, .onnx), or its weights alone.

    The network takes normalised images and gives one score (logit) per class. What this prints says how pixels are
    normalised and which class each score belongs to; a .pt2 file holds the same as nasbook.json.
    """
    from nasbook.evaluation import exporting, load

    trained = load(run)
    path = exporting.export(trained, run / WORDS[to] if to in WORDS else Path(to))
    found = {"file": str(path), **exporting.facts(trained)}
    if as_json:
        print_json(found)
    else:
        print_facts(found)


def predict(
    run: Run,
    images: Annotated[list[Path], typer.Argument(help="Picture files.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Classify pictures with the trained network of a run.

    Each picture gets the size and the normalisation of the training images. It becomes gray if they were gray.
    """
    from nasbook.evaluation import load

    rows, notes = load(run).predict(images)
    if notes:
        print(f"nasbook: {'; '.join(notes)}.", file=sys.stderr)
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("image", "class", "probability"))
