"""A size: the numbers of a search and of a training, with changes by family of spaces, method and data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nasbook.sizes.numbers import SearchNumbers, TrainNumbers


@dataclass(frozen=True)
class Size:
    """A size: its data set and space when none is named, and the numbers of its searches and trainings.

    Args:
        name: "class" or "paper".
        data: the data set.
        space: the space.
        search: numbers of a search in the DARTS family of spaces.
        train: numbers of training one of its architectures from scratch.
        families: the changes for other families, in a search and in a training.
        methods: the changes in searches of a method, under "" for every family or under the name of one family.
        trainings: the changes in trainings of a method's cells, by family.
        cells: the changes in trainings of a space's cells, by space and data set.
    """

    name: str
    data: str
    space: str
    search: SearchNumbers
    train: TrainNumbers
    families: Mapping[str, tuple[dict[str, Any], dict[str, Any]]]
    methods: Mapping[str, Mapping[str, dict[str, Any]]] = field(default_factory=dict)
    trainings: Mapping[str, Mapping[str, dict[str, Any]]] = field(default_factory=dict)
    cells: Mapping[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def of(self, family: str, method: str | None = None, *, space: str = "", data: str = "") -> Size:
        """The size with the changes for a family, for a method in it, and for a space's cells on a data set."""
        search, train = self.families.get(family, ({}, {}))
        special = self.special(method or "")
        search = {**search, **special.get("", {}), **special.get(family, {})}
        train = {**train, **_row(self.trainings, method or "").get(family, {}), **self.cells.get((space, data), {})}
        return replace(self, search=replace(self.search, **search), train=replace(self.train, **train))

    def special(self, method: str) -> Mapping[str, dict[str, Any]]:
        """The changes in a method's searches, by family."""
        return _row(self.methods, method)


def _row(table: Mapping[str, Mapping[str, dict[str, Any]]], method: str) -> Mapping[str, dict[str, Any]]:
    """The row of a method. A name with "+pt" that has no row of its own takes the row of the name without "+pt"."""
    return table.get(method, table.get(method.removesuffix("+pt"), {}))
