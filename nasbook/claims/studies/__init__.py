"""The measurements behind the claims, by name.

A study is a function of a seed and of settings. It returns the numbers that claims read and the series that pictures
show, as plain JSON values. It keeps its runs in `folder` while it is under way, so that a killed one goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from nasbook.analysis import collapse
from nasbook.claims.studies import (
    bilevel,
    curvature,
    discretisation,
    methods,
    operations,
    order,
    scalability,
    scoring,
    selecting,
    sharing,
    sharpness,
    skips,
    smoothing,
    strength,
)
from nasbook.runtime.events import Listener


class StudyFunction(Protocol):
    """What every study looks like."""

    def __call__(
        self,
        seed: int,
        settings: dict[str, Any],
        *,
        size: str,
        device: str,
        folder: Path | None,
        listeners: Iterable[Listener],
    ) -> dict[str, Any]:
        """Measure one seed."""


STUDIES: dict[str, StudyFunction] = {
    "weight-sharing": sharing.study,
    "hypergradients": bilevel.hypergradient_errors,
    "bilevel-toy": bilevel.toy,
    "operations": operations.study,
    "methods": methods.study,
    "scalability": scalability.modes,
    "scalable-methods": scalability.methods,
    "expected-cost": scalability.penalty,
    "discretisation": discretisation.study,
    "collapse": collapse.study,
    "taylor": sharpness.taylor,
    "skip-limit": skips.limit,
    "skip-domination": skips.domination,
    "kept-operations": skips.shares,
    "method-order": order.study,
    "curvature": curvature.study,
    "smoothing": smoothing.study,
    "surroundings": smoothing.surroundings,
    "selecting": selecting.study,
    "scoring": scoring.study,
    "strength": strength.study,
}

__all__ = ["STUDIES", "StudyFunction"]
