"""The errors of skip connection and convolution, measured on the edges of a trained supernet.

The theory of `skip_domination` speaks of a map m that all edges estimate. A supernet does not say what m is, so it has
to be chosen, and what is measured depends on the choice:

- "cell": the mean of the nodes of the same cell from the edge's target on. It holds the edge's own output, in which the
  operation of the larger weight has the larger share, so that predicted and learned weights may agree for this reason
  alone. The control is to measure with `equal` weights.
- "last": the mean of the nodes of the last cell with maps of that shape. In the DARTS family a 1x1 convolution that
  mixes channels begins each cell, so that channels of one number need not mean the same in two of them; the cells of
  NAS-Bench-201 hand their channels on.
- "others": what the other edges into the same node bring, in sum. It holds nothing of the edge itself.

Everything is standardised first, each channel to mean 0 and variance 1 over the images and positions of a batch: a
convolution's output is normalised, a skip connection's is not, and V would only compare scales. Two maps that have
nothing in common are then apart by V = 2.

That V_skip is below V_conv says little by itself: a supernet that was never trained can show it, and measured in the
same way it is the control for this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from nasbook.analysis.skip_domination import best_weight
from nasbook.instruments.points import Points
from nasbook.runtime.errors import UsageError
from nasbook.search import Search
from nasbook.supernet import Mixing, skeleton
from nasbook.supernet.nas_bench_201 import MixedTopologyCell
from nasbook.supernet.supernet import MixedCell

Target = Literal["cell", "last", "others"]
SKIP = "skip_connect"
CELLS = (MixedCell, MixedTopologyCell)


@dataclass(frozen=True)
class EdgeErrors:
    """One edge of one cell.

    Args:
        cell: which cell of the stack, counted from 1.
        group: "normal" or "reduce": whose architecture parameters it shares.
        source, target: the nodes that the edge joins.
        depth: nodes on the longest way from the stem to the source; a reduction that is not searched counts as one.
        skip, conv, covariance: V_skip, V_conv and c, mean over the batches. Where an edge offers several convolutions,
            o is their sum by weight.
        predicted: theta* of these three, within [0, 1].
        learned: the weight of the skip connection by the weights of skip connection and convolutions together.
    """

    cell: int
    group: str
    source: int
    target: int
    depth: int
    skip: float
    conv: float
    covariance: float
    predicted: float
    learned: float


def measured(
    search: Search, target: Target = "cell", *, equal: bool = False, batches: int = 2, size: int = 128, seed: int = 0
) -> list[EdgeErrors]:
    """V_skip, V_conv and c on every edge that offers a skip connection and a convolution.

    Measured by batch statistics, on images of alpha's half; the search stays as it is. A skip connection of stride 2
    halves its input, and x is what comes out. Costs a little more than one forward pass over the images.

    Args:
        search: a search in the DARTS family of spaces or in NAS-Bench-201.
        target: what stands for m: "cell", "last" or "others", as the module says.
        equal: run the supernet with equal weights on all operations, instead of the learned ones.
        batches: how many.
        size: images in each.
        seed: of the draw of images.

    Returns:
        One entry an edge, cell by cell; by "others" none for an edge that is alone into its node.

    Raises:
        UsageError: the space has no mixed edges, no edge offers both, or there is no such target.
    """
    if target not in get_args(Target):
        raise UsageError(f"A target is {', '.join(get_args(Target))}, not {target!r}.")
    if not any(isinstance(module, CELLS) for module in search.supernet.modules()):
        raise UsageError(f"Skip errors are measured on mixed edges; space {search.space.name} has none.")
    if not any(_offers_both(names) for group in search.space.groups.values() for names in group.operations):
        raise UsageError(f"No edge of space {search.space.name} offers both {SKIP} and a convolution.")
    points = Points(search, "mixing")
    shapes = points.shapes.items()
    mixing = (
        Mixing({name: torch.full(shape, 1 / shape[1]) for name, shape in shapes})
        if equal
        else points.mixing(points.here())
    )
    sums: dict[tuple[int, int], Tensor] = {}
    with torch.no_grad():
        for images, _ in points.batches(batches, size, seed=seed):
            with _watched(search.supernet) as cells:
                points.logits(mixing, images)
            for (place, edge), values in _moments(cells, target):
                sums[place, edge] = sums.get((place, edge), torch.zeros(3, dtype=torch.float64)) + values / batches
    return [_entry(search, place, edge, values) for (place, edge), values in sums.items()]


def share_below(edges: Sequence[EdgeErrors]) -> float:
    """The share of edges with V_skip < V_conv."""
    return sum(each.skip < each.conv for each in edges) / len(edges)


def agreement(predicting: Sequence[EdgeErrors], learning: Sequence[EdgeErrors]) -> float:
    """Pearson's correlation of the weights that one measurement predicts with those that were learned.

    Args:
        predicting: edges of a measurement, such as a control.
        learning: edges of the searched supernet, all that are in `predicting` among them.

    Returns:
        From -1 to 1; 0 where the predictions or the learned weights are all equal.
    """
    learned = {(each.cell, each.source, each.target): each.learned for each in learning}
    pairs = torch.tensor(
        [(each.predicted, learned[each.cell, each.source, each.target]) for each in predicting], dtype=torch.float64
    )
    spread = pairs.amax(0) - pairs.amin(0)
    return torch.corrcoef(pairs.T)[0, 1].item() if (spread > 0).all() else 0.0


@dataclass
class _Cell:
    """What one cell of the stack did with one batch."""

    edges: tuple[tuple[int, int], ...]
    estimates: dict[int, tuple[Tensor, Tensor]]  # by edge: x and o
    outputs: dict[int, Tensor]  # by edge: what it brings to its node

    def into(self, node: int, *, but: int | None = None) -> list[Tensor]:
        """What the edges into a node bring, but for one of them."""
        return [output for edge, output in self.outputs.items() if self.edges[edge][1] == node and edge != but]

    def nodes(self, first: int = 0) -> list[Tensor]:
        """The states of the nodes from `first` on, each (B, C, H, W): the sums of what their edges bring."""
        numbers = sorted({target for _, target in self.edges if target >= first})
        return [torch.stack(self.into(node)).sum(0) for node in numbers if self.into(node)]


@contextmanager
def _watched(supernet: nn.Module) -> Iterator[dict[int, _Cell]]:
    """Fill the yielded table, by place in the stack, during the next forward pass."""
    cells: dict[int, _Cell] = {}
    handles = []
    for name, module in supernet.named_modules():
        if isinstance(module, CELLS):
            cells[int(name.rpartition(".")[2])] = seen = _Cell(module.graph.edges, {}, {})
            for index, edge in enumerate(module.edges):
                handles.append(edge.register_forward_hook(partial(_see_edge, seen, index)))
    try:
        yield cells
    finally:
        for handle in handles:
            handle.remove()


def _see_edge(seen: _Cell, index: int, edge: Any, inputs: Any, output: Tensor | None) -> None:
    """Keep the edge's output; run skip connection and convolutions again for their own."""
    if output is not None:
        seen.outputs[index] = output
    if _offers_both(edge.names):
        images, weights = inputs[:2]
        convolutions = [place for place, name in enumerate(edge.names) if "conv" in name]
        mixed = torch.stack([weights[place] * edge.operations[place](images) for place in convolutions]).sum(0)
        seen.estimates[index] = edge.operations[edge.names.index(SKIP)](images), mixed


def _offers_both(names: tuple[str, ...]) -> bool:
    return SKIP in names and any("conv" in name for name in names)


def _moments(cells: dict[int, _Cell], target: Target) -> Iterator[tuple[tuple[int, int], Tensor]]:
    """For each cell and edge (V_skip, V_conv, c) of one batch; float64 (3,) on the host."""
    for place, cell in cells.items():
        for edge, (x, o) in cell.estimates.items():
            maps = _maps(cells, cell, edge, target)
            if not maps:
                continue
            m = standardised(torch.stack([standardised(each) for each in maps]).mean(0))
            skip, conv = standardised(x) - m, standardised(o) - m
            yield (place, edge), torch.stack([(skip**2).mean(), (conv**2).mean(), (skip * conv).mean()]).cpu()


def _maps(cells: dict[int, _Cell], cell: _Cell, edge: int, target: Target) -> list[Tensor]:
    """The maps whose mean stands for m."""
    node = cell.edges[edge][1]
    if target == "cell":
        return cell.nodes(node)
    if target == "last":
        shape = cell.estimates[edge][0].shape
        return [each for each in cells.values() if _shape(each) == shape][-1].nodes()
    others = cell.into(node, but=edge)
    return [torch.stack(others).sum(0)] if others else []


def _shape(cell: _Cell) -> torch.Size:
    """Of a cell's maps."""
    return next(iter(cell.outputs.values())).shape


def standardised(maps: Tensor) -> Tensor:
    """(B, C, H, W) -> float64 of the same shape, each channel with mean 0 and variance 1; a constant one becomes 0."""
    maps = maps.double()
    centred = maps - maps.mean((0, 2, 3), keepdim=True)
    return centred / centred.square().mean((0, 2, 3), keepdim=True).sqrt().clamp_min(1e-12)


def _entry(search: Search, place: int, edge: int, moments: Tensor) -> EdgeErrors:
    kinds = skeleton.kinds(search.numbers.layers)
    groups: Any = search.space.groups  # of edges, as `measured` made sure
    group = groups[kinds[place]]
    names, (source, target) = group.operations[edge], group.edges[edge]
    weights = search.relaxation.expected(search.alpha, search.progress)[kinds[place]][edge].tolist()
    convolution = sum(weight for name, weight in zip(names, weights, strict=True) if "conv" in name)
    chosen = weights[names.index(SKIP)]
    skip, conv, covariance = moments.tolist()
    return EdgeErrors(
        cell=place + 1,
        group=kinds[place],
        source=source,
        target=target,
        depth=_depth([_nodes(groups[kind]) if kind in groups else 1 for kind in kinds], group, place, source),
        skip=skip,
        conv=conv,
        covariance=covariance,
        predicted=best_weight(skip, conv, covariance=covariance, clip=True),
        learned=chosen / (chosen + convolution),
    )


def _nodes(group: Any) -> int:
    return len({target for _, target in group.edges})


def _depth(nodes: Sequence[int], group: Any, place: int, source: int) -> int:
    """Nodes on the longest way from the stem to a source of a cell; `nodes` of each cell of the stack."""
    inputs = min(target for _, target in group.edges)  # 2 in the DARTS family: the cell before the last, and the last
    if source < inputs - 1:
        return sum(nodes[: max(place - 1, 0)])
    return sum(nodes[:place]) + source - (inputs - 1)
