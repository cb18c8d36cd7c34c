"""Evaluation: one discrete architecture, trained from scratch."""

from nasbook.evaluation.training import Training

__all__ = ["Training"]
