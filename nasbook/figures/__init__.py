"""Every picture of the book: functions of data that return a `Picture`, a figure with a sentence that describes it."""

from nasbook.figures.cells import cell, cell_svg
from nasbook.figures.picture import Picture, together
from nasbook.figures.stacks import paths, paths_svg, stack
from nasbook.figures.style import figure

__all__ = ["Picture", "cell", "cell_svg", "figure", "paths", "paths_svg", "stack", "together"]
