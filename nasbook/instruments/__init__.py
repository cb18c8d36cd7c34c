"""Instruments: what is measured on a supernet without changing it."""

from nasbook.instruments.hessian import Hessian, hessian, leading, published
from nasbook.instruments.points import Coordinates, Points
from nasbook.instruments.records import INSTRUMENTS, named

__all__ = ["INSTRUMENTS", "Coordinates", "Hessian", "Points", "hessian", "leading", "named", "published"]
