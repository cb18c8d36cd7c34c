"""A relaxation of which some operations are no longer candidates."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nasbook.relaxation.base import Alpha, Relaxation
from nasbook.supernet import Mixing

Masks = Mapping[str, Tensor]


class Masked:
    """Another relaxation's weights with those of pruned operations set to zero and the rest of the row scaled up.

    A pruned operation does not run. It goes on taking part in the draw, whose share the kept ones divide among them by
    their weights, as in DrNAS's released code; a row whose draw holds nothing that is kept puts out nothing.

    Args:
        relaxation: whose weights are masked.
        masks: for each group (rows, columns), true where an operation is kept; each row keeps at least one.
    """

    def __init__(self, relaxation: Relaxation, masks: Masks) -> None:
        self.relaxation, self.masks = relaxation, dict(masks)

    def initial(self, *, start: float = 0.0, scale: float, generator: torch.Generator) -> Alpha:
        """Those of the other relaxation."""
        return self.relaxation.initial(start=start, scale=scale, generator=generator)

    def __call__(self, alpha: Alpha, progress: float, generator: torch.Generator) -> Mixing:
        """Its weights, masked; of the operations that it runs, the kept ones run."""
        mixing = self.relaxation(alpha, progress, generator)
        active = {
            name: tuple(_kept(keeps, mixing.running(name, row)) for row, keeps in enumerate(mask.tolist()))
            for name, mask in self.masks.items()
        }
        return Mixing(self._masked(mixing.weights), active)

    def expected(self, alpha: Alpha, progress: float) -> dict[str, Tensor]:
        """Its expected weights, masked."""
        return self._masked(self.relaxation.expected(alpha, progress))

    def project(self, alpha: Alpha, before: Mapping[str, Tensor]) -> None:
        """As the other relaxation does."""
        self.relaxation.project(alpha, before)

    @property
    def candidates(self) -> dict[str, tuple[tuple[int, ...], ...]]:
        """For each group and row the operations that are kept."""
        return {name: tuple(_kept(keeps, None) for keeps in mask.tolist()) for name, mask in self.masks.items()}

    def _masked(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: self._rows(name, values) for name, values in weights.items()}

    def _rows(self, name: str, values: Tensor) -> Tensor:
        if name not in self.masks:
            return values
        kept = values * self.masks[name]
        total = kept.sum(dim=-1, keepdim=True)
        return kept / torch.where(total == 0, 1.0, total)  # a hard draw may hold nothing that is kept


def _kept(keeps: list[bool], running: tuple[int, ...] | None) -> tuple[int, ...]:
    """Of the operations that run (None means all) those that are kept."""
    return tuple(k for k in (range(len(keeps)) if running is None else running) if keeps[k])
