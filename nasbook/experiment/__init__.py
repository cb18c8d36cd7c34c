"""Whole runs in one call: search, select, train from scratch, with everything kept in a run folder."""

from nasbook.experiment.folders import default_folder, settled
from nasbook.experiment.runs import Outcome, search, train
from nasbook.experiment.selecting import select, selection_folder

__all__ = ["Outcome", "default_folder", "search", "select", "selection_folder", "settled", "train"]
