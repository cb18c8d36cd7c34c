"""Evaluation: one discrete architecture, trained from scratch."""

from nasbook.evaluation.training import Training, check

__all__ = ["Training", "check"]
