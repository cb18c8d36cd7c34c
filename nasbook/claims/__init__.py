"""The claims ledger: what the lecture says, what would show it, and what was measured here.

The entries are data (`data/claims.toml`, read by `entries`); a study is measured once a seed (`measuring`) and stored
(`results`, read for pictures by `runs`); a verdict follows from the stored numbers whenever it is asked for
(`findings`) and is never stored.
"""

from nasbook.claims.stored_runs import Run, runs

__all__ = ["Run", "runs"]
