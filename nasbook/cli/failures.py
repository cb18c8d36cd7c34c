"""Turns errors of the machine (disk space, memory, file names, devices) into messages of one sentence."""

from __future__ import annotations

import errno

from nasbook.runtime.files import reason

_LATER = (errno.ENOSPC, errno.EDQUOT, errno.EIO)  # the user can remove the cause and run the command again

_MORE_MEMORY = (
    "ask for smaller numbers (--batch, --channels, --layers), or free some. What the run's folder holds stays, and the "
    "same command goes on"
)


def sentence(error: BaseException) -> str | None:
    """What went wrong, as a sentence; None if the error is a fault of this program."""
    if isinstance(error, OSError):
        where = f"{error.filename!s:.200}: " if error.filename else ""
        stays = " What is stored already stays, and the same command goes on." if error.errno in _LATER else ""
        return f"{where}{reason(error)}.{stays}"
    if isinstance(error, MemoryError):
        return f"There is not enough memory: {_MORE_MEMORY}."
    if "out of memory" in str(error) or "can't allocate memory" in str(error):  # how torch says it
        return f"There is not enough memory on the device: {_MORE_MEMORY}."
    return None
