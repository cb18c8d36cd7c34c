"""The exercises of chapter 02, cell-based search spaces."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations, permutations, product
from typing import Any

from nasbook import spaces
from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect
from nasbook.spaces.genotype import Pair
from nasbook.spaces.operations import Normalising, build
from nasbook.supernet import parameters

ALL_SKIP_SPACE = "s2"
ALL_SKIP_NODES = 3
OPERATIONS_SECTION = "What an operation is made of"
OPERATIONS = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)


def check_cell_size(attempt: Callable[[tuple[int, ...], int], int]) -> None:
    """(edges into each node), operations an architecture may hold -> number of architectures of the cell."""
    for inputs, operations in (((2,), 7), ((2, 3), 2), ((2, 3, 4, 5), 7), ((2, 3, 4), 3)):
        got, edges = attempt(inputs, operations), sum(inputs)
        right = math.prod(math.comb(count, 2) * operations**2 for count in inputs)
        where = f"for {inputs} edges and {operations} operations"
        expect(
            isinstance(got, int | float) and not isinstance(got, bool), f"The result {where} must be a whole number."
        )
        if got == right:
            continue
        expect(got != operations**edges, f"You count a choice on all {edges} edges {where}, but each node keeps two.")
        expect(
            got != math.prod(count * (count - 1) * operations**2 for count in inputs),
            f"You count the two edges of a node in both orders {where}; their sum does not depend on the order.",
        )
        expect(
            got != sum(math.comb(count, 2) * operations**2 for count in inputs),
            f"You add over the nodes {where}; the choices at the nodes are free of each other.",
        )
        raise WrongAnswer(f"The number {where} is not right.")


def check_cheapest_skips(attempt: Any) -> None:
    """A state of the cell builder: S2, three nodes, all skip_connect, as few parameters as possible."""
    from nasbook.widgets.cell_building import CellBuilderState

    expect(isinstance(attempt, str), "Give the text that builder.state() returns.")
    state = CellBuilderState.parse(attempt)
    wanted = (ALL_SKIP_SPACE, ALL_SKIP_NODES, "searched")
    expect(
        (state.space, state.nodes, state.reduction) == wanted,
        f"Choose the space {ALL_SKIP_SPACE} with {ALL_SKIP_NODES} nodes and a searched reduction cell.",
    )
    edges = len(state.genotype.normal) + len(state.genotype.reduce)
    expect(state.genotype.count("skip_connect") == edges, "Every operation of both cells must be skip_connect.")
    paid = sum(source < 2 for _, source in state.genotype.reduce)
    fewest = 2 + sum(max(0, 2 - earlier) for earlier in range(1, ALL_SKIP_NODES))
    expect(
        paid == fewest,
        f"{paid - fewest} skip connections of the reduction cell still pay for parameters that others do not.",
    )


def check_operation_parameters(attempt: Callable[[str, int, int], int]) -> None:
    """(name, channels, stride) -> parameters of an operation with learned scale and shift."""
    for name, channels, stride in product(OPERATIONS, (4, 6), (1, 2)):
        module = build(name, channels, stride, normalising=Normalising(), pool_norm=False)
        got, right = attempt(name, channels, stride), parameters(module)
        where = f"{name} with {channels} channels at stride {stride}"
        expect(got is not None, f"For {where} you return nothing (is a return missing?).")
        norms = 2 * channels * (2 if name.startswith("sep_conv") else 1)
        expect(right == 0 or got != right - norms, f"For {where} you leave out scale and shift of the normalisation.")
        expect(
            not name.startswith("sep_conv") or 2 * got != right,
            f"For {where} you count one of two: a separable convolution runs its unit twice.",
        )
        expect(got == right, f"The number for {where} is not right.")


def check_distinct_cells(attempt: Callable[[list[tuple[Pair, ...]]], int]) -> None:
    """A list of cells -> how many remain when cells that differ by the numbers of their nodes count once."""
    for name, nodes in (("s2", 1), ("s2", 2), ("s3", 2), ("s2", 3)):
        cells = list(all_cells(name, nodes))
        got, right = attempt(cells), len({renamed(cell) for cell in cells})
        where = f"{nodes} node{'s' * (nodes > 1)} in {name}, {len(cells)} cells in all,"
        expect(got is not None, f"For {where} you return nothing (is a return missing?).")
        expect(got != len(cells) or got == right, f"For {where} you take no two cells for the same.")
        more = isinstance(got, int) and got > right
        advice = (
            "too many: after a renaming, sort the pairs of a node and compare whole cells."
            if more
            else "too few: nodes 0 and 1 are different tensors and keep their numbers."
        )
        expect(got == right, f"For {where} your number is {advice}")


def all_cells(name: str, nodes: int) -> Iterator[tuple[Pair, ...]]:
    """Every normal cell of a space, each node's pairs by ascending source."""
    cell = spaces.get(name, nodes=nodes, reduction="fixed").normal
    options = []
    for node in cell.nodes:
        edges = [(cell.edges[edge][0], cell.choices(edge)) for edge in cell.into(node)]
        options.append(
            [
                ((one, first), (two, second))
                for (first, left), (second, right) in combinations(edges, 2)
                for one, two in product(left, right)
            ]
        )
    return (tuple(pair for node in cell for pair in node) for cell in product(*options))


def renamed(cell: tuple[Pair, ...]) -> tuple[tuple[Pair, ...], ...]:
    """The smallest of all ways to number the intermediate nodes of a cell: equal for equal graphs."""
    nodes = range(2, 2 + len(cell) // 2)
    ways = []
    for order in permutations(nodes):
        name = dict(zip((0, 1, *nodes), (0, 1, *order), strict=True))
        feeds = {
            name[node]: sorted((operation, name[source]) for operation, source in cell[2 * node - 4 : 2 * node - 2])
            for node in nodes
        }
        ways.append(tuple(tuple(feeds[node]) for node in nodes))
    return min(ways)


EXERCISES = (
    Exercise("02.1", "count the architectures of a cell", "easy", 5, check_cell_size, "equation (2.2)"),
    Exercise("02.2", "the cheapest skips", "easy", 10, check_cheapest_skips, f"the section {OPERATIONS_SECTION}"),
    Exercise(
        "02.3",
        "parameters of an operation",
        "medium",
        15,
        check_operation_parameters,
        f"the section {OPERATIONS_SECTION}",
    ),
    Exercise("02.4", "count cells that differ", "hard", 25, check_distinct_cells, "the section Counting architectures"),
)
