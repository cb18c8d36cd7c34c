"""The named search spaces: DARTS with 8 and 7 operations, S1 to S4, the lecture's toy edge, those of benchmarks.

Sources: Liu et al. 2019 (DARTS); Zela et al. 2020, section 3 (S1 to S4, the lists as in the authors' released code).
The benchmarks' spaces stand in files of their own.
"""

from __future__ import annotations

from typing import Any

from nasbook.runtime import values
from nasbook.runtime.errors import UsageError
from nasbook.spaces.nas_bench_1shot1 import NODE_SPACES
from nasbook.spaces.nas_bench_201 import TopologySpace
from nasbook.spaces.space import Cell, SearchSpace

MAX_NODES = 4

DARTS_OPERATIONS = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
# One list for all edges of both cells; the order is the order of the columns of alpha.
UNIFORM = {
    "darts": DARTS_OPERATIONS,
    "darts7": DARTS_OPERATIONS[1:],
    "s2": ("skip_connect", "sep_conv_3x3"),
    "s3": ("none", "skip_connect", "sep_conv_3x3"),
    "s4": ("noise", "sep_conv_3x3"),
}
TITLES = {
    "darts": "the space of DARTS, 8 operations",
    "darts7": "the space of DARTS without none (SmoothDARTS, DrNAS, DARTS-PT)",
    "s1": "two operations an edge, chosen edge by edge",
    "s2": "skip or separable convolution",
    "s3": "none, skip or separable convolution",
    "s4": "noise or separable convolution",
    "toy": "one edge, three operations: the lecture's picture of a mixed operation",
    "nas-bench-201": "one cell of six edges, five operations: every architecture is in a benchmark",
    "nas-bench-1shot1-1": "four nodes of two parents, the first of one: in NAS-Bench-101",
    "nas-bench-1shot1-2": "four nodes of one or two parents, three to the output: in NAS-Bench-101",
    "nas-bench-1shot1-3": "five nodes of one or two parents, two to the output: in NAS-Bench-101",
}
# Spaces that a tabular benchmark fixed: one size each.
BENCHMARKS: dict[str, Any] = {"nas-bench-201": TopologySpace(), **NODE_SPACES}
TOY_OPERATIONS = ("skip_connect", "max_pool_3x3", "sep_conv_3x3")

_SHORT = {
    "skip": "skip_connect",
    "max": "max_pool_3x3",
    "avg": "avg_pool_3x3",
    "sep3": "sep_conv_3x3",
    "dil3": "dil_conv_3x3",
    "dil5": "dil_conv_5x5",
}
# Edge by edge in the order 0->2, 1->2, 0->3, 1->3, 2->3, 0->4, ..., 4->5.
_S1 = {
    "normal": (
        "skip dil3, skip dil5, skip dil5, skip sep3, skip dil3, max skip, skip sep3, "
        "skip sep3, skip dil3, skip sep3, max skip, skip dil3, dil3 dil5, dil3 dil5"
    ),
    "reduce": (
        "max avg, max dil3, max avg, max avg, skip dil5, max avg, max sep3, "
        "skip dil3, skip dil5, max avg, max avg, skip dil5, skip dil5, skip dil5"
    ),
}


def names() -> list[str]:
    """The names of all spaces."""
    return list(TITLES)


def get(name: str, *, nodes: int | None = None, reduction: str | None = None) -> Any:
    """A named space, as published or smaller.

    Args:
        name: one of `names()`.
        nodes: intermediate nodes of a cell of the DARTS family, up to four; fewer keep the first edges and their lists.
        reduction: of the DARTS family: "searched" as published, or "fixed": the reduction cell is one FactorizedReduce.

    Returns:
        A `SearchSpace`, or the space of another family; all can do what `Space` says.

    Raises:
        UsageError: no such space, number of nodes or kind of reduction.
    """
    if name not in TITLES:
        raise UsageError(f"Space {name!r} does not exist; there are {', '.join(TITLES)}.")
    if reduction not in (None, "searched", "fixed"):
        raise UsageError(f"The reduction is 'searched' or 'fixed', not {reduction!r}.")
    if name in BENCHMARKS:
        if nodes is not None or reduction == "searched":
            raise UsageError(f"Space {name} has one size, and its reduction is fixed: leave nodes and reduction out.")
        return BENCHMARKS[name]
    nodes = MAX_NODES if nodes is None else values.cast("nodes", nodes, int)
    if not 1 <= nodes <= MAX_NODES:
        raise UsageError(f"A cell has 1 to {MAX_NODES} intermediate nodes, not {nodes!r}.")
    if name == "toy":
        return SearchSpace(name, Cell(((1, 2),), (TOY_OPERATIONS,), keep=1), None)
    reduce = None if reduction == "fixed" else _cell(name, "reduce", nodes)
    return SearchSpace(name, _cell(name, "normal", nodes), reduce)


def family(name: str) -> str:
    """The family of a named space ("darts" where there is no such space, which `get` refuses)."""
    return BENCHMARKS[name].family if name in BENCHMARKS else "darts"


def _cell(name: str, kind: str, nodes: int) -> Cell:
    edges = tuple((source, target) for target in range(2, 2 + nodes) for source in range(target))
    if name == "s1":
        lists = tuple(tuple(_SHORT[short] for short in edge.split()) for edge in _S1[kind].split(", "))
        return Cell(edges, lists[: len(edges)])
    return Cell(edges, (UNIFORM[name],) * len(edges))
