"""Evaluation: one discrete architecture, trained from scratch; and its trained network, taken out and used."""

from nasbook.evaluation.exporting import export
from nasbook.evaluation.trained import Trained, load
from nasbook.evaluation.training import Training, check

__all__ = ["Trained", "Training", "check", "export", "load"]
