"""Chapter 06: do K operations on every edge cost K times as much?"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from nasbook import sizes
from nasbook.analysis import cost
from nasbook.datasets.catalogue import CATALOGUE
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
    """Saved activations and seconds of a step, of supernets that differ in K alone.

    Args:
        seed: changes nothing that is measured: each is one more round of timing.
        settings: `operations` (ascending values of K, from 1), and `repeats` of each timing.
        size: the supernet's.
        device: where the steps run.
        folder, listeners: not used, there is nothing to go on with.

    Returns:
        Of the largest K over K = 1: `memory_ratio` and `time_ratio`, and where one operation an edge runs
        `path_memory_ratio` and `path_time_ratio`. `memory_growth` is the largest over the least growth of memory with
        one operation more. The series are `operations`, `saved_mib`, `path_saved_mib`, `seconds` and `path_seconds`.
    """
    preset, counts = sizes.get(size), settings["operations"]
    costs = cost.against_operations(
        counts,
        numbers=preset.search,
        image=CATALOGUE[preset.data].image,
        classes=CATALOGUE[preset.data].classes,
        repeats=settings["repeats"],
        device=device,
    )
    whole, path = costs[0::2], costs[1::2]
    growth = [(b.saved_mib - a.saved_mib) / (b.candidates - a.candidates) for a, b in pairwise(whole)]
    return {
        "memory_ratio": cost.ratios(whole, "saved_mib")[-1],
        "time_ratio": cost.ratios(whole, "seconds")[-1],
        "path_memory_ratio": cost.ratios(path, "saved_mib")[-1],
        "path_time_ratio": cost.ratios(path, "seconds")[-1],
        "memory_growth": max(growth) / min(growth),
        "operations": list(counts),
        "saved_mib": [each.saved_mib for each in whole],
        "path_saved_mib": [each.saved_mib for each in path],
        "seconds": [each.seconds for each in whole],
        "path_seconds": [each.seconds for each in path],
    }
