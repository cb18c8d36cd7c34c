"""Neural architecture search by weight sharing: a book of notebooks on a tested package.

In a notebook: `nb = nasbook.start("04")` opens a chapter, `nasbook.show` prints compared numbers and `nasbook.source`
shows the package's own code. They and the rooms of the package (`nasbook.figures`, `nasbook.evaluation`, ...) load when
first used, so that `import nasbook` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasbook.course import NotAttempted, show, source, start

__version__ = "0.1.0"
__all__ = ["NotAttempted", "__version__", "show", "source", "start"]


_ROOMS = {"datasets", "evaluation", "experiment", "figures", "search", "selection", "sizes", "spaces", "supernet"}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"nasbook.{name}")
    if name in {"NotAttempted", "show", "source", "start"}:
        import nasbook.course

        return getattr(nasbook.course, name)
    raise AttributeError(f"module 'nasbook' has no attribute {name!r}")
