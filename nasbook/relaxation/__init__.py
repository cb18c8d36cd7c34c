"""Relaxations: how architecture parameters become operation weights."""

from nasbook.relaxation.base import Alpha, Relaxation
from nasbook.relaxation.softmax import Softmax

RELAXATIONS: dict[str, type[Relaxation]] = {"softmax": Softmax}

__all__ = ["RELAXATIONS", "Alpha", "Relaxation", "Softmax"]
