"""What a drawn cell shows, in words; and small helpers for the sentences of all pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from nasbook.figures import style
from nasbook.spaces import Cell, Genotype, SearchSpace, Topology, TopologySpace
from nasbook.spaces.nas_bench_201 import TopologyCell

TITLES = {"normal": "normal cell", "reduce": "reduction cell"}
_PLACES = {
    "darts": {0: "the cell before the last", 1: "the last cell"},
    "nas-bench-201": {0: "the input", 3: "the output"},
}


def listed(words: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def trend(values: Sequence[float] | np.ndarray, digits: int = 1) -> str:
    """ "rises from 1.0 to 2.0", "falls from ... to ...", or "stays at 1.0", by the first and the last value."""
    first, last = (f"{float(value):.{digits}f}" for value in (values[0], values[-1]))
    if first == last:
        return (
            f"stays at {first}" if len(values) == 1 or np.ptp(values) < 10.0**-digits else f"starts and ends at {first}"
        )
    return f"{'rises' if float(last) > float(first) else 'falls'} from {first} to {last}"


def counted(number: int, noun: str) -> str:
    """ "1 edge", "2 edges"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def place(node: int, family: str = "darts") -> str:
    """A node in words."""
    return _PLACES[family].get(node, f"node {node}")


def title(group: str) -> str:
    """A group of architecture parameters in words."""
    return TITLES.get(group, f"group {group!r}")


def describe_genotype(genotype: Genotype | Topology, kind: str) -> str:
    """Which operation feeds which node, what is put out, and which operation occurs how often."""
    feeds: dict[int, list[str]] = {}
    for source, target, name in genotype.edges(kind):
        what = "nothing" if name == "none" else style.operation(name).label
        feeds.setdefault(target, []).append(f"{what} of {place(source, genotype.family)}")
    nodes = "; ".join(f"{place(node, genotype.family)} sums {listed(words)}" for node, words in feeds.items())
    counts = Counter(name for _, _, name in genotype.edges(kind)).most_common()
    share = listed(f"{style.operation(name).label} {count}×" for name, count in counts)
    puts = ""
    if isinstance(genotype, Genotype):
        joined = genotype.concat(kind)
        puts = f"Its output joins {'node' if len(joined) == 1 else 'nodes'} {listed(map(str, joined))}. "
    return f"The {TITLES[kind]} has {counted(len(feeds), 'node')}: {nodes}. {puts}It holds {share}."


def describe_space(space: SearchSpace | TopologySpace, kind: str) -> str:
    """How many edges, how many operations on each, how many cells."""
    cell = space.groups[kind]
    names = listed(style.operation(name).label for name in dict.fromkeys(sum(cell.operations, ())))
    return (
        f"The {TITLES[kind]} of space {space.name}: {counted(cell.shape[0], 'edge')} into "
        f"{counted(len(cell.nodes), 'node')}, {counted(cell.shape[1], 'operation')} on each, taken from {names}. "
        f"That makes {cell.size():,} different cells."
    )


def describe_mixed(cell: Cell | TopologyCell, kind: str, values: np.ndarray) -> str:
    """The strongest operation of each edge and its weight.

    Args:
        cell: the graph.
        kind: "normal" or "reduce".
        values: (edges, operations) weights.
    """
    best = values.argmax(axis=1)
    edges = listed(
        f"{source} to {target}: {style.operation(names[top]).label} {values[index, top]:.2f}"
        for index, ((source, target), names, top) in enumerate(zip(cell.edges, cell.operations, best, strict=True))
    )
    top = Counter(names[best[index]] for index, names in enumerate(cell.operations)).most_common(1)[0]
    return (
        f"The {TITLES[kind]} as a mixture, each operation as thick as its weight. The strongest by edge: {edges}. "
        f"{style.operation(top[0]).label} leads on {top[1]} of {counted(len(cell.edges), 'edge')}."
    )
