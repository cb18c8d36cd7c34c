"""The continuous relaxation of DARTS (Liu et al. 2019, equation 2), and with edge weights that of PC-DARTS."""

from __future__ import annotations

import torch
from torch import Tensor

from nasbook.relaxation.base import Alpha, Categorical
from nasbook.spaces import Cell, Space
from nasbook.spaces.nas_bench_201 import TopologyCell
from nasbook.supernet import Mixing, edges_of


class Softmax(Categorical):
    """weights[edge, k] = exp(alpha[edge, k]) / sum_l exp(alpha[edge, l]); all operations run.

    The released code starts alpha at normal numbers of deviation 0.001, the paper at zeros.
    """

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """The softmax over the operations of each edge; nothing is drawn."""
        return Mixing(self.expected(alpha, progress))


class EdgeSoftmax(Softmax):
    """The same, and a second softmax over the edges into each node (Xu et al. 2020, equation 3: edge normalisation).

    The edge weights stand under `edges_of(group)`, (1, edges). A space whose groups weigh a node's parents already
    (NAS-Bench-1Shot1) gets none.
    """

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        # For each group with edges, the edges into each node.
        self.nodes = {
            name: [list(group.into(node)) for node in group.nodes]
            for name, group in space.groups.items()
            if isinstance(group, Cell | TopologyCell)
        }

    def initial(self, *, start: float = 0.0, scale: float, generator: torch.Generator) -> Alpha:
        """Normal numbers for the operations, then for the edges."""
        alpha = super().initial(start=start, scale=scale, generator=generator)
        for name in self.nodes:
            logits = torch.randn(1, self.space.groups[name].shape[0], generator=generator, dtype=torch.float64)
            alpha[edges_of(name)] = (start + scale * logits).requires_grad_()
        return alpha

    def expected(self, alpha: Alpha, progress: float) -> dict[str, Tensor]:
        """The softmax over the operations of each edge, and over the edges into each node."""
        weights = {name: torch.softmax(alpha[name], dim=-1) for name in self.space.groups}
        for name, nodes in self.nodes.items():
            logits = alpha[edges_of(name)]
            # Edges are grouped by the node that they lead into, so the parts stand in order.
            weights[edges_of(name)] = torch.cat([torch.softmax(logits[:, into], dim=-1) for into in nodes], dim=-1)
        return weights
