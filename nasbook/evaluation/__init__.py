"""Evaluation: trains a discrete architecture from scratch, and loads, uses and exports its trained network."""

from nasbook.evaluation.exporting import export
from nasbook.evaluation.trained import Trained, load
from nasbook.evaluation.training import Training, check

__all__ = ["Trained", "Training", "check", "export", "load"]
