"""How many CPU threads a run computes with: the last digits depend on the number, and so does the time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_enclosing: ContextVar[int | None] = ContextVar("threads of the enclosing scope", default=None)


def default(size: str, device: torch.device) -> int:
    """The number of threads where none is asked for.

    Within `scope` it is that scope's number. If the environment variable OMP_NUM_THREADS is set, it is the number that
    torch has. Otherwise it is 1 for class size on a CPU, where a second thread costs more than it gives, and the number
    that torch has for everything else.

    Args:
        size: "class" or "paper".
        device: where the run computes.
    """
    enclosing = _enclosing.get()
    if enclosing is not None:
        return enclosing
    if size == "class" and device.type == "cpu" and not os.environ.get("OMP_NUM_THREADS"):
        return 1
    return torch.get_num_threads()


@contextmanager
def scope(number: int) -> Iterator[None]:
    """Compute with this many threads; the number from before comes back afterwards."""
    before, token = torch.get_num_threads(), _enclosing.set(number)
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _enclosing.reset(token)
