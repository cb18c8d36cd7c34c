"""S2's supernet with a convolution on the edges that the reader chooses: what every choice is worth was recorded.

ForcedConvolutions()                                  the book's own study
ForcedConvolutions(claims.runs("strength-s2"))        the same, read by the caller
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import ipywidgets as widgets
import traitlets

from nasbook import claims, spaces
from nasbook.figures import cells, strength, style
from nasbook.figures.picture import Picture, together
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, SearchSpace
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import beside, row
from nasbook.widgets.state import NamedState, names

STUDY = "strength-s2"
TASK = (
    "Give one edge alone the convolution: on which edge is it worth most? Is it the edge on which alpha gives the "
    "convolution its largest weight? Ask another seed."
)


@dataclass(frozen=True)
class ForcedState(NamedState):
    """What the widget shows: a seed, and for each edge a 1 where it holds the convolution."""

    seed: int = 4
    edges: str = "00000"


@dataclass(frozen=True)
class Forced:
    """What one choice is worth, accuracies in percent.

    Args:
        cell: that the choice stands for; every edge is kept.
        accuracy: of the supernet after tuning.
        rank: of the choice among all, 1 for the best.
        ways: how many choices there are.
        chosen: what alpha and what perturbation choose, with their accuracies.
    """

    cell: Genotype
    accuracy: float
    rank: int
    ways: int
    chosen: dict[str, tuple[str, float]]

    def sentence(self) -> str:
        """The choice and both selections in words."""
        others = "; ".join(f"{name} chooses {text} with {value:.1f} %" for name, (text, value) in self.chosen.items())
        return f"{self.accuracy:.1f} %, number {self.rank} of {self.ways}. By their edges, {others}."


@dataclass(frozen=True)
class Answer:
    """The task's answer for one seed: where one convolution is worth most, and where alpha gives it most weight."""

    worth_most: str
    largest_weight: str

    @property
    def same(self) -> bool:
        """Whether one edge is both."""
        return self.worth_most == self.largest_weight


def compute(values: Mapping[str, Any], space: SearchSpace, state: ForcedState) -> Forced:
    """Look a choice up among the recorded ones.

    Args:
        values: of one seed of the study of strength, with convolutions forced.
        space: of its supernet.
        state: the choice.

    Raises:
        UsageError: the choice is of another form.
    """
    accuracies = values["assignments"]
    pairs = strength.pairs(space, strength.assignment(space, state.edges))
    accuracy = accuracies[state.edges]
    chosen = {
        name: (values[key], accuracies[values[key]]) for name, key in (("alpha", "magnitude"), ("perturbation", "pt"))
    }
    rank = 1 + sum(other > accuracy for other in accuracies.values())
    return Forced(space.genotype({"normal": pairs}), accuracy, rank, len(accuracies), chosen)


def answer(values: Mapping[str, Any], space: SearchSpace) -> Answer:
    """The task's answer for one seed; of equal edges the first."""
    alone = ["0" * edge + "1" + "0" * (space.edges - 1 - edge) for edge in range(space.edges)]
    worth = [values["assignments"][text] for text in alone]
    weights = [
        sum(weight for name, weight in zip(each["operations"], each["weights"], strict=True) if "conv" in name)
        for each in values["strengths"]
        if each["group"] == "normal"
    ]
    rows = space.normal.rows
    return Answer(rows[worth.index(max(worth))], rows[weights.index(max(weights))])


class ForcedConvolutions(Stateful[ForcedState]):
    """A seed, and a button for each edge: skip connection or convolution.

    Args:
        runs: of the study; the book's own without.
        space: of the supernet; the study's own at class size without.
        state: where to begin, as `state()` returned it; what alpha chooses for the first seed without.

    Raises:
        UsageError: nothing is measured, or the state is of another form or names what is not there.
    """

    state_type = ForcedState

    seed = traitlets.Int()
    edges = traitlets.Unicode()

    def __init__(
        self,
        runs: Sequence[claims.Run] | None = None,
        *,
        space: SearchSpace | None = None,
        state: str | None = None,
    ) -> None:
        self.values = {run.seed: run.values for run in (claims.runs(STUDY) if runs is None else runs)}
        self.space = space or spaces.get("s2", nodes=2, reduction="fixed")
        first = next(iter(self.values))
        begin = ForcedState(first, self.values[first]["magnitude"]) if state is None else self._read(state)
        self._seed = widgets.Dropdown(
            options=list(self.values), description="seed", tooltip="The seed of the search", layout={"width": "12em"}
        )
        self._edges = [self._edge_button(edge) for edge in range(self.space.edges)]
        self._shown = widgets.HTML()
        choices = [
            self._button(text, tip, partial(self._show_selection, key))
            for text, tip, key in (
                ("alpha's choice", "What the larger weights point at", "magnitude"),
                ("perturbation's choice", "What selection by perturbation decides", "pt"),
            )
        ]
        controls = row([self._seed, *choices])
        super().__init__([widgets.HTML(f"<b>{TASK}</b>"), controls, beside(self._edges, self._shown)])
        self._begin(begin, [("seed", self._seed)])

    def _show_selection(self, key: str) -> None:
        self.set_trait("edges", self.values[self.seed][key])

    def result(self) -> Forced:
        """What the shown choice is worth."""
        return compute(self.values[self.seed], self.space, self._state())

    def answer(self) -> Answer:
        """The task's answer for the seed that is shown."""
        return answer(self.values[self.seed], self.space)

    @style.styled
    def figure(self) -> Picture:
        """The cell, and its accuracy among those of all choices."""
        result = self.result()
        _, axes = style.figure("wide", 1, 2)
        drawn = cells.cell(result.cell, ax=axes[0])
        ways = strength.assignments(self.values[self.seed], at=self.edges, ax=axes[1])
        return Picture(drawn.figure, f"{together(drawn, ways).alt} {result.sentence()}")

    @traitlets.validate(*names(ForcedState))
    def _check(self, proposal: Any) -> Any:
        return self._checked(proposal)

    def _allowed(self, state: ForcedState) -> ForcedState:
        if state.seed not in self.values:
            raise UsageError(f"There is no seed {state.seed}; there is {', '.join(map(str, self.values))}.")
        strength.assignment(self.space, state.edges)
        return state

    def _edge_button(self, edge: int) -> widgets.ToggleButtons:
        names = self.space.normal.operations[edge]
        options = [(style.operation(name).label, "01"["conv" in name]) for name in names]
        made = widgets.ToggleButtons(
            options=options,
            description=self.space.normal.rows[edge],
            tooltip=f"The operation of edge {self.space.normal.rows[edge]}",
            style={"button_width": "6em", "description_width": "4em"},
        )
        made.observe(lambda change: self._choose(edge, change["new"]), names="value")
        return made

    def _choose(self, edge: int, sign: str) -> None:
        if self.edges:  # not while the widget is being made
            self.edges = self.edges[:edge] + sign + self.edges[edge + 1 :]

    def _draw(self, _change: Any = None) -> None:
        for control, sign in zip(self._edges, self.edges, strict=True):
            control.value = sign
        result = self.result()
        words = html.escape(result.sentence())
        self._shown.value = f"<p>{words}</p><div>{cells.cell_svg(result.cell)}</div>"
