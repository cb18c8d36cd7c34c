"""Cells of NAS-Bench-101: what the benchmark allows, and pruning against a graph library."""

from itertools import pairwise

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasbook.runtime.errors import UsageError
from nasbook.spaces.nas_bench_101 import MAX_EDGES, OPERATIONS, Cell101

CHAIN = ((0, 1, 0), (0, 0, 1), (0, 0, 0))
NAMES = ("input", "conv3x3-bn-relu", "output")


@st.composite
def cells(draw):
    """A random cell with a path from its input to its output."""
    count = draw(st.integers(2, 7))
    pairs = [(source, target) for source in range(count) for target in range(source + 1, count)]
    path = sorted({0, count - 1} | draw(st.sets(st.integers(0, count - 1), max_size=3)))
    edges = set(pairwise(path)) | set(draw(st.lists(st.sampled_from(pairs), max_size=5)))
    matrix = tuple(tuple(int((row, column) in edges) for column in range(count)) for row in range(count))
    inner = draw(st.lists(st.sampled_from(OPERATIONS), min_size=count - 2, max_size=count - 2))
    return Cell101(matrix, ("input", *inner, "output"))


def graph(cell):
    made = networkx.DiGraph()
    for vertex, name in enumerate(cell.operations):
        made.add_node(vertex, name=name)
    made.add_edges_from((source, vertex) for vertex in range(len(cell.matrix)) for source in cell.sources(vertex))
    return made


@given(cells())
def test_pruning_keeps_the_vertices_between_input_and_output(cell):
    whole = graph(cell)
    between = (networkx.descendants(whole, 0) | {0}) & (networkx.ancestors(whole, cell.output) | {cell.output})
    expected = whole.subgraph(between)
    pruned = cell.pruned()
    assert networkx.is_isomorphic(graph(pruned), expected, node_match=lambda one, other: one == other)
    assert pruned.operations == tuple(cell.operations[vertex] for vertex in sorted(between))
    assert pruned.pruned() == pruned
    assert pruned.edges == expected.number_of_edges() <= cell.edges <= MAX_EDGES


@pytest.mark.parametrize(
    ("matrix", "operations", "says"),
    [
        (((0,) * 8,) * 8, NAMES, "2 to 7 vertices"),
        (((0,),), ("input",), "2 to 7 vertices"),
        (((0, 1), (0, 0, 0)), ("input", "output"), "square"),
        (((0, 2), (0, 0)), ("input", "output"), "0 and 1"),
        (((0, 1), (1, 0)), ("input", "output"), "above its diagonal"),
        (((1, 1), (0, 0)), ("input", "output"), "above its diagonal"),
        (tuple(tuple(int(j > i) for j in range(5)) for i in range(5)), NAMES, "at most 9 edges, not 10"),
        (CHAIN, ("input", "output"), "3 vertices needs as many operations"),
        (CHAIN, ("input", "output", "output"), "one of the operations maxpool3x3, .*, not 'output'"),
        (CHAIN, ("output", "maxpool3x3", "input"), "begin with 'input'"),
        (((0, 1, 0), (0, 0, 0), (0, 0, 0)), NAMES, "No path"),
    ],
)
def test_what_the_benchmark_does_not_hold_is_refused(matrix, operations, says):
    with pytest.raises(UsageError, match=says):
        Cell101(matrix, operations)
