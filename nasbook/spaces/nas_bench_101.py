"""A cell of NAS-Bench-101: a small directed graph with operations on its vertices (Ying et al. 2019, section 2).

Vertex 0 is the cell's input and the last vertex its output; every edge leads from a lower to a higher vertex. A cell
has at most 7 vertices and 9 edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasbook.runtime.errors import UsageError

# In the order of the columns of a NAS-Bench-1Shot1 supernet.
OPERATIONS = ("maxpool3x3", "conv3x3-bn-relu", "conv1x1-bn-relu")
MAX_VERTICES, MAX_EDGES = 7, 9


@dataclass(frozen=True)
class Cell101:
    """One cell of NAS-Bench-101.

    Args:
        matrix: (vertices, vertices) of 0 and 1, upper triangular: row = source, column = target.
        operations: one for each vertex: "input", then names of `OPERATIONS`, then "output".

    Raises:
        UsageError: the benchmark has no such cell; the sentence says why.
    """

    matrix: tuple[tuple[int, ...], ...]
    operations: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_graph(self.matrix)
        if len(self.operations) != len(self.matrix):
            raise UsageError(f"A cell of {len(self.matrix)} vertices needs as many operations: {self.operations}.")
        if (self.operations[0], self.operations[-1]) != ("input", "output"):
            raise UsageError(f"The operations begin with 'input' and end with 'output': {self.operations}.")
        for name in self.operations[1:-1]:
            if name not in OPERATIONS:
                raise UsageError(f"A vertex has one of the operations {', '.join(OPERATIONS)}, not {name!r}.")
        if self.output not in _reached(self.matrix):
            raise UsageError("No path leads from the cell's input to its output.")

    @property
    def output(self) -> int:
        """The output's vertex."""
        return len(self.matrix) - 1

    @property
    def edges(self) -> int:
        """The number of edges."""
        return sum(map(sum, self.matrix))

    def sources(self, vertex: int) -> tuple[int, ...]:
        """The vertices that feed a vertex, ascending."""
        return tuple(source for source, row in enumerate(self.matrix) if row[vertex])

    def pruned(self) -> Cell101:
        """The same function without loose ends: without vertices that lie on no path from the input to the output."""
        leading = {self.output}
        for source, target, entry in reversed(_entries(self.matrix)):
            if entry and target in leading:
                leading.add(source)
        kept = sorted(_reached(self.matrix) & leading)
        matrix = tuple(tuple(self.matrix[source][target] for target in kept) for source in kept)
        return Cell101(matrix, tuple(self.operations[vertex] for vertex in kept))


def _check_graph(matrix: tuple[tuple[int, ...], ...]) -> None:
    count = len(matrix)
    if not 2 <= count <= MAX_VERTICES or any(len(row) != count for row in matrix):
        raise UsageError(f"A cell's matrix is square, of 2 to {MAX_VERTICES} vertices.")
    if any(entry not in (0, 1) or (entry and target <= source) for source, target, entry in _entries(matrix)):
        raise UsageError("A cell's matrix holds 0 and 1, and 1 only above its diagonal.")
    if sum(map(sum, matrix)) > MAX_EDGES:
        raise UsageError(f"A cell has at most {MAX_EDGES} edges, not {sum(map(sum, matrix))}.")


def _entries(matrix: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    return [(source, target, entry) for source, row in enumerate(matrix) for target, entry in enumerate(row)]


def _reached(matrix: Sequence[Sequence[int]]) -> set[int]:
    """The vertices that vertex 0 leads to, itself included; edges lead to higher vertices only."""
    found = {0}
    for source, target, entry in _entries(matrix):
        if entry and source in found:
            found.add(target)
    return found
