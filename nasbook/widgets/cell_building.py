"""What the cell builder works with, as plain values: its state, what is computed of it, and the changes it makes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Cell, Genotype, SearchSpace
from nasbook.spaces.genotype import Pair, targets
from nasbook.widgets.network_cost import network_cost

CHANNELS, LAYERS = (8, 16, 36), (5, 8, 20)
SPACES = tuple(name for name in spaces.names() if spaces.family(name) == "darts")  # whose cells are built of pairs
NODES, REDUCTIONS = (1, 2, 3, 4), ("searched", "fixed")
_FORM = re.compile(
    r"\s*space=([\w-]+) nodes=(\d) reduction=(\w+) channels=(\d{1,3}) layers=(\d{1,3}) genotype=(.+)", re.DOTALL
)


@dataclass(frozen=True)
class CellBuilderState:
    """One architecture, the space that it is taken from, and the size of its network.

    Raises:
        UsageError: a part is not allowed, or the architecture is not in the space.
    """

    space: str
    nodes: int
    reduction: str
    channels: int
    layers: int
    genotype: Genotype

    def __post_init__(self) -> None:
        if self.channels not in CHANNELS or self.layers not in LAYERS:
            raise UsageError(
                f"The builder has {', '.join(map(str, CHANNELS))} channels and {', '.join(map(str, LAYERS))} cells, "
                f"not {self.channels} and {self.layers}."
            )
        if spaces.family(self.space) != "darts":
            raise UsageError(f"The builder has the spaces {', '.join(SPACES)}, not {self.space}.")
        space = self.search_space
        if self.nodes != space.nodes or (self.reduction == "searched") != (space.reduce is not None):
            raise UsageError(f"The space {self.space} has {space.nodes} node, and its reduction is fixed.")
        space.check(self.genotype)

    @property
    def search_space(self) -> SearchSpace:
        """The space by its name, number of nodes and kind of reduction."""
        return spaces.get(self.space, nodes=self.nodes, reduction=self.reduction)

    def __str__(self) -> str:
        return (
            f"space={self.space} nodes={self.nodes} reduction={self.reduction} "
            f"channels={self.channels} layers={self.layers} genotype={self.genotype}"
        )

    @classmethod
    def parse(cls, text: str) -> CellBuilderState:
        """Read `str(state)` back.

        Raises:
            UsageError: the text has another form, or says what is not allowed.
        """
        found = _FORM.fullmatch(text)
        if not found:
            raise UsageError(
                "A state reads like 'space=s2 nodes=2 reduction=fixed channels=8 layers=5 genotype=Genotype(...)'."
            )
        space, nodes, reduction, channels, layers, genotype = found.groups()
        return cls(space, int(nodes), reduction, int(channels), int(layers), spaces.parse_genotype(genotype))


@dataclass(frozen=True)
class CellBuilderResult:
    """What is known of a state's architecture.

    Args:
        params: parameters of its network.
        macs: multiply-adds of one 32x32 image.
        neighbours: how many architectures are one change away.
        architectures: how many the space has.
    """

    params: int
    macs: int
    neighbours: int
    architectures: int


def compute(state: CellBuilderState) -> CellBuilderResult:
    """Costs and counts of a state: nothing is trained."""
    space = state.search_space
    cost = network_cost(state.genotype, channels=state.channels, layers=state.layers)
    return CellBuilderResult(cost["params"], cost["macs"], len(space.neighbours(state.genotype)), space.size())


def sample(space: SearchSpace, draw: int) -> Genotype:
    """The random architecture of a space with this number: equal numbers give equal architectures."""
    return space.sample(torch.Generator().manual_seed(draw))


def neighbour(space: SearchSpace, genotype: Genotype, draw: int) -> Genotype:
    """The random neighbour of an architecture with this number."""
    around = space.neighbours(genotype)
    return around[int(torch.randint(len(around), (), generator=torch.Generator().manual_seed(draw)))]


def with_pair(cell: Cell, pairs: tuple[Pair, ...], index: int, pair: Pair) -> tuple[Pair, ...]:
    """An architecture of a cell with another pair at `index`.

    If another edge into the node comes from the new source already, the two change places. An operation that an edge
    does not have becomes that edge's first.

    Args:
        cell: the space's cell.
        pairs: the architecture's.
        index: of the pair to change.
        pair: the new (operation, source).
    """
    fed, changed = targets(pairs, cell.nodes), list(pairs)

    def fitting(name: str, source: int) -> Pair:
        options = cell.options(cell.edges.index((source, fed[index])), pairs)
        return (name if name in options else options[0]), source

    for other, (name, source) in enumerate(pairs):
        if other != index and fed[other] == fed[index] and source == pair[1]:
            changed[other] = fitting(name, pairs[index][1])
    changed[index] = fitting(*pair)
    return tuple(changed)


def first(*, space: str, nodes: int, reduction: str, channels: int, layers: int) -> CellBuilderState:
    """Where the builder begins in a space; the toy edge has one node and a fixed reduction, whatever is asked for.

    Raises:
        UsageError: a part is not allowed.
    """
    if space == "toy":
        nodes, reduction = 1, "fixed"
    drawn = sample(spaces.get(space, nodes=nodes, reduction=reduction), 0)
    return CellBuilderState(space, nodes, reduction, channels, layers, drawn)
