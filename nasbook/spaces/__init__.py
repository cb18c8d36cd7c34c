"""Search spaces and the architectures in them: operations, cells, named spaces, genotypes."""

from nasbook.spaces.base import Architecture, Group, Space
from nasbook.spaces.catalogue import TITLES, family, get, names
from nasbook.spaces.genotype import Genotype, parse_genotype
from nasbook.spaces.published import published, published_names, read
from nasbook.spaces.space import Cell, SearchSpace

__all__ = [
    "TITLES",
    "Architecture",
    "Cell",
    "Genotype",
    "Group",
    "SearchSpace",
    "Space",
    "family",
    "get",
    "names",
    "parse_genotype",
    "published",
    "published_names",
    "read",
]
