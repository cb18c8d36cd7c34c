"""Chapter 06: what a supernet loses when its weights run the architecture that was derived from it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nasbook import experiment
from nasbook.runtime.events import Listener


def study(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Search, and score the mixture and the derived architecture with the same weights after every epoch.

    Args:
        seed: of the search.
        settings: `method`, and if they are not the size's own `space` and `numbers` of the search.
        size: of the search.
        device: where it runs.
        folder: where it is kept.
        listeners: told what happens.

    Returns:
        `supernet` and `derived` (validation accuracy, percent, after the last epoch) and their difference `gap`
        (points); the series `supernet_curve` and `derived_curve` over the epochs.
    """
    outcome = experiment.search(
        settings["method"],
        space=settings.get("space"),
        numbers=settings.get("numbers"),
        size=size,
        seed=seed,
        device=device,
        retrain=False,
        record=("derived-accuracy",),
        run=folder / "search" if folder else None,
        listeners=listeners,
    )
    supernet, derived = ([record[key] for record in outcome.history] for key in ("valid_accuracy", "derived_accuracy"))
    return {
        "supernet": supernet[-1],
        "derived": derived[-1],
        "gap": supernet[-1] - derived[-1],
        "supernet_curve": supernet,
        "derived_curve": derived,
    }
