"""The two ways in which this package says no."""


class UsageError(ValueError):
    """A request that cannot be carried out: one sentence says what was wrong and what is allowed."""


class DivergedError(RuntimeError):
    """A run whose loss is no longer a finite number; the message says what to try."""
