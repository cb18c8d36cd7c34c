"""Files of tensors and plain values. They are written whole, and refused if a byte has changed."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from nasbook.runtime import files
from nasbook.runtime.errors import UsageError


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values atomically. Each member of the file carries its checksum (CRC-32)."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    files.write_bytes(path, buffer.getvalue())


def read_state(path: Path, key: str, *, remedy: str) -> dict[str, Any]:
    """Read a file of tensors and plain values that holds a key. No code in it is run.

    Args:
        path: the file.
        key: a key that the file must hold.
        remedy: what to do about a damaged file, to end the sentence with.

    Raises:
        UsageError: the file is damaged, or it cannot be read for a reason that is not its content (permissions, a disk
            error, too little memory): then nothing is wrong with the file and no remedy is given.
    """
    try:
        content = path.read_bytes()
        _check(content)
        state = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({files.reason(error)}): when it can be read, the same command goes on."
        ) from None
    except MemoryError:
        raise UsageError(f"There is not enough memory to read {path}: free some, and run again.") from None
    except Exception as error:  # a damaged file makes the reader fail in any way
        if "allocate" in str(error):  # how torch says that memory ran out
            raise UsageError(f"There is not enough memory to read {path}: free some, and run again.") from None
        raise UsageError(f"{path} cannot be read ({type(error).__name__}): {remedy}.") from None
    if not isinstance(state, dict) or key not in state:
        raise UsageError(f"{path} cannot be read (it has no {key!r}): {remedy}.")
    return state


def kept_epochs(path: Path, stage: str) -> list[int]:
    """The epochs of a stage whose states a run folder keeps for good, ascending."""
    names = (re.fullmatch(rf"{stage}-([0-9]{{4,9}})\.pt", each.name) for each in path.glob(f"{stage}-*.pt"))
    return sorted(int(name[1]) for name in names if name)


def kept_state(path: Path, stage: str, epoch: int, *, run: str | None = None) -> dict[str, Any]:
    """The state after an epoch that a run folder keeps for good.

    Args:
        path: the run folder.
        stage: that was kept.
        epoch: one of `kept_epochs`.
        run: digest of the configuration that the state must belong to.

    Raises:
        UsageError: the file is damaged, cannot be read or belongs to another run.
    """
    file = path / f"{stage}-{epoch:04d}.pt"
    kept = read_state(file, "state", remedy="take another epoch")
    if run is not None and kept.get("run", run) != run:
        raise UsageError(
            f"{file} does not belong to the run that {path / 'config.json'} describes: take another epoch."
        )
    state: dict[str, Any] = kept["state"]
    return state


def _check(content: bytes) -> None:
    """Compare the checksum of every member with its bytes.

    Raises:
        UnpicklingError: the content is not such a file, or it has changed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            plain = all(each.compress_type == zipfile.ZIP_STORED for each in archive.infolist())
            if not plain or archive.testzip() is not None:
                raise pickle.UnpicklingError("a member has changed")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise pickle.UnpicklingError(str(error)) from None
