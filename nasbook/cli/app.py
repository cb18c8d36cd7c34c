"""The commands put together, and what becomes of their errors."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

import nasbook
from nasbook.cli import failures
from nasbook.cli.book import lab, notebooks
from nasbook.cli.claims import claims
from nasbook.cli.data import datasets
from nasbook.cli.doctor import doctor
from nasbook.cli.help import Command, Group
from nasbook.cli.lists import describe, methods, spaces
from nasbook.cli.runs import search, select, train
from nasbook.cli.trained import export, predict
from nasbook.runtime.errors import DivergedError, UsageError

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

# The base of all that can be wrong with a command line. Its class is reached through the one public name that leads
# to it, since some versions of typer depend on the package that defines it and others carry that package inside.
_CommandLineError: Any = typer.BadParameter.__mro__[2]


class Commands(Group):
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
        _show_every_character()
        try:
            _check_words(words)
            code = super().main(words, prog_name, complete_var, False, windows_expand_args, **extra)
            _write_out()
        except (typer.Abort, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        except _CommandLineError as error:
            sys.exit(_say(error.format_message(), error.exit_code))
        except UsageError as error:
            sys.exit(_say(str(error), WRONG_USE))
        except DivergedError as error:
            sys.exit(_say(str(error), FAILED))
        except (OSError, MemoryError, RuntimeError) as error:
            _write_out()  # ends here if it is the output that failed: what could not be written still waits
            sentence = failures.sentence(error)
            if sentence is None:
                raise
            sys.exit(_say(sentence, FAILED))
        sys.exit(code or 0)


def _show_every_character() -> None:
    """Write a character that the output's encoding lacks as an escape, so that no result is lost."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", write_through=False)  # `_write_out` sees what fails


def _write_out() -> None:
    """Write the buffered output. If it cannot be written (a full disk, say), end with a message of one line."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries again when it ends
        kept = "a run keeps its result in its folder (result.json)"
        sys.exit(_say(f"Standard output takes no more data ({error.strerror}); {kept}.", FAILED))


def _check_words(words: Sequence[str]) -> None:
    """Refuse empty values, which come from shell variables that are not set and mean no default.

    Raises:
        UsageError: an argument or the value of an option is empty.
    """
    for place, word in enumerate(words):
        option, _, value = word.partition("=") if word.startswith("--") else ("", "", word)
        if not value.strip() and (not option or "=" in word):
            before = words[place - 1] if place else ""
            named = option or (before if before.startswith("-") else "")
            what = f"The value of {named}" if named else "An argument"
            raise UsageError(f"{what} is empty (is a shell variable not set?): give a value, or leave the option out.")


def _say(sentence: str, code: int) -> int:
    with suppress(OSError):  # whoever closed or filled standard error still gets the exit status
        print(f"nasbook: {' '.join(sentence.split())}", file=sys.stderr)
    return code


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut the names of options in a narrow window
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


for command in (search, select, train, export, predict, describe, methods, spaces, lab, notebooks, doctor):
    app.command(cls=Command)(command)
app.add_typer(datasets, name="datasets")
app.add_typer(claims, name="claims")


def main() -> None:
    """The entry point of the command `nasbook`."""
    app(prog_name="nasbook")
