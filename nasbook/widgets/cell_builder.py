"""Build a cell by hand: choose its edges and operations, see it drawn, what its network costs, and its text."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets

from nasbook import spaces
from nasbook.figures import cells, style, words
from nasbook.figures.picture import Picture, together
from nasbook.runtime.errors import UsageError
from nasbook.spaces.genotype import targets
from nasbook.widgets import cell_building
from nasbook.widgets.base import StaticFallback
from nasbook.widgets.cell_building import (
    CHANNELS,
    LAYERS,
    NODES,
    REDUCTIONS,
    SPACES,
    CellBuilderResult,
    CellBuilderState,
)
from nasbook.widgets.page import beside, row

MOST_PAIRS = max(spaces.get("darts", nodes=nodes).edges for nodes in NODES)  # an architecture may keep every edge


class CellBuilder(StaticFallback, widgets.VBox):
    """Dropdowns for a space and for every kept edge; the cell drawn, its network's cost, and its text form.

    Args:
        state: where to begin, as `state()` returned it.

    Raises:
        UsageError: the state is malformed.
    """

    value = traitlets.Instance(CellBuilderState)
    kind = traitlets.Enum(cells.KINDS, default_value="normal")
    draws = traitlets.Int(0)

    def __init__(self, state: str | None = None) -> None:
        self._follow = True  # False while the controls are set to what is shown, which is no choice of the reader's
        self._choices = {
            name: _dropdown(label, tip, partial(self._on_choice, name), options)
            for name, label, tip, options in (
                ("space", "Space", "The search space", SPACES),
                ("nodes", "Nodes", "Intermediate nodes of a cell", NODES),
                ("reduction", "Reduction", "Whether the reduction cell is searched", REDUCTIONS),
                ("channels", "Channels", "Channels of a node in the first cells", CHANNELS),
                ("layers", "Cells", "Cells of the network", LAYERS),
            )
        }
        self._kind = _dropdown("Show", "Which cell is drawn and changed below", self._on_kind, cells.KINDS)
        self._pairs = [self._pair(index) for index in range(MOST_PAIRS)]
        self._drawing = widgets.HTML()
        self._message = widgets.HTML()
        self._text = widgets.Text(
            description="Text", tooltip="The genotype; paste another one", layout={"width": "95%"}
        )
        buttons = [
            self._button("Random cell", "Draw an architecture of this space", self.random),
            self._button("Neighbour step", "Change one operation or one edge at random", self.step),
            self._button("Use text", "Build the genotype that the text field holds", self._on_text),
        ]
        sizes = row([*self._choices.values(), self._kind])
        edges = beside([widgets.HBox(pair) for pair in self._pairs], self._drawing)
        begin = CellBuilderState.parse(state) if state else _BEGIN
        super().__init__([widgets.VBox([sizes, edges]), row(buttons), self._text, self._message], value=begin)
        self.observe(self._redraw, names=["value", "kind"])
        self._redraw()

    def state(self) -> str:
        """What is shown, as a text that `CellBuilder(state)` and `restore` take back."""
        return str(self.value)

    def restore(self, state: str) -> None:
        """Show a state that `state()` returned.

        Raises:
            UsageError: the state is malformed.
        """
        self.value = CellBuilderState.parse(state)

    def random(self) -> None:
        """Draw another architecture of this space."""
        self.draws += 1
        self.value = replace(self.value, genotype=cell_building.sample(self.value.search_space, self.draws))

    def step(self) -> None:
        """Go to a random neighbour: one operation or one edge changes."""
        self.draws += 1
        moved = cell_building.neighbour(self.value.search_space, self.value.genotype, self.draws)
        self.value = replace(self.value, genotype=moved)

    def result(self) -> CellBuilderResult:
        """Costs and counts of what is shown."""
        return cell_building.compute(self.value)

    @style.styled
    def figure(self) -> Picture:
        """The cells, one above the other, and the network's cost in words."""
        kinds = [kind for kind in cells.KINDS if self.value.genotype.cell(kind)]
        made, axes = style.figure("wide", len(kinds), height=0.4 + 2.5 * len(kinds))
        drawn = [cells.cell(self.value.genotype, kind, ax=ax) for kind, ax in zip(kinds, np.atleast_1d(axes))]
        for kind, axis in zip(kinds, made.axes):
            axis.set_title(words.TITLES[kind], loc="left")
        made.supxlabel(textwrap.fill(self.sentence(), 120), fontsize=8)
        return Picture(made, f"{together(*drawn).alt} {self.sentence()}")

    def sentence(self) -> str:
        """The network's cost and the architecture's neighbourhood in words."""
        result, value = self.result(), self.value
        return (
            f"With {value.channels} channels and {value.layers} cells the network has {result.params:,} parameters and "
            f"takes {result.macs:,} multiply-adds for an image of 32x32 pixels; {result.neighbours} of the "
            f"{result.architectures:,} architectures of this space are one change away."
        )

    def _pair(self, index: int) -> tuple[widgets.Dropdown, widgets.Dropdown]:
        """The source and the operation of one kept edge."""
        source = _dropdown("", "Where this edge comes from", lambda new: self._on_pair(index, source=new))
        name = _dropdown("operation", "The operation on this edge", lambda new: self._on_pair(index, operation=new))
        source.layout.width = name.layout.width = "13em"
        source.style.description_width = name.style.description_width = "5em"
        return source, name

    def _on_choice(self, name: str, new: Any) -> None:
        """Another space or size: the architecture stays if the space has it, else the space's first one is shown."""
        if not self._follow:
            return
        parts = {each: getattr(self.value, each) for each in self._choices} | {name: new}
        try:
            self.value = CellBuilderState(**parts, genotype=self.value.genotype)
        except UsageError:
            self.value = cell_building.first(**parts)
            self._redraw()  # where the space allows nothing else, the dropdown goes back

    def _on_kind(self, new: str) -> None:
        self.kind = new

    def _on_pair(self, index: int, *, source: int | None = None, operation: str | None = None) -> None:
        if not self._follow:
            return
        space, genotype = self.value.search_space, self.value.genotype
        pairs = {kind: genotype.cell(kind) for kind in space.groups}
        before = pairs[self.kind][index]
        pair = (operation or before[0], before[1] if source is None else source)
        pairs[self.kind] = cell_building.with_pair(space.groups[self.kind], pairs[self.kind], index, pair)
        self.value = replace(self.value, genotype=space.genotype(pairs))

    def _on_text(self) -> None:
        try:
            self.value = replace(self.value, genotype=spaces.read(self._text.value))
        except UsageError as error:
            self._message.value = html.escape(str(error))

    def _draw(self, _change: Any = None) -> None:
        self._follow = False
        try:
            for name, dropdown in self._choices.items():
                dropdown.value = getattr(self.value, name)
            self._kind.value = self.kind
            self._draw_pairs()
            self._text.value, self._message.value = str(self.value.genotype), ""
        finally:
            self._follow = True
        self._drawing.value = cells.cell_svg(self.value.genotype, self.kind) + f"<p>{self.sentence()}</p>"

    def _draw_pairs(self) -> None:
        cell = self.value.search_space.groups.get(self.kind)
        pairs = self.value.genotype.cell(self.kind)
        fed = targets(pairs, self.value.genotype.concat(self.kind))
        for index, (source_box, name_box) in enumerate(self._pairs):
            shown = cell is not None and index < len(pairs)
            source_box.layout.display = name_box.layout.display = "" if shown else "none"
            if cell is None or not shown:
                continue
            (name, source), node = pairs[index], fed[index]
            source_box.description = f"node {node} ←"
            _set(source_box, [(f"node {cell.edges[edge][0]}", cell.edges[edge][0]) for edge in cell.into(node)], source)
            options = cell.options(cell.edges.index((source, node)), pairs)
            _set(name_box, [(style.operation(option).label, option) for option in options], name)


_BEGIN = cell_building.first(space="s2", nodes=2, reduction="searched", channels=8, layers=5)


def _dropdown(label: str, tip: str, chosen: Callable[[Any], None], options: Sequence[Any] = ()) -> widgets.Dropdown:
    box = widgets.Dropdown(options=options, description=label, tooltip=tip, layout={"width": "14em"})
    box.observe(lambda change: chosen(change["new"]), names="value")
    return box


def _set(box: widgets.Dropdown, options: list[tuple[str, Any]], value: Any) -> None:
    """Show a choice; options that stay are left alone, so that the keyboard's focus stays too."""
    if list(box.options) != options:
        box.options = options
    box.value = value
