"""Published architectures by name, as facts with their source (data/published_genotypes.json)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from nasbook.runtime import files, resources
from nasbook.runtime.errors import UsageError
from nasbook.spaces.genotype import Genotype, parse_genotype
from nasbook.spaces.nas_bench_201 import parse_topology
from nasbook.spaces.node_cell import MARK, parse_node_cell


@dataclass(frozen=True)
class Published:
    """One published architecture.

    Args:
        genotype: the architecture.
        source: the public repository and file that prints it.
        params_million: parameters at 36 channels, 20 layers, without auxiliary head, where the source prints them.
    """

    genotype: Genotype
    source: str
    params_million: float | None


@cache
def _table() -> dict[str, Published]:
    entries = files.read_json(resources.data_folder() / "published_genotypes.json")
    return {
        name: Published(parse_genotype(entry["genotype"]), entry["source"], entry.get("params_million"))
        for name, entry in entries.items()
    }


def published_names() -> list[str]:
    """The names of all published architectures in the book."""
    return list(_table())


def published(name: str) -> Published:
    """A published architecture.

    Raises:
        UsageError: the book has none of this name.
    """
    if name not in _table():
        raise UsageError(f"No published architecture is called {name!r}; there are {', '.join(_table())}.")
    return _table()[name]


def read(text: str) -> Any:
    """An architecture of any family: a published name, the text form of its family, or JSON.

    Raises:
        UsageError: the text is none of these.
    """
    text = text.strip()
    if text in _table():
        return _table()[text].genotype
    if text.replace("_", "").isalnum():
        return published(text).genotype
    for mark, parse in _MARKS.items():
        if text.startswith(mark):
            return parse(text)
    return parse_genotype(text)


# How the text of a family other than DARTS begins.
_MARKS: dict[str, Callable[[str], Any]] = {"|": parse_topology, MARK: parse_node_cell}
