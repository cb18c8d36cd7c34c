"""Locks between processes. The system releases a lock when its process ends, however it ends."""

from __future__ import annotations

import errno
from pathlib import Path

from filelock import FileLock, Timeout

from nasbook.runtime.errors import UsageError

# Some network drives know no locks. Work goes on there without one.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


class Lock:
    """A lock file that one process holds, from its creation until `release` or the end of a `with` block.

    The file stays when the lock is released. Only the system's lock on the file counts.

    Args:
        path: the lock file, in a folder that exists.
        busy: the sentence for a process that does not get the lock.
        wait: seconds to wait for the lock.

    Raises:
        UsageError: another process holds the lock.
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path, *, busy: str, wait: float = 0.0) -> None:
        self._lock = FileLock(path, timeout=wait, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise UsageError(busy) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise

    def release(self) -> None:
        """Let another process take the lock; a second call does nothing."""
        self._lock.release(force=True)

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
