"""What a selection by perturbation recorded, stop after stop, read as one list of decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Record = Mapping[str, Any]


def decisions(records: Iterable[Record]) -> list[Record]:
    """Every decision in the order that it was made; of the groups that decide at one stop, one after another.

    Args:
        records: one a stop, as `PerturbationSelection.run_epoch` returns them, or a study stores them.
    """
    return [made for record in records for made in record["decisions"]]


def favourite(made: Record) -> str | None:
    """The option of largest operation weight, which magnitude would keep; None where all weigh alike (edges do).

    Args:
        made: one decision.
    """
    weights = made["weights"]
    if max(weights) == min(weights):
        return None
    chosen: str = made["options"][weights.index(max(weights))]
    return chosen
