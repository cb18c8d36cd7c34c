"""`nasbook datasets` and `nasbook datasets download`: list the data sets, and fetch a real one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nasbook.cli.help import Command, Group
from nasbook.cli.output import AsJson, print_json, print_table
from nasbook.runtime.errors import UsageError

datasets = typer.Typer(cls=Group)


@datasets.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    root: Annotated[Path | None, typer.Option(help="Folder of the real data sets.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List the data sets, and which of them are at hand."""
    if context.invoked_subcommand is not None:
        if root is not None or as_json:
            raise UsageError("--root and --json list data sets; write options of `download` behind that word.")
        return
    from nasbook.datasets import available

    rows = available(root)
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("name", "classes", "image", "train", "test", "available"))


@datasets.command(cls=Command)
def download(
    name: Annotated[str, typer.Argument(help="cifar10, cifar100, svhn, mnist or fashion_mnist.", show_default=False)],
    root: Annotated[
        Path | None, typer.Option(help="Folder to put it in. By default datasets/.", show_default=False)
    ] = None,
) -> None:
    """Fetch a real data set through torchvision. What is there already is not fetched again.

    A search finds it in the folder datasets/ of the working folder, or in the folder that its --root names.
    """
    from nasbook.datasets.catalogue import CATALOGUE, DEFAULT_ROOT, load

    real = [known for known, entry in CATALOGUE.items() if entry.files and known != "imagenet16-120"]
    if name not in real:
        raise UsageError(f"{name} is not a data set that is fetched; these are: {', '.join(real)}.")
    folder = root or DEFAULT_ROOT
    print(f"nasbook: Fetching {name} into {folder}; this may take minutes.", file=sys.stderr, flush=True)
    dataset = load(name, root=folder, download=True)
    print(f"{name} is in {folder}: {len(dataset.train):,} training and {len(dataset.test):,} test images.")
