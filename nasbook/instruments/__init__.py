"""Instruments: what is measured on a supernet without changing it."""

from nasbook.instruments.discretisation import Line, gap, line
from nasbook.instruments.hessian import Hessian, hessian, leading, published
from nasbook.instruments.landscape import Landscape, landscape
from nasbook.instruments.points import Coordinates, Points
from nasbook.instruments.records import INSTRUMENTS, named
from nasbook.instruments.spread import Spread, accuracies, drawn_cell, spread

__all__ = [
    "INSTRUMENTS",
    "Coordinates",
    "Hessian",
    "Landscape",
    "Line",
    "Points",
    "Spread",
    "accuracies",
    "drawn_cell",
    "gap",
    "hessian",
    "landscape",
    "leading",
    "line",
    "named",
    "published",
    "spread",
]
