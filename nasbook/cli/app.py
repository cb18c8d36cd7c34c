"""The commands put together, and what becomes of their errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import nasbook
from nasbook.cli.book import lab, notebooks
from nasbook.cli.claims import claims
from nasbook.cli.doctor import doctor
from nasbook.cli.lists import datasets, describe, methods, spaces
from nasbook.cli.runs import search, select, train
from nasbook.runtime.errors import DivergedError, UsageError

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

# The base of all that can be wrong with a command line. Its class is reached through the one public name that leads
# to it, since some versions of typer depend on the package that defines it and others carry that package inside.
_CommandLineError: Any = typer.BadParameter.__mro__[2]


class Commands(TyperGroup):
    """All commands: an expected error ends in one line on standard error, an unexpected one keeps its traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line (this process's own by default) and leave with its exit code."""
        words = list(sys.argv[1:] if args is None else args) or ["--help"]
        try:
            code = super().main(words, prog_name, complete_var, False, windows_expand_args, **extra)
        except (typer.Abort, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        except _CommandLineError as error:
            sys.exit(_say(error.format_message(), error.exit_code))
        except UsageError as error:
            sys.exit(_say(str(error), WRONG_USE))
        except DivergedError as error:
            sys.exit(_say(str(error), FAILED))
        sys.exit(code or 0)


def _say(sentence: str, code: int) -> int:
    print(f"nasbook: {' '.join(sentence.split())}", file=sys.stderr)
    return code


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Neural architecture search by weight sharing: search, train and describe architectures; open the book.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"nasbook {nasbook.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """What stands before a command."""


for command in (search, select, train, describe, methods, spaces, datasets, lab, notebooks, doctor):
    app.command()(command)
app.add_typer(claims, name="claims")


def main() -> None:
    """The entry point of the command `nasbook`."""
    app(prog_name="nasbook")
