"""The supernet microscope: scrub through a search, and see weights, accuracies and the cell that they point at.

Microscope(outcome.history, space=space)                 a recorded search
Microscope(one.history, other.history, space=space)      two, side by side
Microscope("runs/my-run")                                a run folder, finished or still under way
scope = Microscope(space=space)                          a live one: hand `scope` to the search as a listener
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook.figures import drawing, style
from nasbook.figures.cells import cell_svg, draw_cell
from nasbook.figures.picture import Picture
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import EpochEnded, Event, Started
from nasbook.spaces import Genotype, SearchSpace, Topology, TopologySpace
from nasbook.widgets.base import Stateful
from nasbook.widgets.lens import State, View, compute
from nasbook.widgets.lens_drawing import WIDTH, draw_view
from nasbook.widgets.page import row, side_by_side
from nasbook.widgets.recordings import Recording, recording

SIDE_BY_SIDE = 2
Edges = SearchSpace | TopologySpace


class Microscope(Stateful[State]):
    """A search epoch by epoch.

    Args:
        *runs: at most two; each a run folder, an outcome of `experiment.search`, or its list of records.
        space: of runs that are not folders, and of live runs.
        titles: what the runs are called; by default the folder's name, or "run 1" and "run 2".
        state: where to point at first, as `state()` wrote it; by default the last epoch and the first edge.

    Raises:
        UsageError: more than two runs, runs of different spaces, records without a space, or a state out of range.
    """

    state_type = State

    epoch = traitlets.Int(1)
    group = traitlets.Unicode("normal")
    edge = traitlets.Int(0)

    def __init__(
        self, *runs: Any, space: Edges | None = None, titles: Sequence[str] = (), state: str | None = None
    ) -> None:
        if len(runs) > SIDE_BY_SIDE:
            raise UsageError(f"The microscope shows one run or two side by side, not {len(runs)}.")
        self.titles, self.started = tuple(titles), 0
        self.recordings = [recording(run, space=space, title=self._next_title()) for run in runs]
        self.space = _one_space([*(each.space for each in self.recordings), *([space] if space else [])])
        self._shown, self._note = widgets.HTML(), widgets.HTML()
        super().__init__([self._controls(), self._shown, row([self._text, self._note])])
        self._settle()
        self.restore(state or str(State(self._epochs(), "normal", 0)))
        self.observe(self._redraw, names=["epoch", "group", "edge"])

    def __call__(self, event: Event) -> None:
        """Listen to a search: each one that starts is a run of its own, and the last two are shown."""
        if isinstance(event, Started) and event.stage == "search":
            self.recordings = [*self.recordings, Recording(self._next_title(), self.space)][-SIDE_BY_SIDE:]
            self._redraw()
        elif isinstance(event, EpochEnded) and event.stage == "search":
            followed = self.epoch >= self.recordings[-1].epochs
            self.recordings[-1].add(event.record)
            self._settle()
            if followed:
                self.epoch = self.recordings[-1].epochs
            self._redraw()

    def restore(self, text: str) -> None:
        """Point the microscope where a state says.

        Raises:
            UsageError: the text is not a state, or names an epoch, a group or an edge that is not there.
        """
        super().restore(text)
        self._redraw()

    def views(self) -> list[View]:
        """What is seen of each run now."""
        return [compute(each, self._state()) for each in self.recordings]

    def reload(self) -> None:
        """Read again the runs that are kept in folders, to follow a search that runs elsewhere."""
        for each in self.recordings:
            each.reload()
        self._settle()
        self._redraw()

    @style.styled
    def figure(self) -> Picture:
        """The current state as a picture."""
        return picture(self.views() or [compute(Recording("no run", self.space), State())])

    @traitlets.validate("epoch")
    def _valid_epoch(self, proposal: Any) -> int:
        return min(max(proposal["value"], 1), self._epochs())

    @traitlets.validate("edge")
    def _valid_edge(self, proposal: Any) -> int:
        return min(max(proposal["value"], 0), len(self.space.groups[self.group].edges) - 1)

    @traitlets.validate("group")
    def _valid_group(self, proposal: Any) -> str:
        return proposal["value"] if proposal["value"] in self.space.groups else self.group

    def _allowed(self, state: State) -> State:
        if state.group not in self.space.groups:
            raise UsageError(f"There is no group {state.group!r}; there is {' and '.join(self.space.groups)}.")
        edges = len(self.space.groups[state.group].edges)
        if state.edge >= edges or not 1 <= state.epoch <= self._epochs():
            raise UsageError(f"There are the edges 0 to {edges - 1} and the epochs 1 to {self._epochs()}.")
        return state

    def _next_title(self) -> str:
        self.started += 1
        return self.titles[self.started - 1] if self.started <= len(self.titles) else f"run {self.started}"

    def _epochs(self) -> int:
        return max([1, *(each.epochs for each in self.recordings)])

    def _settle(self) -> None:
        """Let the controls reach as far as the records do."""
        self._slider.max = self._play.max = self._epochs()

    def _controls(self) -> widgets.HBox:
        self._slider = widgets.IntSlider(1, 1, 1, description="epoch", tooltip="The epoch that is shown")
        self._play = widgets.Play(min=1, max=1, value=1, interval=500, tooltip="Let the epochs pass")
        self._group = widgets.Dropdown(options=list(self.space.groups), description="cell", tooltip="Which cell")
        edges = [(row, place) for place, row in enumerate(self.space.groups["normal"].rows)]  # those of every group
        self._edge = widgets.Dropdown(options=edges, description="edge", tooltip="The edge whose numbers are shown")
        self._text = widgets.Text(
            description="state",
            tooltip="Copy this line, or paste another one",
            continuous_update=False,
            layout={"width": "30em"},
        )
        self._text.observe(self._on_text, names="value")
        widgets.jslink((self._play, "value"), (self._slider, "value"))
        for name, control in (("epoch", self._slider), ("group", self._group), ("edge", self._edge)):
            traitlets.link((self, name), (control, "value"))
        again = self._button("read again", "Read the run folders again", self.reload, width="7em")
        return row(
            [
                self._button("◂ back", "One epoch back", lambda: self._step(-1), width="7em"),
                self._button("step ▸", "One epoch on", lambda: self._step(1), width="7em"),
                self._play,
                self._slider,
                *([self._group] if len(self.space.groups) > 1 else []),
                self._edge,
                *([again] if self._from_folders() else []),
            ]
        )

    def _from_folders(self) -> bool:
        return any(each.folder is not None for each in self.recordings)

    def _step(self, by: int) -> None:
        self.epoch += by

    def _on_text(self, change: Any) -> None:
        self._note.value = ""
        if change["new"] == self.state():
            return
        try:
            self.restore(change["new"])
        except UsageError as error:
            self._note.value = html.escape(str(error))

    def _draw(self, _change: Any = None) -> None:
        self._shown.value = to_html(self.views())
        self._text.value = self.state()


def to_html(views: Sequence[View]) -> str:
    """The derived cells of the runs side by side, under them their charts, and the numbers of the chosen edge."""
    charts = [drawing.svg(draw_view(view)) for view in views]
    derived = [_cell(view.genotype, view.group) if view.genotype is not None else "" for view in views]
    return f"{side_by_side([*derived, *charts])}{_numbers(views)}"


def _numbers(views: Sequence[View]) -> str:
    """The chosen edge's operations with alpha, weight, and whether the derived cell holds them."""
    seen = [view for view in views if view.chosen]
    if not seen:
        return ""
    heads = "".join(
        f'<th scope="colgroup" colspan="3">{html.escape(view.title)}, epoch {view.epoch}</th>' for view in seen
    )
    units = "<th>alpha</th><th>weight</th><th>in the cell</th>" * len(seen)
    rows = ""
    for place, operation in enumerate(seen[0].chosen):
        numbers = "".join(
            f"<td>{each.alpha:+.4f}</td><td>{each.weight:.4f}</td><td>{'yes' if each.kept else ''}</td>"
            for each in (view.chosen[place] for view in seen)
        )
        rows += f'<tr><th scope="row" style="text-align:left">{operation.name}</th>{numbers}</tr>'
    caption = f"edge {seen[0].edges[seen[0].edge]} of the {seen[0].group} cell"
    return (
        f'<table style="border-spacing:1em 0"><caption>{caption}</caption>'
        f"<tr><th></th>{heads}</tr><tr><th></th>{units}</tr>{rows}</table>"
    )


def picture(views: Sequence[View]) -> Picture:
    """The runs side by side, each with the cell that is derived from it."""
    panels = [draw_view(view) for view in views]
    heights = [math.ceil(max(panel.height for panel in panels) / 10) / 10, 2.0 if len(views[0].edges) <= 6 else 3.4]
    figure, axes = style.figure("wide" if len(views) > 1 else "single", 2, len(views), height=sum(heights))
    axes.flat[0].get_gridspec().set_height_ratios(heights)
    for view, panel, (top, bottom) in zip(views, panels, axes.reshape(2, -1).T, strict=True):
        drawing.draw(panel, top)
        top.set_anchor("N")  # a run without tracks is less high than one with
        bottom.set_axis_off()
        if view.genotype is not None:
            drawing.draw(draw_cell(view.genotype, view.group, shape=(WIDTH, 100 * heights[1])), bottom)
    return Picture(figure, " ".join(view.sentence() for view in views))


@lru_cache(maxsize=256)
def _cell(genotype: Genotype | Topology, group: str) -> str:
    return cell_svg(genotype, group)


def _one_space(found: Sequence[Edges]) -> Edges:
    if not found:
        raise UsageError("A microscope without a run needs the space that will be searched: give space=.")
    if any(other != found[0] for other in found[1:]):
        raise UsageError("The runs of one microscope must be searches of one space.")
    if not isinstance(found[0], Edges):
        raise UsageError(f"The microscope shows operations on edges; in space {found[0].name} they stand on nodes.")
    return found[0]
