"""A size: the numbers of a search and of a training, with what differs for a family of spaces and for a method."""

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
        families: for other families what differs, in a search and in a training.
        methods: for a method what differs in its searches: under "" in every family, under a family's name in that.
    """

    name: str
    data: str
    space: str
    search: SearchNumbers
    train: TrainNumbers
    families: Mapping[str, tuple[dict[str, Any], dict[str, Any]]]
    methods: Mapping[str, Mapping[str, dict[str, Any]]] = field(default_factory=dict)

    def of(self, family: str, method: str | None = None) -> Size:
        """The size with the numbers of a family of spaces and, of its search, those of a method in it."""
        search, train = self.families.get(family, ({}, {}))
        special = self.special(method or "")
        search = {**search, **special.get("", {}), **special.get(family, {})}
        return replace(self, search=replace(self.search, **search), train=replace(self.train, **train))

    def special(self, method: str) -> Mapping[str, dict[str, Any]]:
        """What differs for a method, by family; with "+pt" behind its name as without, unless a row says more."""
        return self.methods.get(method, self.methods.get(method.removesuffix("+pt"), {}))
