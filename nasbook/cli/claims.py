"""`nasbook claims` and `nasbook claims measure`: the lecture's claims with their verdicts, and how to measure them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasbook.cli.help import Group
from nasbook.cli.output import AsJson, load_torch, print_json, print_table, tell
from nasbook.cli.runs import Threads
from nasbook.runtime.errors import UsageError
from nasbook.sizes import SIZES

if TYPE_CHECKING:
    from nasbook.claims.findings import Finding

OWN_RESULTS = Path("claims")

claims = typer.Typer(cls=Group)


@claims.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    chapter: Annotated[str | None, typer.Option(help="Those of one chapter, like 06.", show_default=False)] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder of results. By default those of the book.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the lecture's claims with the verdicts measured here: holds, weak, fails or not measured.

    A value is the mean over seeds, ± half of its 95 % interval. A claim holds where the whole interval is on the
    expected side, and is weak where only the mean is. `nasbook claims measure` makes results of your own.
    """
    if context.invoked_subcommand is not None:
        if chapter is not None or folder is not None or as_json:
            raise UsageError("--chapter, --folder and --json list claims; the options of `measure` stand behind it.")
        return
    from nasbook.claims import entries, findings

    if folder is not None and not folder.is_dir():
        raise UsageError(
            f"There is no folder {folder} of results; `nasbook claims measure --folder {folder}` makes one."
        )
    found = findings.findings(entries.load(), folder=folder, chapter=chapter)
    if as_json:
        print_json([each.row() for each in found])
        return
    _print_verdicts(found)


def _print_verdicts(found: Sequence[Finding]) -> None:
    from nasbook.claims.table import notes

    rows = [
        {
            "claim": each.claim.id,
            "verdict": each.verdict,
            "value": each.measured,
            "expected": each.expected,
            "seeds": len(each.seeds),
            "size": each.size,
            "statement": each.claim.statement,
        }
        for each in found
    ]
    if rows:
        print_table(rows, list(rows[0]))
    for note in notes(found):
        print(note)


@claims.command()
def measure(
    names: Annotated[
        list[str] | None, typer.Argument(help="Ids of claims or studies; all of them without.", show_default=False)
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Like 0,1,2. By default those of the book.", show_default=False)
    ] = None,
    size: Annotated[
        str | None, typer.Option(help=f"{' or '.join(SIZES)}. By default the study's own.", show_default=False)
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the results go.")] = OWN_RESULTS,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    threads: Threads = None,
) -> None:
    """Measure claims, store the results and print the verdicts.

    The same command again goes on where it was interrupted.
    """
    from nasbook import sizes
    from nasbook.claims import entries, findings

    ledger = entries.load()
    studies, numbers = ledger.chosen(names or ()), None if seeds is None else _seeds(seeds)
    if size is not None:
        sizes.get(size)  # refuses what is no size
    if size is not None and not names:
        studies = [study for study in studies if size in study.sizes]
    load_torch()
    from nasbook.claims.measuring import measure as run
    from nasbook.runtime.progress import terminal_progress

    try:
        with terminal_progress() as progress:
            run(
                ledger,
                studies,
                folder=folder,
                seeds=numbers,
                size=size,
                device=device,
                threads=threads,
                listeners=[progress],
                report=tell,
            )
    except KeyboardInterrupt:
        tell(
            "Interrupted: the same command goes on from the last finished epoch of a search or a training; another "
            f"measurement begins its seed again. Results are kept in {folder}."
        )
        raise typer.Exit(130) from None
    found = findings.findings(ledger, folder=folder)
    asked = set(names or [study.id for study in studies])
    _print_verdicts([each for each in found if asked & {each.claim.id, each.claim.study}])
    tell(f"The results are in {folder}: `nasbook claims --folder {folder}` lists them.")


def _seeds(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"--seeds takes whole numbers with commas between, like 0,1,2, not {text!r}.")
    return [int(word) for word in words]
