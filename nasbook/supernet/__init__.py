"""The supernet with shared weights, and the network of one discrete architecture."""

from nasbook.supernet.cost import describe, multiply_adds, parameters
from nasbook.supernet.mixing import Active, Mixing, edges_of, one_hot, uniform
from nasbook.supernet.nas_bench_1shot1 import NodeSupernet
from nasbook.supernet.nas_bench_101 import Network101
from nasbook.supernet.nas_bench_201 import TopologyNetwork, TopologySupernet
from nasbook.supernet.network import Network, loss_with_auxiliary
from nasbook.supernet.supernet import EdgeSettings, MixedEdge, Supernet

__all__ = [
    "Active",
    "EdgeSettings",
    "MixedEdge",
    "Mixing",
    "Network",
    "Network101",
    "NodeSupernet",
    "Supernet",
    "TopologyNetwork",
    "TopologySupernet",
    "describe",
    "edges_of",
    "loss_with_auxiliary",
    "multiply_adds",
    "one_hot",
    "parameters",
    "uniform",
]
