"""Published architectures by name, as facts with their source (data/published_genotypes.json)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from nasbook.runtime import files, resources
from nasbook.runtime.errors import UsageError
from nasbook.spaces import genotype_text
from nasbook.spaces.genotype import Genotype
from nasbook.spaces.genotype_text import parse_genotype
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
        raise UsageError(f"No published architecture is called {name[:60]!r}; there are {', '.join(_table())}.")
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
        if mark in text:
            return parse(text)
    if _NUMBERS.fullmatch(text):
        raise UsageError(
            "Six numbers do not say which operation each of them is: write an architecture of NAS-Bench-201 as "
            "|op~0|+|op~0|op~1|+|op~0|op~1|op~2| (NASLib's convert_op_indices_to_str makes this string)."
        )
    return parse_genotype(text)


# A mark that only the text of one family holds. The order matters: a line of a log may hold bars too.
_MARKS: dict[str, Callable[[str], Any]] = {
    MARK: parse_node_cell,
    genotype_text.MARK: parse_genotype,
    "|": parse_topology,
}
# An architecture of NAS-Bench-201 as NASLib prints it.
_NUMBERS = re.compile(r"[\[(]?\s*[0-9](\s*,\s*[0-9]){5}\s*[\])]?")
