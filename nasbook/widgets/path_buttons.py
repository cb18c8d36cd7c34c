"""Buttons for the cell of one architecture: where its nodes read from, and the operation of every kept edge."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import ipywidgets as widgets

from nasbook.figures import style
from nasbook.spaces import Cell
from nasbook.spaces.genotype import Pair


class PathButtons:
    """The buttons of one path: where its nodes read from, where there is a choice, and one operation an edge.

    All edges into a node must offer the same operations, as in every space but S1.

    Args:
        name: of the path, handed to `on_choice`.
        cell: the searched cell.
        on_choice: is handed the name and the cell after each choice of the reader's.
    """

    def __init__(self, name: str, cell: Cell, on_choice: Callable[[str, tuple[Pair, ...]], None]) -> None:
        self.name, self.cell, self.on_choice = name, cell, on_choice
        self._setting = False
        self.sources = {node: self._source_buttons(node) for node in cell.nodes}
        self.operations = {
            node: [
                self._buttons("", f"An operation into node {node} of path {name.upper()}", _labelled(cell, node))
                for _ in range(cell.keep)
            ]
            for node in cell.nodes
        }
        rows: list[Any] = [widgets.HTML(f"<b>Path {name.upper()}</b>")]
        for node in cell.nodes:
            rows += [self.sources[node]] if len(self.sources[node].options) > 1 else []
            rows += self.operations[node]
        self.box = widgets.VBox(rows)

    def read(self) -> tuple[Pair, ...]:
        """The cell that the buttons say."""
        return tuple(
            (field.value, source)
            for node in self.cell.nodes
            for field, source in zip(self.operations[node], self.sources[node].value, strict=True)
        )

    def show(self, pairs: tuple[Pair, ...]) -> None:
        """Set the buttons to a cell, which is no choice of the reader's."""
        self._setting = True
        try:
            for place, node in enumerate(self.cell.nodes):
                kept = pairs[place * self.cell.keep : (place + 1) * self.cell.keep]
                self.sources[node].value = tuple(source for _, source in kept)
                for field, (operation, source) in zip(self.operations[node], kept, strict=True):
                    field.description, field.value = f"{source} → {node}", operation
        finally:
            self._setting = False

    def _source_buttons(self, node: int) -> widgets.ToggleButtons:
        sources = [self.cell.edges[edge][0] for edge in self.cell.into(node)]
        options = [(" and ".join(map(str, pair)), pair) for pair in combinations(sources, self.cell.keep)]
        return self._buttons(f"{node} reads", f"The nodes that node {node} of path {self.name.upper()} reads", options)

    def _buttons(self, description: str, tip: str, options: list[tuple[str, Any]]) -> widgets.ToggleButtons:
        made = widgets.ToggleButtons(
            options=options,
            description=description,
            tooltip=tip,
            style={"button_width": "6em", "description_width": "4em"},
        )
        made.observe(self._on_change, names="value")
        return made

    def _on_change(self, _change: Any) -> None:
        if not self._setting:
            self.on_choice(self.name, self.read())


def _labelled(cell: Cell, node: int) -> list[tuple[str, str]]:
    names = dict.fromkeys(name for edge in cell.into(node) for name in cell.choices(edge))
    return [(style.operation(name).label, name) for name in names]
