"""Chapter 06: what a step costs with each method."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nasbook import datasets, sizes, spaces
from nasbook.analysis.method_cost import of_methods
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
    """Seconds and activations of a step of each method, over those of the first method.

    Args:
        seed: changes nothing that is measured: each is one more round of timing.
        settings: `space`, `methods` (the first is what the others are compared with) and `repeats` of each timing.
        size: the supernet's and the batches'.
        device: where the steps run.
        folder, listeners: not used, there is nothing to go on with.

    Returns:
        For each other method `METHOD_time` and `METHOD_memory`, ratios; the series `seconds`, `saved_mib` and, on an
        accelerator, `device_mib`, in the order of the methods.
    """
    preset = sizes.get(size)
    space = spaces.get(settings["space"], nodes=preset.search.nodes, reduction=preset.search.reduction)
    data = datasets.load(preset.data)
    costs = of_methods(
        settings["methods"], space, data, numbers=preset.search, repeats=settings["repeats"], device=device
    )
    first, *others = costs
    ratios = {f"{each.method}_time": each.seconds / first.seconds for each in others}
    ratios |= {f"{each.method}_memory": each.saved_mib / first.saved_mib for each in others}
    series = {key: [getattr(each, key) for each in costs] for key in ("seconds", "saved_mib", "device_mib")}
    return {**ratios, **series, "methods": list(settings["methods"])}
