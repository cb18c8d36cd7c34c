"""Chapter 03: does a supernet rank architectures as training each from scratch does?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nasbook import strategies
from nasbook.analysis import ranks, weight_sharing
from nasbook.experiment.folders import go_on
from nasbook.runtime.events import Listener
from nasbook.runtime.run_folder import RunFolder
from nasbook.selection import shared_weight_accuracies


def study(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Train a supernet on uniform single paths and rank every architecture of the small space with its weights.

    The order that counts is that of a stored table in which each was trained from scratch. The control is the same
    supernet before its training.

    Args:
        seed: of the supernet.
        settings: `table` (of `strategies.tabulated`), `epochs` of the supernet, `top` (how many count as the best), and
            `numbers` of the class size to change, if any.
        size: "class".
        device: where the supernet runs.
        folder: where the training is kept.
        listeners: told what happens.

    Returns:
        `tau` and `tau_untrained` (Kendall), `tau_gain` between them, `top_overlap` and `top_above_chance` (shares), and
        the series `shared` and `alone` (percent) over the architectures.
    """
    table = strategies.tabulated(settings["table"])
    every = list(strategies.architectures(table.space))
    numbers = settings.get("numbers")
    search = weight_sharing.population(seed=seed, epochs=settings["epochs"], numbers=numbers, device=device)
    alone = [table(each) for each in every]
    before = shared_weight_accuracies(search, every)
    with RunFolder(folder / "supernet" if folder else None, {"seed": seed, "numbers": asdict(search.numbers)}) as run:
        go_on(search, run, listeners, run.checkpoint())
    after = shared_weight_accuracies(search, every)
    tau, untrained = (ranks.kendall(scores, alone, resamples=0).value for scores in (after, before))
    overlap = ranks.top_overlap(after, alone, settings["top"])
    return {
        "tau": tau,
        "tau_untrained": untrained,
        "tau_gain": tau - untrained,
        "top_overlap": overlap,
        "top_above_chance": overlap - settings["top"] / len(every),
        "shared": [round(score, 3) for score in after],
        "alone": [round(score, 3) for score in alone],
    }
