"""The command `nasbook`: what the package does, for people and scripts at a terminal.

Results go to standard output (with `--json` exactly one JSON document), everything else to standard error. Exit codes:
0 done, 1 it ran and failed, 2 it was asked something impossible, 130 interrupted.
No module here imports torch at import, so that `nasbook --help` answers at once.
"""

from nasbook.cli.app import app, main

__all__ = ["app", "main"]
