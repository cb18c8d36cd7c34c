"""Search spaces and the architectures in them: operations, cells, named spaces, genotypes."""

from nasbook.spaces.base import Architecture, Group, Space
from nasbook.spaces.catalogue import TITLES, family, get, names
from nasbook.spaces.genotype import Genotype
from nasbook.spaces.genotype_text import parse_genotype
from nasbook.spaces.nas_bench_1shot1 import NodeSpace
from nasbook.spaces.nas_bench_201 import Topology, TopologySpace, parse_topology
from nasbook.spaces.node_cell import NodeCell, parse_node_cell
from nasbook.spaces.published import published, published_names, read
from nasbook.spaces.space import Cell, SearchSpace

__all__ = [
    "TITLES",
    "Architecture",
    "Cell",
    "Genotype",
    "Group",
    "NodeCell",
    "NodeSpace",
    "SearchSpace",
    "Space",
    "Topology",
    "TopologySpace",
    "family",
    "get",
    "names",
    "parse_genotype",
    "parse_node_cell",
    "parse_topology",
    "published",
    "published_names",
    "read",
]
