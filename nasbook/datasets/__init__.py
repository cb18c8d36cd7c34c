"""Images with labels: the embedded default, small and real sets, the reader's own, batches and halves for a search.

Names load when first used: the list of data sets (`available`) needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasbook.datasets.batches import Batches, in_order
    from nasbook.datasets.catalogue import available, load, names
    from nasbook.datasets.halves import bilevel_halves
    from nasbook.datasets.images import Dataset, Images, Normalisation

_HOMES = {
    "Batches": "batches",
    "Dataset": "images",
    "Images": "images",
    "Normalisation": "images",
    "available": "catalogue",
    "bilevel_halves": "halves",
    "in_order": "batches",
    "load": "catalogue",
    "names": "catalogue",
}

__all__ = [
    "Batches",
    "Dataset",
    "Images",
    "Normalisation",
    "available",
    "bilevel_halves",
    "in_order",
    "load",
    "names",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"nasbook.datasets.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'nasbook.datasets' has no attribute {name!r}")
