"""What Zela et al. (2020) saw in S1 on CIFAR-10: the dominant eigenvalue over 50 epochs, and what came out.

Recomputed from the Hessians that their repository stores (automl/RobustDARTS, experiments/search_logs): second-order
DARTS, mean of three seeds, one batch, Adam's weight decay of 1e-3 on the diagonal.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from nasbook.runtime import resources

SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Published:
    """The searches of one setting.

    Args:
        drop_path: largest probability of drop path in the search.
        w_decay: weight decay of the shared weights; 3e-4 is that of DARTS.
        epochs: after which the Hessian was taken (0 is the first).
        eigenvalues: the largest with its sign, mean of the seeds, one for each of `epochs`.
        skips: of each seed, among the 8 operations of the normal cell that came out.
        errors: of each seed, the supernet's on the validation half at the end, in percent.
    """

    drop_path: float
    w_decay: float
    epochs: tuple[int, ...]
    eigenvalues: tuple[float, ...]
    skips: tuple[int, ...]
    errors: tuple[float, ...]


@cache
def published_eigenvalues() -> tuple[Published, ...]:
    """All settings: weight decays without drop path, then drop paths at the weight decay of DARTS."""
    with (resources.data_folder() / "published_eigenvalues.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_read(row) for row in csv.DictReader(file))


def _read(row: dict[str, str]) -> Published:
    columns = [name for name in row if name.startswith("epoch_")]
    return Published(
        drop_path=float(row["drop_path"]),
        w_decay=float(row["w_decay"]),
        epochs=tuple(int(name.removeprefix("epoch_")) for name in columns),
        eigenvalues=tuple(float(row[name]) for name in columns),
        skips=tuple(int(row[f"skips_{seed}"]) for seed in SEEDS),
        errors=tuple(float(row[f"error_{seed}"]) for seed in SEEDS),
    )
