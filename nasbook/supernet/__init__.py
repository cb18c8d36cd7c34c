"""The supernet with shared weights, and the network of one discrete architecture."""

from nasbook.supernet.cost import describe, multiply_adds, parameters
from nasbook.supernet.mixing import Mixing, one_hot, uniform
from nasbook.supernet.network import Network, loss_with_auxiliary
from nasbook.supernet.supernet import MixedEdge, Supernet

__all__ = [
    "MixedEdge",
    "Mixing",
    "Network",
    "Supernet",
    "describe",
    "loss_with_auxiliary",
    "multiply_adds",
    "one_hot",
    "parameters",
    "uniform",
]
