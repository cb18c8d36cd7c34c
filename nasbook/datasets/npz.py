"""Reads arrays of an .npz file. The header of an array is checked before its content is read. Nothing is unpickled."""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nasbook.runtime.errors import UsageError

_SUFFIX = ".npy"
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_ENCRYPTED = 1  # a bit of a member's flags


class Archive:
    """The arrays of an open .npz file, by name.

    Args:
        file: the open file.
    """

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._taken = 0  # bytes of the arrays read so far
        self._members = {
            info.filename.removesuffix(_SUFFIX): info for info in file.infolist() if info.filename.endswith(_SUFFIX)
        }

    @property
    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self._members)

    def claim(self, name: str) -> NDArray[Any]:
        """A read-only array of zeros with the shape and type that an array's header states. It takes no memory.

        Raises:
            UsageError: the array is encrypted, compressed in an unknown way, or holds Python objects.
        """
        with self._open(name) as member:
            shape, _, dtype = self._header(member)
        return np.broadcast_to(np.zeros((), dtype), shape)

    def read(self, name: str) -> NDArray[Any]:
        """An array.

        Raises:
            UsageError: as for `claim`, or it takes more memory than there is.
        """
        with self._open(name) as member:
            shape, fortran, dtype = self._header(member)
            size = prod(shape) * dtype.itemsize
            self._taken += size
            _check_memory(self._taken)
            flat = np.empty(prod(shape), dtype)
            if size and _fill(member, flat) != size:
                raise EOFError(name)
            if member.read(1):  # reads to the end, where the checksum is compared
                raise ValueError(name)
        return flat.reshape(shape, order="F" if fortran else "C")

    def _open(self, name: str) -> IO[bytes]:
        info = self._members[name]
        if info.flag_bits & _ENCRYPTED:
            raise UsageError("It is encrypted: save its arrays without a password.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UsageError("It is compressed in a way that NumPy does not write: save it with np.savez.")
        return self._file.open(info)

    def _header(self, member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        shape, fortran, dtype = _HEADERS[np.lib.format.read_magic(member)](member)
        if dtype.hasobject:
            raise UsageError("It holds Python objects, which are never read: save plain arrays.")
        if min(shape, default=0) < 0:
            raise ValueError(shape)
        return shape, fortran, dtype


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Opens an .npz file. Damage is refused when the file is opened or when an array is read.

    Raises:
        UsageError: the file is unreadable, or it takes more memory than there is.
    """
    try:
        # warnings of Python's parser about a damaged header do not help the reader
        with warnings.catch_warnings(action="ignore"), path.open("rb") as handle, zipfile.ZipFile(handle) as file:
            yield Archive(file)
    except UsageError:
        raise
    except MemoryError:
        raise UsageError(f"{path} does not fit into memory.") from None
    except Exception:  # whatever a damaged file does to the readers of zip files and of array headers
        raise UsageError(f"{path} is not a readable .npz file.") from None


def _fill(member: IO[bytes], flat: NDArray[Any]) -> int:
    """Read a member's content into an array; returns how many bytes there were."""
    view, done = flat.data.cast("B"), 0
    while done < len(view):
        part = member.read(min(2**20, len(view) - done))
        if not part:
            break
        view[done : done + len(part)] = part
        done += len(part)
    return done


def _check_memory(size: int) -> None:
    """Refuse files that would exhaust the memory. Images are in memory twice while they are rearranged."""
    memory = _memory()
    if memory is not None and 2 * size > memory:
        raise UsageError(
            f"It holds {size / 2**30:,.1f} GiB of images, and reading them takes twice as much memory; "
            f"{memory / 2**30:,.1f} GiB are available."
        )


def _memory() -> int | None:
    """Bytes of memory that this process may take, if the system tells."""
    try:
        import resource

        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    except (ImportError, ValueError, OSError):
        return None
    return memory if limit == resource.RLIM_INFINITY else min(memory, limit)
