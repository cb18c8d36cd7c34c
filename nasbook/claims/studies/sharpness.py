"""Chapter 08: does the curvature around a search say what its discretisation costs?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nasbook import datasets, instruments, sizes, spaces
from nasbook.analysis import ranks
from nasbook.experiment.folders import go_on
from nasbook.instruments import Line, Points
from nasbook.instruments.hessian import mean_derivatives
from nasbook.runtime import devices
from nasbook.runtime.events import Listener
from nasbook.runtime.rounding import rounded
from nasbook.runtime.run_folder import RunFolder
from nasbook.search import Search, recipes
from nasbook.selection import magnitude
from nasbook.supernet import one_hot

IMAGES = 512


def taylor(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """Search; after each epoch measure the gap to the derived architecture and what Taylor's formula says of it.

    Over the epochs everything grows together, the number of the epoch too. So after the last one the same is measured
    for drawn architectures: there the shared weights, and the eigenvalue, are equal for all.

    Args:
        seed: of the search and of the drawn architectures.
        settings: `space`, `architectures` (how many to draw; equal ones count once), and `numbers` of the search that
            are not the size's own, if any.
        size: of the search.
        device: where it runs.
        folder: where it is kept.
        listeners: told what happens.

    Returns:
        Spearman's rho with the true gap in nats, over the epochs: `estimate_over_epochs` (curvature alone),
        `gradient_over_epochs` (both terms), `eigenvalue_over_epochs` (the largest in alpha), `number_over_epochs` (the
        epoch's own number), and `eigenvalue_gain`, the third less the fourth. Over architectures:
        `estimate_over_architectures`, `gradient_over_architectures` and `bound_over_architectures`. At the end of the
        search: `ratio` and `gradient_ratio` of estimate to gap, `error`, the first less 1 in size. `bound_share`:
        of the epochs in which lambda_max |d|^2 / 2 is above the gap. The series are `lines`, `eigenvalue` and `drawn`.
    """
    search = _search(seed, settings, size, device)
    with RunFolder(folder / "search" if folder else None, {"seed": seed, "size": size, **settings}) as run:
        history = go_on(search, run, listeners, run.checkpoint())
    lines, eigenvalues = [Line(**record["line"]) for record in history], [record["eigenvalue"] for record in history]
    ratio = lines[-1].estimated_gap() / lines[-1].gap
    drawn = gaps(search, draw(search, settings["architectures"], seed))
    return {
        **_over_epochs(lines, eigenvalues),
        **{
            f"{name}_over_architectures": _rank(drawn[name], drawn["gap"]) for name in ("estimate", "gradient", "bound")
        },
        "ratio": ratio,
        "error": abs(ratio - 1.0),
        "gradient_ratio": lines[-1].estimated_gap(gradient=True) / lines[-1].gap,
        "bound_share": sum(line.bound > line.gap for line in lines) / len(lines),
        "lines": [rounded(asdict(line)) for line in lines],
        "eigenvalue": rounded(eigenvalues),
        "drawn": rounded(drawn),
    }


def gaps(search: Search, architectures: Sequence[Any]) -> dict[str, list[float]]:
    """The gap to each architecture from where a search stands, and what is said of it without going there, in nats.

    Args:
        search: nothing in it changes.
        architectures: of its space.

    Returns:
        `gap`, as measured; `estimate` by curvature alone; `gradient`, with the gradient term; `bound`.
    """
    points = Points(search, "mixing")
    here, batches = points.here(), points.images(_images(search))
    first, second = mean_derivatives(points, here, batches)
    slope = first.numpy()
    largest, loss = float(np.linalg.eigvalsh(second)[-1]), points.measure(here, batches)[0]
    found: dict[str, list[float]] = {"gap": [], "estimate": [], "gradient": [], "bound": []}
    for architecture in architectures:
        there = points.flat(one_hot(search.space, architecture).weights)
        step = (there - here).numpy()
        curved = float(step @ second @ step) / 2
        found["gap"].append(points.measure(there, batches)[0] - loss)
        found["estimate"].append(curved)
        found["gradient"].append(curved + float(slope @ step))
        found["bound"].append(largest * float(step @ step) / 2)
    return found


def draw(search: Search, count: int, seed: int) -> list[Any]:
    """Architectures of the space of a search, drawn so many times; equal ones stand there once."""
    generator = torch.Generator().manual_seed(seed)
    return list(dict.fromkeys(search.space.sample(generator) for _ in range(count)))


def _line(search: Search) -> dict[str, Any]:
    """An instrument: `line`, from the operation weights to the derived architecture, its two ends alone."""
    return {"line": asdict(instruments.line(search, points=2, images=_images(search)))}


def _images(search: Search) -> int:
    """Of alpha's half, the same for everything that is compared."""
    return min(IMAGES, len(search.alpha_half))


def _search(seed: int, settings: dict[str, Any], size: str, device: str) -> Search:
    preset = sizes.get(size)
    numbers = sizes.override(preset.search, settings.get("numbers", {}))
    return Search(
        spaces.get(settings["space"], nodes=numbers.nodes, reduction=numbers.reduction),
        datasets.load(preset.data),
        recipe=recipes.get("darts"),
        numbers=numbers,
        derive=magnitude,
        seed=seed,
        device=devices.pick(device),
        instruments={**instruments.named(["eigenvalue"]), "line": _line},
    )


def _over_epochs(lines: Sequence[Line], eigenvalues: Sequence[float]) -> dict[str, float]:
    gap = [line.gap for line in lines]
    found = {
        "estimate_over_epochs": _rank([line.estimated_gap() for line in lines], gap),
        "gradient_over_epochs": _rank([line.estimated_gap(gradient=True) for line in lines], gap),
        "eigenvalue_over_epochs": _rank(eigenvalues, gap),
        "number_over_epochs": _rank(range(len(gap)), gap),
    }
    return found | {"eigenvalue_gain": found["eigenvalue_over_epochs"] - found["number_over_epochs"]}


def _rank(x: Sequence[float], y: Sequence[float]) -> float:
    return ranks.spearman(x, y, resamples=0).value
