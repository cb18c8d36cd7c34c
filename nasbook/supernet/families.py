"""What each family of spaces builds: its supernet, the network of one architecture, and the images that both take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from nasbook.spaces import Architecture, Space
from nasbook.supernet import nas_bench_101, nas_bench_201, skeleton
from nasbook.supernet.nas_bench_1shot1 import NodeSupernet
from nasbook.supernet.nas_bench_101 import Network101
from nasbook.supernet.nas_bench_201 import TopologyNetwork, TopologySupernet
from nasbook.supernet.network import Network
from nasbook.supernet.supernet import Supernet

# (channels, height, width), the stride of the stem, number of cells -> refuses what cannot be halved or stacked.
Check = Callable[[tuple[int, int, int], int, int], None]


@dataclass(frozen=True)
class Family:
    """The networks of a family.

    Args:
        supernet: called with a space and, by name, `channels`, `layers`, `classes`, `image_channels`, `stem_stride`,
            `running` and `settings` (see `Supernet`); its modules are called with images, a mixing and the probability
            of drop path, and list their mixed edges by `mixed_edges()`.
        network: called with an architecture and, by name, the same without `running`, and `auxiliary` (see `Network`).
        check: makes sure that the images and the number of cells fit.
    """

    supernet: Callable[..., nn.Module]
    network: Callable[..., nn.Module]
    check: Check


FAMILIES: Mapping[str, Family] = {
    "darts": Family(Supernet, Network, skeleton.check_image),
    "nas-bench-201": Family(TopologySupernet, TopologyNetwork, nas_bench_201.check),
    "nas-bench-1shot1": Family(NodeSupernet, Network101, nas_bench_101.check),
}


def of(thing: Space | Architecture) -> Family:
    """The family of a space or of an architecture."""
    return FAMILIES[thing.family]
