"""Right and typical wrong answers to the exercises of chapter 02."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import networkx
import pytest

from nasbook import spaces
from nasbook.course.exercises import find_exercise, judge
from nasbook.course.exercises.chapter_02 import all_cells, renamed
from nasbook.widgets.cell_building import first


def verdict(exercise: str, attempt: Any) -> tuple[str, str]:
    return judge(find_exercise(exercise), attempt)


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda inputs, k: math.prod(math.comb(n, 2) * k**2 for n in inputs), "right."),
        (lambda inputs, k: k ** sum(inputs), "each node keeps two"),
        (lambda inputs, k: math.prod(n * (n - 1) * k**2 for n in inputs), "both orders"),
        (lambda inputs, k: sum(math.comb(n, 2) * k**2 for n in inputs), "add over the nodes"),
        (lambda inputs, k: math.prod(math.comb(n, 2) * k for n in inputs), "is not right"),
        (lambda inputs, k: None, "must be a whole number"),
        (lambda inputs, k: True, "must be a whole number"),
    ],
)
def test_cell_size(attempt: Callable[..., Any], said: str) -> None:
    assert said in verdict("02.1", attempt)[1]


def skips(normal: tuple[int, ...], reduce: tuple[int, ...], operation: str = "skip_connect") -> str:
    pairs = {"normal": tuple((operation, s) for s in normal), "reduce": tuple(("skip_connect", s) for s in reduce)}
    begin = first(space="s2", nodes=3, reduction="searched", channels=16, layers=8)
    return str(begin).partition("genotype=")[0] + f"genotype={spaces.get('s2', nodes=3).genotype(pairs)}"


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (skips((0, 1, 0, 1, 0, 1), (0, 1, 1, 2, 2, 3)), "right."),
        (skips((0, 1, 0, 1, 0, 1), (0, 1, 0, 1, 0, 1)), "3 skip connections"),
        (skips((0, 1, 0, 1, 0, 1), (0, 1, 1, 2, 1, 3)), "1 skip connection"),
        (skips((0, 1, 0, 1, 0, 1), (0, 1, 1, 2, 2, 3), "sep_conv_3x3"), "must be skip_connect"),
        (str(first(space="s2", nodes=2, reduction="searched", channels=8, layers=5)), "with 3 nodes"),
        (str(first(space="s2", nodes=3, reduction="fixed", channels=8, layers=5)), "a searched reduction cell"),
        ("nonsense", "A state reads like"),
        (3, "Give the text"),
    ],
)
def test_cheapest_skips(attempt: Any, said: str) -> None:
    assert said in verdict("02.2", attempt)[1]


def test_the_cheapest_skips_are_the_cheapest_of_all() -> None:
    """The count of paying edges orders the parameters, over every all-skip reduction cell."""
    from nasbook.widgets.network_cost import network_cost

    space = spaces.get("s2", nodes=3)
    costs: dict[int, set[int]] = {}
    for cell in all_cells("s2", 3):
        if all(name == "skip_connect" for name, _ in cell):
            genotype = space.genotype({"normal": cell, "reduce": cell})
            paid = sum(source < 2 for _, source in cell)
            costs.setdefault(paid, set()).add(network_cost(genotype, channels=8, layers=5)["params"])
    assert min(costs) == 3
    assert all(len(values) == 1 for values in costs.values())
    assert [min(costs[paid]) for paid in sorted(costs)] == sorted(min(values) for values in costs.values())


def right_parameters(name: str, channels: int, stride: int) -> int:
    if name == "skip_connect" and stride == 2:
        return channels**2 + 2 * channels
    if "conv" not in name:
        return 0
    unit = int(name[-1]) ** 2 * channels + channels**2 + 2 * channels
    return 2 * unit if name.startswith("sep") else unit


def without_norms(name: str, channels: int, stride: int) -> int:
    norms = 0 if right_parameters(name, channels, stride) == 0 else 2 * channels * (1 + name.startswith("sep"))
    return right_parameters(name, channels, stride) - norms


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (right_parameters, "right."),
        (without_norms, "leave out scale and shift"),
        (lambda name, c, s: right_parameters(name, c, s) // (1 + name.startswith("sep")), "runs its unit twice"),
        (lambda name, c, s: right_parameters(name, c, 1), "skip_connect with 4 channels at stride 2 is not right"),
        (lambda name, c, s: None, "is a return missing?"),
    ],
)
def test_operation_parameters(attempt: Callable[..., Any], said: str) -> None:
    assert said in verdict("02.3", attempt)[1]


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda cells: len({renamed(cell) for cell in cells}), "right."),
        (len, "take no two cells for the same"),
        (lambda cells: len({tuple(sorted(cell)) for cell in cells}), "too few"),
        (lambda cells: len(cells) - 1, "too few"),
        (lambda cells: None, "is a return missing?"),
    ],
)
def test_distinct_cells(attempt: Callable[..., Any], said: str) -> None:
    assert said in verdict("02.4", attempt)[1]


@pytest.mark.parametrize(("name", "nodes"), [("s2", 1), ("s2", 2), ("s3", 2)])
def test_renamed_cells_are_equal_just_when_their_graphs_are_isomorphic(name: str, nodes: int) -> None:
    def graph(cell: Any) -> networkx.DiGraph:
        made = networkx.DiGraph()
        made.add_nodes_from((node, {"fixed": node}) for node in (0, 1))
        made.add_nodes_from((node, {"fixed": None}) for node in range(2, 2 + nodes))
        made.add_edges_from((s, 2 + i // 2, {"name": operation}) for i, (operation, s) in enumerate(cell))
        return made

    cells = list(all_cells(name, nodes))
    assert len(cells) == len(set(cells)) == spaces.get(name, nodes=nodes, reduction="fixed").size()
    found: list[networkx.DiGraph] = []
    for cell in cells:
        new = graph(cell)
        if not any(
            networkx.is_isomorphic(new, old, node_match=lambda a, b: a == b, edge_match=lambda a, b: a == b)
            for old in found
        ):
            found.append(new)
    assert len({renamed(cell) for cell in cells}) == len(found)
