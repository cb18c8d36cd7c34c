"""Search spaces and the architectures in them: operations, cells, named spaces, genotypes."""

from nasbook.spaces.catalogue import TITLES, get, names
from nasbook.spaces.genotype import Genotype, parse_genotype
from nasbook.spaces.published import published, published_names, read
from nasbook.spaces.space import Cell, SearchSpace

__all__ = [
    "TITLES",
    "Cell",
    "Genotype",
    "SearchSpace",
    "get",
    "names",
    "parse_genotype",
    "published",
    "published_names",
    "read",
]
