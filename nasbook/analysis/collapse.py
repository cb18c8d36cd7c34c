"""How a DARTS search fails: one search with all that is said about it measured, and the controls beside it.

A run is a search with its eigenvalue, skip weight and derived architecture after every epoch; the same search with
alpha frozen at its start, so that what the weights alone do can be told apart; the derived architectures trained from
scratch; and three controls trained in the same way: the cell of convolutions, the cell without parameters, and a random
cell (Zela et al. 2020, sections 3 and 4, with controls of our own).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from nasbook import datasets, instruments, sizes, spaces
from nasbook.datasets import Dataset, street_numbers
from nasbook.evaluation import Training
from nasbook.experiment.folders import go_on
from nasbook.runtime import devices
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import Listener
from nasbook.runtime.rounding import rounded
from nasbook.runtime.run_folder import RunFolder
from nasbook.search import Search, early_stopping, recipes
from nasbook.selection import magnitude
from nasbook.spaces import Genotype, SearchSpace

# What an operation without parameters is in each space: it is what a collapsed cell consists of.
EMPTY = {"s1": "skip_connect", "s2": "skip_connect", "s3": "skip_connect", "s4": "noise"}
RECORDED = ("eigenvalue", "skip-weight", "derived-accuracy")
KEPT = (
    "epoch",
    "train_loss",
    "valid_loss",
    "valid_accuracy",
    "eigenvalue",
    "eigenvalue_spread",
    "mixing_eigenvalue",
    "skip_weight",
    "derived_accuracy",
    "genotype",
)
FRESH_SEED = 7000  # of images beyond those that the book ships; seeds below it belong to other purposes
RANDOM_CELL_SEED = 1000  # random control cells have the seeds from here


@dataclass(frozen=True)
class Setting:
    """What is run.

    Args:
        space: "s1" to "s4".
        numbers: numbers of the search to change, by name; `images` may be more than the book ships.
        train_numbers: numbers of the training from scratch to change.
        retrain_at: epochs after which the architecture then derived is trained from scratch; the last always is.
        retrainings: how often the last one is trained, with seeds of their own.
        frozen: search once more with alpha frozen at its start.
        controls: train the control cells.
        early_stop: the growth of the eigenvalue at which DARTS-ES would have gone back to an earlier architecture; that
            one is trained too. The search goes on all the same: what came before is not changed by stopping. 0: none.
    """

    space: str
    numbers: dict[str, Any] = field(default_factory=dict)
    train_numbers: dict[str, Any] = field(default_factory=dict)
    retrain_at: tuple[int, ...] = ()
    retrainings: int = 1
    frozen: bool = True
    controls: bool = True
    early_stop: float = 0.0

    def __post_init__(self) -> None:
        if self.space not in EMPTY:
            raise UsageError(f"The collapse is studied in {', '.join(EMPTY)}, not in {self.space!r}.")
        if self.retrainings < 1:
            raise UsageError(f"The derived cell is trained at least once, not {self.retrainings} times.")


def study(
    seed: int,
    settings: dict[str, Any],
    *,
    size: str = "class",
    device: str = "cpu",
    folder: Path | None = None,
    listeners: Iterable[Listener] = (),
) -> dict[str, Any]:
    """Run one seed of a setting.

    Args:
        seed: of the searches; trainings have seeds that follow from it.
        settings: the fields of `Setting`.
        size: "class" or "paper".
        device: where to run.
        folder: where the parts are kept while the seed is under way; a killed study goes on from its last epoch.
        listeners: told what happens.

    Returns:
        `search` and `frozen`: series over the epochs; `retrained`: [epoch, test accuracy] pairs; `cells` and `trained`:
        the control cells as text and their test accuracies in percent; and the numbers of `summary`.

    Raises:
        UsageError: a setting is not allowed.
    """
    setting = Setting(**{**settings, "retrain_at": tuple(settings.get("retrain_at", ()))})
    runner = _Runner(setting, seed, size, device, folder, tuple(listeners))
    history = runner.search("search", frozen=False)
    result: dict[str, Any] = {"search": series(history)}
    if setting.frozen:
        result["frozen"] = series(runner.search("frozen", frozen=True))
    last = history[-1]["epoch"]
    result["retrained"] = [[epoch, runner.train(history[epoch - 1]["genotype"])] for epoch in setting.retrain_at]
    final = [runner.train(history[-1]["genotype"], again=again) for again in range(setting.retrainings)]
    result["retrained"].append([last, sum(final) / len(final)])
    result["final"] = final
    if setting.early_stop:
        result["stopped"] = stop(result["search"], setting.early_stop)
        stopped = result["stopped"] or last
        result["of_stopped"] = runner.train(history[stopped - 1]["genotype"])
    if setting.controls:
        result["cells"] = {name: str(cell) for name, cell in runner.controls().items()}
        result["trained"] = {name: runner.train(text) for name, text in result["cells"].items()}
    return result | summary(result, setting)


def series(history: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """What a picture needs of a search's records, key by key over the epochs, rounded."""
    found = {key: [rounded(record[key]) for record in history] for key in KEPT}
    return found | {"weights": [rounded(record["weights"]) for record in history]}


def stop(searched: dict[str, list[Any]], factor: float) -> int | None:
    """The epoch that DARTS-ES would have gone back to, or None where it would have let the search end."""
    epochs = len(searched["epoch"])
    pairs = zip(searched["epoch"], searched["eigenvalue"], strict=True)
    looks = [(epoch, value) for epoch, value in pairs if early_stopping.measured(epoch, epochs)]
    for count in range(1, len(looks) + 1):
        found = early_stopping.stopping_epoch(looks[:count], factor=factor, epochs=epochs)
        if found is not None:
            return found
    return None


def summary(result: dict[str, Any], setting: Setting) -> dict[str, float]:
    """The numbers that claims are about, of one seed.

    Shares are of the kept edges of the normal cell, accuracies in percent. A fall is from the best of several epochs,
    so that chance alone makes it positive: its claims need a threshold above the noise of one training. `late` is the
    mean of the last fifth of the epochs, `early` that of the first tenth.
    """
    searched = result["search"]
    genotype = spaces.parse_genotype(searched["genotype"][-1])
    empty = EMPTY[setting.space]
    values = {
        "empty_share": genotype.count(empty, "normal") / len(genotype.normal),
        "skips": float(genotype.count("skip_connect", "normal")),
        "supernet": late(searched["valid_accuracy"]),
        "supernet_rise": searched["valid_accuracy"][-1] - searched["valid_accuracy"][0],
        "one_hot": searched["derived_accuracy"][-1],
        "gap": searched["valid_accuracy"][-1] - searched["derived_accuracy"][-1],
        "one_hot_fall": max(searched["derived_accuracy"]) - searched["derived_accuracy"][-1],
        "eigenvalue_growth": late(searched["eigenvalue"]) / early(searched["eigenvalue"]),
        "derived": sum(result["final"]) / len(result["final"]),
    }
    if len(result["retrained"]) > 1:
        values["derived_fall"] = max(accuracy for _, accuracy in result["retrained"][:-1]) - values["derived"]
    if "of_stopped" in result:
        values["stopped_epoch"] = float(result["stopped"] or len(searched["epoch"]))
        values["stopped_minus_derived"] = result["of_stopped"] - values["derived"]
    if searched["skip_weight"][0] is not None:
        values["skip_weight"] = searched["skip_weight"][-1]
        values["skip_weight_rise"] = searched["skip_weight"][-1] - min(searched["skip_weight"])
    if "frozen" in result:
        for key in ("eigenvalue", "mixing_eigenvalue"):
            values[f"{key}_over_frozen"] = late(searched[key]) / late(result["frozen"][key])
        values["frozen_eigenvalue_growth"] = late(result["frozen"]["eigenvalue"]) / early(
            result["frozen"]["eigenvalue"]
        )
    if "trained" in result:
        for name, accuracy in result["trained"].items():
            values[f"derived_minus_{name}"] = values["derived"] - accuracy
        values["convolutions_minus_empty"] = result["trained"]["convolutions"] - result["trained"]["empty"]
    return values


def late(values: Sequence[float]) -> float:
    """The mean over the last fifth of the epochs."""
    count = max(1, len(values) // 5)
    return sum(values[-count:]) / count


def early(values: Sequence[float]) -> float:
    """The mean over the first tenth of the epochs."""
    count = max(1, len(values) // 10)
    return sum(values[:count]) / count


def control_cells(space: SearchSpace, seed: int) -> dict[str, Genotype]:
    """The controls: `convolutions` from the two inputs everywhere, `empty` likewise, and a `random` cell.

    Where an edge does not offer the operation (in S1) it takes the first convolution, or the first operation without
    parameters, that the edge has.
    """
    generator = torch.Generator().manual_seed(RANDOM_CELL_SEED + seed)
    return {
        "convolutions": _filled(space, convolutions=True),
        "empty": _filled(space, convolutions=False),
        "random": space.sample(generator),
    }


def _filled(space: SearchSpace, *, convolutions: bool) -> Genotype:
    pairs: dict[str, tuple[tuple[str, int], ...]] = {}
    for name, cell in space.groups.items():
        chosen: list[tuple[str, int]] = []
        for node in cell.nodes:
            fitting = [
                (next(each for each in cell.choices(edge) if ("conv" in each) == convolutions), cell.edges[edge][0])
                for edge in cell.into(node)
                if any(("conv" in each) == convolutions for each in cell.choices(edge))
            ]
            spare = [(cell.choices(edge)[0], cell.edges[edge][0]) for edge in cell.into(node)]
            sources = {source for _, source in fitting}
            chosen += [*fitting, *(pair for pair in spare if pair[1] not in sources)][: cell.keep]
        pairs[name] = tuple(chosen)
    return space.genotype(pairs)


@dataclass(frozen=True)
class _Runner:
    """The parts of one seed, each kept in a folder of its own: a part that is done is read and not run again."""

    setting: Setting
    seed: int
    size: str
    device: str
    folder: Path | None
    listeners: tuple[Listener, ...]

    def search(self, part: str, *, frozen: bool) -> list[dict[str, Any]]:
        numbers = self._numbers()
        recipe = recipes.get("darts")
        recipe = replace(recipe, hypergradient="none") if frozen else recipe
        search = Search(
            self._space(),
            self._data(),
            recipe=recipe,
            numbers=numbers,
            derive=magnitude,
            seed=self.seed,
            device=devices.pick(self.device),
            instruments=instruments.named(RECORDED),
        )
        return self._drive(search, part, {"numbers": asdict(numbers), "frozen": frozen})

    def train(self, genotype: str, *, again: int = 0) -> float:
        """Test accuracy (percent) of an architecture; equal ones of a seed are trained once."""
        canonical = spaces.parse_genotype(genotype).canonical()
        numbers = sizes.override(sizes.get(self.size).train, self.setting.train_numbers)
        training = Training(
            canonical,
            self._data(),
            numbers=numbers,
            seed=100 * self.seed + again,
            device=devices.pick(self.device),
        )
        name = f"train-{again}-{zlib.crc32(str(canonical).encode()):x}"
        done = self._drive(training, name, {"numbers": asdict(numbers), "genotype": str(canonical)}, result=True)
        return done[-1]["test_accuracy"]

    def controls(self) -> dict[str, Genotype]:
        return control_cells(self._space(), self.seed)

    def _drive(self, stage: Any, part: str, asked: dict[str, Any], *, result: bool = False) -> list[dict[str, Any]]:
        place = None if self.folder is None else self.folder / part
        config = {**asked, "seed": self.seed, "space": self.setting.space, "size": self.size}
        with RunFolder(place, config) as run:
            finished = run.result()
            if finished is not None:
                return finished["records"]
            records = go_on(stage, run, self.listeners, run.checkpoint())
            records = [stage.result()] if result else records
            run.finish({"records": records})
        return records

    def _numbers(self) -> sizes.SearchNumbers:
        return sizes.override(sizes.get(self.size).search, self.setting.numbers)

    def _space(self) -> SearchSpace:
        numbers = self._numbers()
        return spaces.get(self.setting.space, nodes=numbers.nodes, reduction=numbers.reduction)

    def _data(self) -> Dataset:
        data, wanted = datasets.load(sizes.get(self.size).data), self._numbers().images
        if wanted is None or wanted <= len(data.train):
            return data
        if data.name != "street_numbers":
            raise UsageError(
                f"{wanted} images are asked for; {data.name} has {len(data.train)}, and no more can be drawn."
            )
        return replace(data, train=street_numbers.fresh(wanted, seed=FRESH_SEED))
