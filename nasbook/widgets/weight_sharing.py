"""Two architectures as two paths of one supernet: choose their operations, see what they share and how well they do."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cache
from typing import Any

import ipywidgets as widgets
import torch
import traitlets

from nasbook import sizes, strategies
from nasbook.analysis import weight_sharing
from nasbook.analysis.weight_sharing import Shares
from nasbook.figures import paths, paths_svg, style
from nasbook.figures.picture import Picture, together
from nasbook.figures.sharing import apart_and_shared
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, SearchSpace
from nasbook.spaces.genotype import Pair
from nasbook.supernet import Supernet
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import row, side_by_side
from nasbook.widgets.path_buttons import PathButtons

TABLE = "s2_2nodes_fixed"
CLASSES = 10
TASK = (
    "Find two paths that the shared weights put in the wrong order: one is at least 5 points better when trained "
    "apart, and yet worse with shared weights."
)


@dataclass(frozen=True)
class PathScores:
    """What is known of every architecture of a space, recorded beforehand.

    Args:
        space: whose normal cell is searched and whose reduction is fixed.
        genotypes: every architecture, in the order of `strategies.architectures`; their places are their numbers.
        apart: (architectures,) validation accuracy in percent after training from scratch, mean over seeds.
        shared: (architectures,) accuracy in percent with a supernet's shared weights, mean over seeds.
    """

    space: SearchSpace
    genotypes: tuple[Genotype, ...]
    apart: tuple[float, ...]
    shared: tuple[float, ...]

    def number(self, pairs: tuple[Pair, ...]) -> int:
        """The number of the architecture with this normal cell."""
        return self.genotypes.index(self.space.genotype({"normal": pairs}).canonical())


@cache
def stored_scores() -> PathScores:
    """The stored table of trainings from scratch, and the stored supernets at their last mark."""
    table, populations = strategies.tabulated(TABLE), weight_sharing.recorded()
    last = [run[-1] for run in populations.accuracies]
    shared = tuple(sum(scores) / len(scores) for scores in zip(*last))
    genotypes = populations.genotypes
    return PathScores(table.space, genotypes, tuple(table(genotype) for genotype in genotypes), shared)


@dataclass(frozen=True)
class PathsState:
    """What the widget shows: the numbers of architectures A and B."""

    a: int = 0
    b: int = 0

    def __str__(self) -> str:
        return f"A={self.a} B={self.b}"

    @classmethod
    def parse(cls, text: str) -> PathsState:
        """Read `str(state)` back.

        Raises:
            UsageError: the text has another form.
        """
        try:
            a, b = text.split()
            if a[:2] == "A=" and b[:2] == "B=":
                return cls(int(a[2:]), int(b[2:]))
        except (AttributeError, ValueError):
            pass
        raise UsageError(f"A state reads like 'A=3 B=17', not {text!r}.")


@dataclass(frozen=True)
class PathsResult:
    """What two paths share and how well they do, accuracies in percent.

    Args:
        a: architecture A.
        b: architecture B.
        shares: parameters.
        apart: accuracies of A and B, each trained from scratch.
        shared: accuracies of A and B with the shared weights.
    """

    a: Genotype
    b: Genotype
    shares: Shares
    apart: tuple[float, float]
    shared: tuple[float, float]

    @property
    def verdict(self) -> str:
        """Whether the shared weights put A and B in the order of training apart, in one sentence."""
        apart, shared = self.apart[0] - self.apart[1], self.shared[0] - self.shared[1]
        if self.a == self.b:
            return "A and B are the same architecture."
        if apart * shared == 0:
            return "One of the two scores does not tell A and B apart."
        better = "A" if apart > 0 else "B"
        right = f"The shared weights put them in the {'right' if apart * shared > 0 else 'wrong'} order"
        return f"{right}: trained apart, {better} is better by {abs(apart):.1f} points."


def compute(scores: PathScores, state: PathsState) -> PathsResult:
    """Look everything up; nothing is trained.

    Raises:
        UsageError: there is no architecture of this number.
    """
    count = len(scores.genotypes)
    for number in (state.a, state.b):
        if not 0 <= number < count:
            raise UsageError(f"The architectures have the numbers 0 to {count - 1}, not {number}.")
    a, b = scores.genotypes[state.a], scores.genotypes[state.b]
    return PathsResult(
        a,
        b,
        weight_sharing.shares(_supernet(scores.space), a, b),
        (scores.apart[state.a], scores.apart[state.b]),
        (scores.shared[state.a], scores.shared[state.b]),
    )


class WeightSharingPaths(Stateful[PathsState]):
    """Buttons for the operations of paths A and B, both drawn in one cell; shared parameters and accuracies below.

    Args:
        scores: of every architecture; the stored ones without.
        state: where to begin, as `state()` returned it.

    Raises:
        UsageError: the state is of another form, or of an architecture that is not there.
    """

    state_type = PathsState

    a = traitlets.Int(0)
    b = traitlets.Int(0)

    def __init__(self, scores: PathScores | None = None, *, state: str | None = None) -> None:
        self.scores = scores or stored_scores()
        last = len(self.scores.genotypes) - 1
        begin = PathsState(last, min(5, last)) if state is None else self._read(state)
        cell = self.scores.space.normal
        self._paths = {name: PathButtons(name, cell, self._on_choice) for name in ("a", "b")}
        self._drawing = widgets.HTML()
        next_b = self._button("Next B", "Go through the architectures, one after another", self.step)
        swap = self._button(
            "Swap A and B", "A becomes B and B becomes A", lambda: self._show(PathsState(self.b, self.a))
        )
        super().__init__(
            [
                widgets.HTML(f"<b>{TASK}</b>"),
                row([self._paths["a"].box, self._paths["b"].box]),
                row([next_b, swap]),
                self._drawing,
            ],
            a=begin.a,
            b=begin.b,
        )
        self.observe(self._redraw, names=["a", "b"])
        self._redraw()

    def step(self) -> None:
        """Let B be the next architecture; after the last comes the first."""
        self.b = (self.b + 1) % len(self.scores.genotypes)

    def result(self) -> PathsResult:
        """What is shown now."""
        return compute(self.scores, self._state())

    @style.styled
    def figure(self) -> Picture:
        """Both paths in the cell, and their accuracies apart and with shared weights."""
        result = self.result()
        made, axes = style.figure("single", 2, 1, height=6.4)
        drawn = paths(self.scores.space, result.a, result.b, ax=axes[0])
        bars = apart_and_shared({"trained apart": result.apart, "with shared weights": result.shared}, ax=axes[1])
        words = together(drawn, bars).alt
        return Picture(made, f"{words} {self.sentence()}")

    def sentence(self) -> str:
        """The parameters in words, and the verdict on the order."""
        result = self.result()
        counts = result.shares
        return (
            f"Path A uses {counts.a:,} parameters and path B {counts.b:,}; {counts.shared:,} are shared, of which "
            f"{counts.always:,} belong to every path. {result.verdict}"
        )

    @traitlets.validate("a", "b")
    def _check(self, proposal: Any) -> int:
        compute(self.scores, PathsState(proposal["value"], 0))
        return int(proposal["value"])

    def _allowed(self, state: PathsState) -> PathsState:
        compute(self.scores, state)
        return state

    def _on_choice(self, name: str, pairs: tuple[Pair, ...]) -> None:
        self.set_trait(name, self.scores.number(pairs))

    def _draw(self, _change: Any = None) -> None:
        result = self.result()
        for name, genotype in (("a", result.a), ("b", result.b)):
            self._paths[name].show(genotype.normal)
        drawing = paths_svg(self.scores.space, result.a, result.b)
        table, words = _table(self.a, self.b, result), html.escape(self.sentence())
        self._drawing.value = side_by_side([drawing, f"{table}<p>{words}</p>"])


def _table(a: int, b: int, result: PathsResult) -> str:
    """One row a path: number, parameters, both accuracies."""
    head = ("path", "no.", "parameters", "trained apart (%)", "shared weights (%)")
    body = (
        ("A", a, f"{result.shares.a:,}", f"{result.apart[0]:.1f}", f"{result.shared[0]:.1f}"),
        ("B", b, f"{result.shares.b:,}", f"{result.apart[1]:.1f}", f"{result.shared[1]:.1f}"),
    )
    cells = "".join(f'<th scope="col" style="padding:2px 4px">{text}</th>' for text in head)
    rows = "".join(
        "<tr>" + "".join(f'<td style="padding:2px 4px;text-align:right">{text}</td>' for text in row) + "</tr>"
        for row in body
    )
    return f'<table style="font-size:85%"><tr>{cells}</tr>{rows}</table>'


@cache
def _supernet(space: SearchSpace) -> Supernet:
    """The supernet of the class size, with shapes and no numbers: enough to count."""
    size = sizes.get("class").search
    with torch.device("meta"):
        return Supernet(
            space, channels=size.channels, layers=size.layers, classes=CLASSES, stem_stride=size.stem_stride
        )
