"""A relaxation of which some rows are decided: a selection that trains on between its decisions."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nasbook.relaxation.base import Alpha, Relaxation
from nasbook.supernet import Mixing

# For each group the decided rows, and what each of them keeps: columns, or nothing at all.
Decisions = dict[str, dict[int, tuple[int, ...]]]


class Decided:
    """Another relaxation's weights with decided rows discrete: one for what they keep, zero for everything else.

    A decided row gives its architecture parameters no gradient, and what it does not keep does not run. The other rows
    are as the other relaxation has them.

    Args:
        relaxation: whose weights they are.
        decisions: rows of each group; more may be decided at any time.
    """

    def __init__(self, relaxation: Relaxation, decisions: Decisions) -> None:
        self.relaxation, self.decisions = relaxation, decisions

    def initial(self, *, start: float = 0.0, scale: float, generator: torch.Generator) -> Alpha:
        """Those of the other relaxation."""
        return self.relaxation.initial(start=start, scale=scale, generator=generator)

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """The other's weights, decided rows replaced; of a decided row what is kept runs."""
        mixing = self.relaxation(alpha, progress, generator)
        weights = self._replaced(mixing.weights)
        return Mixing(weights, {name: self._active(mixing, name) for name in mixing.weights})

    def expected(self, alpha: Alpha, progress: float) -> dict[str, Tensor]:
        """The other's expected weights, decided rows replaced."""
        return self._replaced(self.relaxation.expected(alpha, progress))

    def project(self, alpha: Alpha, before: Mapping[str, Tensor]) -> None:
        """As the other relaxation does."""
        self.relaxation.project(alpha, before)

    def _active(self, mixing: Mixing, name: str) -> tuple[tuple[int, ...], ...]:
        """What runs in each row of a group: of a decided row what it keeps."""
        rows, columns = mixing.weights[name].shape
        before = mixing.active[name] if mixing.active and name in mixing.active else (tuple(range(columns)),) * rows
        decided = self.decisions.get(name, {})
        return tuple(decided.get(row, before[row]) for row in range(rows))

    def _replaced(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: self._rows(name, values) for name, values in weights.items()}

    def _rows(self, name: str, values: Tensor) -> Tensor:
        decided = self.decisions.get(name, {})
        if not decided:
            return values
        fixed, rows = torch.zeros_like(values), torch.zeros_like(values[:, :1], dtype=torch.bool)
        for row, columns in decided.items():
            rows[row], fixed[row, list(columns)] = True, 1.0
        return torch.where(rows, fixed, values)
