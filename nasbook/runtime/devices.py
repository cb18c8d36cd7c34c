"""The device that a run computes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nasbook.runtime.errors import UsageError

NAMES = ("auto", "cpu", "cuda", "mps")


def available() -> list[str]:
    """The devices of this machine, the fastest first."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def pick(device: str | torch.device = "auto") -> torch.device:
    """The device of this name, or with "auto" the fastest one here.

    Raises:
        UsageError: there is no such device on this machine.
    """
    here = available()
    if isinstance(device, str) and device == "auto":
        return torch.device(here[0])
    try:
        found = torch.device(device) if isinstance(device, str | torch.device) else None
    except RuntimeError:  # what torch cannot read
        found = None
    if found is None or found.type not in here or (found.index or 0) >= _count(found.type):
        raise UsageError(f"Device {str(device)!r} is not available; this machine has {', '.join(here)} (or say auto).")
    return torch.device("cpu") if found.type == "cpu" else found


def _count(kind: str) -> int:
    return torch.cuda.device_count() if kind == "cuda" else 1


def check_precision(device: torch.device, precision: str) -> None:
    """Make sure that a device computes in a precision.

    Raises:
        UsageError: it does not.
    """
    if device.type == "mps" and precision == "float64":
        raise UsageError("The device mps does not compute in float64: take precision float32, or the device cpu.")


@contextmanager
def precision(dtype: torch.dtype) -> Iterator[None]:
    """Let new parameters be drawn in this precision.

    A number drawn in single precision differs in its last digit from processor to processor; a network that is drawn
    so and then computes in double precision amplifies that difference instead of one in the sixteenth digit.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def memory_mib(device: torch.device) -> float:
    """Peak memory in MiB: of the accelerator's tensors where there is one, of the process otherwise."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    try:
        import resource
    except ImportError:  # Windows has no such counter
        return float("nan")
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def memory_format(dtype: torch.dtype) -> torch.memory_format:
    """Channels last where it is faster: float32. In float64 depthwise convolutions are far slower that way."""
    return torch.channels_last if dtype == torch.float32 else torch.contiguous_format
