"""Relaxations: how architecture parameters become operation weights."""

from nasbook.relaxation.base import Alpha, Relaxation
from nasbook.relaxation.single_path import SinglePath
from nasbook.relaxation.softmax import Softmax

RELAXATIONS: dict[str, type[Relaxation]] = {"softmax": Softmax, "single-path": SinglePath}

__all__ = ["RELAXATIONS", "Alpha", "Relaxation", "SinglePath", "Softmax"]
