"""Chapter 09: do skip connections win for the reason that the theory gives?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from nasbook import datasets, experiment, instruments, sizes, spaces
from nasbook.analysis import skip_domination, skip_errors
from nasbook.analysis.skip_errors import EdgeErrors
from nasbook.experiment.folders import go_on
from nasbook.runtime import devices
from nasbook.runtime.events import Listener
from nasbook.runtime.run_folder import RunFolder
from nasbook.search import Search, recipes
from nasbook.selection import magnitude

History = list[dict[str, Any]]
KINDS = ("", "_equal")  # errors measured at the weights of the search, and at equal ones


def limit(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """The best weight of the skip connection over depth, by the closed form and by fits to drawn numbers.

    Args:
        seed: of the draws.
        settings: `depths` (ascending) and `samples` a depth.
        size, device, folder, listeners: not used.

    Returns:
        `deepest`, the closed form at the last depth; `least_rise`, the smallest step from one depth to the next; and
        `apart`, the largest distance between closed form and fit. The series are `theory` and `fitted`.
    """
    found = skip_domination.demonstrate(settings["depths"], samples=settings["samples"], seed=seed)
    theory = [each.theory for each in found]
    return {
        "deepest": theory[-1],
        "least_rise": min(later - earlier for earlier, later in pairwise(theory)),
        "apart": max(abs(each.fitted - each.theory) for each in found),
        "theory": theory,
        "fitted": [each.fitted for each in found],
    }


def domination(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """A search with the curves of skip domination, the errors on its supernet's edges, and controls.

    The control of the curves is the same search with alpha frozen at its start. A control of the errors predicts the
    learned weights where the prediction cannot hold them already: with `equal` weights on all operations, by what the
    `others` into the node bring, by the supernet `untrained`, and by the one trained with alpha `frozen`.

    Args:
        seed: of both searches.
        settings: `space`, and `numbers` of the search that are not the size's own, if any.
        size: of the searches.
        device: where they run.
        folder: where they are kept.
        listeners: told what happens.

    Returns:
        Of the curves `supernet_rise` (points, from the first epoch to the last), `supernet_minus_frozen` (points, after
        the last), `skip_weight` at the end and `skip_weight_rise` since its lowest. Of the errors `below`,
        `below_untrained` and `below_frozen`, the shares of edges with V_skip < V_conv, and `below_gain`, the first less
        the second; `predicted_rise`, the mean predicted weight with alpha frozen less that of the untrained supernet;
        `correlation` of predicted and learned weights over the edges, and `correlation_equal`,
        `correlation_others`, `correlation_untrained`, `correlation_frozen`; `correlation_halfway` and
        `correlation_halfway_equal` after half of the epochs. The series are `search` and `frozen` over the epochs, and
        edge by edge `learned` and each kind of prediction.
    """
    runner = _Runner(settings, seed, size, device, folder, tuple(listeners))
    (searched, history), (frozen, still) = runner.search("search", frozen=False), runner.search("frozen", frozen=True)
    found = {
        "cell": skip_errors.measured(searched),
        "equal": skip_errors.measured(searched, equal=True),
        "others": skip_errors.measured(searched, "others"),
        "untrained": skip_errors.measured(runner.start(frozen=False)),
        "frozen": skip_errors.measured(frozen),
    }
    return {
        **_curves(history, still),
        **_agreements(found),
        **{f"correlation_halfway{kind}": history[len(history) // 2 - 1][f"correlation{kind}"] for kind in KINDS},
        "learned": [round(each.learned, 4) for each in found["cell"]],
        "predicted": {name: [round(each.predicted, 4) for each in edges] for name, edges in found.items()},
        "search": _series(history),
        "frozen": _series(still),
    }


def _curves(history: History, frozen: History) -> dict[str, float]:
    accuracy, weight = ([record[key] for record in history] for key in ("valid_accuracy", "skip_weight"))
    return {
        "supernet_rise": accuracy[-1] - accuracy[0],
        "supernet_minus_frozen": accuracy[-1] - frozen[-1]["valid_accuracy"],
        "skip_weight": weight[-1],
        "skip_weight_rise": weight[-1] - min(weight),
    }


def _agreements(found: Mapping[str, Sequence[EdgeErrors]]) -> dict[str, float]:
    below = {name: skip_errors.share_below(found[name]) for name in ("cell", "untrained", "frozen")}
    predicted = {name: sum(each.predicted for each in edges) / len(edges) for name, edges in found.items()}
    correlations = {name: skip_errors.agreement(edges, found["cell"]) for name, edges in found.items()}
    return {
        "below": below["cell"],
        "below_untrained": below["untrained"],
        "below_frozen": below["frozen"],
        "below_gain": below["cell"] - below["untrained"],
        "predicted_rise": predicted["frozen"] - predicted["untrained"],
        "correlation": correlations.pop("cell"),
        **{f"correlation_{name}": value for name, value in correlations.items()},
    }


def _series(history: History) -> dict[str, Any]:
    """What pictures of the curves need, rounded."""
    weights = [
        {name: [[round(value, 5) for value in row] for row in rows] for name, rows in record["weights"].items()}
        for record in history
    ]
    keys = ["skip_weight", *(f"{name}{kind}" for name in ("predicted", "correlation") for kind in KINDS)]
    series = {key: [round(record[key], 5) for record in history] for key in keys}
    return series | {"valid_accuracy": [record["valid_accuracy"] for record in history], "weights": weights}


def _predictions(search: Search) -> dict[str, float]:
    """What each epoch's record holds besides: the mean predicted weight, and its agreement with the learned one."""
    learned = skip_errors.measured(search)
    result = {}
    for kind, edges in zip(KINDS, (learned, skip_errors.measured(search, equal=True)), strict=True):
        result[f"predicted{kind}"] = sum(each.predicted for each in edges) / len(edges)
        result[f"correlation{kind}"] = skip_errors.agreement(edges, learned)
    return result


def shares(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str,
    device: str,
    folder: Path | None,
    listeners: Iterable[Listener],
) -> dict[str, Any]:
    """What a search keeps, and how the weights moved, in a space whose edges offer more than two operations.

    Args:
        seed: of the search.
        settings: `space`, and `numbers` of the search that are not the size's own, if any.
        size: of the search.
        device: where it runs.
        folder: where it is kept.
        listeners: told what happens.

    Returns:
        `skip_share` and `none_share` of the derived architecture's edges; `skip_above_even`, the mean weight of skip
        connections less that of equal weights; `skip_change`, `none_change` and `supernet_rise` from the first epoch to
        the last. The series `skip_weight`, `none_weight` and `valid_accuracy` go over the epochs.
    """
    outcome = experiment.search(
        "darts",
        space=settings["space"],
        numbers=settings.get("numbers"),
        size=size,
        seed=seed,
        device=device,
        retrain=False,
        run=folder / "search" if folder else None,
        listeners=listeners,
    )
    group = spaces.get(settings["space"]).groups["normal"]
    means = {
        name: [_mean(record["weights"]["normal"], group.operations, name) for record in outcome.history]
        for name in ("skip_connect", "none")
    }
    kept = outcome.genotype.operations
    accuracy = [record["valid_accuracy"] for record in outcome.history]
    return {
        "skip_share": kept.count("skip_connect") / len(kept),
        "none_share": kept.count("none") / len(kept),
        "skip_above_even": means["skip_connect"][-1] - 1 / group.shape[1],
        "skip_change": means["skip_connect"][-1] - means["skip_connect"][0],
        "none_change": means["none"][-1] - means["none"][0],
        "supernet_rise": accuracy[-1] - accuracy[0],
        "skip_weight": means["skip_connect"],
        "none_weight": means["none"],
        "valid_accuracy": accuracy,
        "kept": list(kept),
    }


def _mean(weights: Sequence[Sequence[float]], operations: Sequence[Sequence[str]], name: str) -> float:
    """The mean weight of one operation over all edges, rounded as series are."""
    values = [row[names.index(name)] for row, names in zip(weights, operations, strict=True)]
    return round(sum(values) / len(values), 5)


@dataclass(frozen=True)
class _Runner:
    """The searches of one seed, each kept in a folder of its own; a killed one goes on from its last epoch."""

    settings: dict[str, Any]
    seed: int
    size: str
    device: str
    folder: Path | None
    listeners: tuple[Listener, ...]

    def start(self, *, frozen: bool) -> Search:
        """A search that has not begun."""
        size = sizes.get(self.size)
        numbers = sizes.override(size.search, self.settings.get("numbers", {}))
        recipe = recipes.get("darts")
        return Search(
            spaces.get(self.settings["space"], nodes=numbers.nodes, reduction=numbers.reduction),
            datasets.load(size.data),
            recipe=replace(recipe, hypergradient="none") if frozen else recipe,
            numbers=numbers,
            derive=magnitude,
            seed=self.seed,
            device=devices.pick(self.device),
            instruments={**instruments.named(["skip-weight"]), "predictions": _predictions},
        )

    def search(self, part: str, *, frozen: bool) -> tuple[Search, History]:
        """A search that has ended, and its records."""
        search = self.start(frozen=frozen)
        asked = {"numbers": asdict(search.numbers), "seed": self.seed, "space": search.space.name, "frozen": frozen}
        with RunFolder(self.folder / part if self.folder else None, asked) as run:
            return search, go_on(search, run, self.listeners, run.checkpoint())
