"""The two sizes, and the one table of numbers: `class` runs on a laptop in minutes, `paper` is as published.

Nothing else in the package or in a notebook holds a hyperparameter of a search or of a training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar, get_args, get_type_hints

from nasbook.runtime.errors import UsageError


@dataclass(frozen=True)
class SearchNumbers:
    """The numbers of a search.

    Args:
        epochs: passes over the weights' half of the images.
        batch: images a step, of each half.
        images: images in both halves together; all of them where there is no number.
        channels: channels of a node in the first cells of the supernet.
        layers: cells of the supernet.
        nodes: intermediate nodes of a cell; as published where there is no number.
        reduction: "searched", or "fixed" (one FactorizedReduce; the benchmark spaces fix their own).
        stem_stride: 2 halves the images at once.
        w_lr: first learning rate of the shared weights (SGD), annealed by a cosine.
        w_lr_end: last learning rate of the shared weights.
        w_momentum: momentum of the shared weights.
        w_nesterov: Nesterov's momentum for the shared weights.
        w_decay: weight decay of the shared weights.
        clip: largest norm of the shared weights' gradient.
        alpha_lr: learning rate of the architecture parameters (Adam).
        alpha_beta1: Adam's decay of the mean gradient.
        alpha_beta2: Adam's decay of the mean squared gradient.
        alpha_decay: weight decay of the architecture parameters, as L2 added to the gradient.
        alpha_start: mean of the architecture parameters' start.
        alpha_scale: standard deviation of the architecture parameters' start.
        alpha_clip: largest norm of the architecture parameters' gradient; 0 leaves it as it is.
        alpha_every: steps of the shared weights for one of the architecture parameters.
        frozen_epochs: first epochs of each stage in which the architecture parameters stay as they are; where only
            `epochs` is changed they keep their share of it.
        temperature: of a Gumbel draw in the first epoch; from there it goes in a straight line.
        temperature_end: of a Gumbel draw in the last epoch.
        unsampled: what an operation that was not drawn adds: "nothing", or "ones" times its weight of zero, as in
            GDAS's released code (the weight's gradient differs).
        plays: architectures that a policy gradient draws in one step.
        partial: one in so many channels passes through the operations, the others bypass them; 1 is all.
        partial_end: the same in the second stage of progressive learning.
        operations_end: operations that each edge keeps in the second stage of progressive learning, which begins after
            half of the epochs; where there is no number, there is one stage.
        anchor_kl: weight of the distance KL(Dir(beta) || Dir(1)) of Dirichlet concentrations to their anchor.
        cost_weight: weight of the expected cost of an operation, as a share of the mean cost.
        cost: "multiply-adds", or "latency" as measured on this machine when the search starts, so that two searches
            with one seed differ.
        order: "alpha-first" as in the released code, or "weights-first" as the lecture writes it.
        augment: random crop and flip of both halves.
        drop_path: probability that drop path on the supernet's operations rises to, linearly from 0 at the first epoch.
        early_stop: growth of the dominant eigenvalue at which the search ends and goes back to the architecture before
            the growth (1.3 as published); 0 never ends it. Measuring the curvature costs several times the search.
        running: running statistics in batch normalisation, used in evaluation.
        precision: "float32" or "float64".
    """

    epochs: int
    batch: int
    images: int | None
    channels: int
    layers: int
    nodes: int | None
    reduction: str
    stem_stride: int
    w_lr: float
    w_lr_end: float
    w_momentum: float
    w_nesterov: bool
    w_decay: float
    clip: float
    alpha_lr: float
    alpha_beta1: float
    alpha_beta2: float
    alpha_decay: float
    alpha_start: float
    alpha_scale: float
    alpha_clip: float
    alpha_every: int
    frozen_epochs: int
    temperature: float
    temperature_end: float
    unsampled: str
    plays: int
    partial: int
    partial_end: int
    operations_end: int | None
    anchor_kl: float
    cost_weight: float
    cost: str
    order: str
    augment: bool
    drop_path: float
    early_stop: float
    running: bool
    precision: str


@dataclass(frozen=True)
class TrainNumbers:
    """The numbers of training one architecture from scratch.

    Args:
        epochs: passes over the training images.
        batch: images a step.
        images: training images; all of them where there is no number.
        channels: channels of a node in the first cells of the network.
        layers: cells of the network.
        stem_stride: 2 halves the images at once.
        lr: first learning rate of SGD, annealed to zero by a cosine.
        momentum: momentum of SGD.
        nesterov: Nesterov's momentum.
        decay: weight decay.
        clip: largest norm of the gradient.
        drop_path: largest probability of drop path, reached linearly from 0 at the first epoch.
        auxiliary: weight of the auxiliary classifier's loss; 0 leaves it out.
        cutout: side of the square that cutout blanks, in pixels; 0 leaves it out.
        augment: random crop and flip.
        precision: "float32" or "float64".
    """

    epochs: int
    batch: int
    images: int | None
    channels: int
    layers: int
    stem_stride: int
    lr: float
    momentum: float
    nesterov: bool
    decay: float
    clip: float
    drop_path: float
    auxiliary: float
    cutout: int
    augment: bool
    precision: str


@dataclass(frozen=True)
class Size:
    """A size: its data set and space when none is named, and the numbers of its searches and trainings.

    Args:
        name: "class" or "paper".
        data: the data set.
        space: the space.
        search: numbers of a search in the DARTS family of spaces.
        train: numbers of training one of its architectures from scratch.
        families: for other families what differs, in a search and in a training.
        methods: for a method what differs in its searches: under "" in every family, under a family's name in that.
    """

    name: str
    data: str
    space: str
    search: SearchNumbers
    train: TrainNumbers
    families: Mapping[str, tuple[dict[str, Any], dict[str, Any]]]
    methods: Mapping[str, Mapping[str, dict[str, Any]]] = field(default_factory=dict)

    def of(self, family: str, method: str | None = None) -> Size:
        """The size with the numbers of a family of spaces and, of its search, those of a method in it."""
        search, train = self.families.get(family, ({}, {}))
        special = self.methods.get(method or "", {})
        search = {**search, **special.get("", {}), **special.get(family, {})}
        return replace(self, search=replace(self.search, **search), train=replace(self.train, **train))


# Class size: measured on two cores with the embedded images; see the README for the seconds.
_CLASS = Size(
    name="class",
    data="street_numbers",
    space="s3",
    search=SearchNumbers(
        epochs=20,
        batch=64,
        images=4000,
        channels=8,
        layers=5,
        nodes=2,
        reduction="fixed",
        stem_stride=2,
        w_lr=0.05,
        w_lr_end=0.001,
        w_momentum=0.9,
        w_nesterov=False,
        w_decay=3e-4,
        clip=5.0,
        alpha_lr=0.02,
        alpha_beta1=0.5,
        alpha_beta2=0.999,
        alpha_decay=1e-3,
        alpha_start=0.0,
        alpha_scale=1e-3,
        alpha_clip=0.0,
        alpha_every=1,
        frozen_epochs=0,
        temperature=1.0,
        temperature_end=1.0,
        unsampled="nothing",
        plays=10,
        partial=1,
        partial_end=1,
        operations_end=None,
        anchor_kl=0.0,
        cost_weight=0.0,
        cost="multiply-adds",
        order="alpha-first",
        augment=False,
        drop_path=0.0,
        early_stop=0.0,
        running=False,
        precision="float32",
    ),
    train=TrainNumbers(
        epochs=8,
        batch=64,
        images=4000,
        channels=8,
        layers=5,
        stem_stride=2,
        lr=0.1,
        momentum=0.9,
        nesterov=True,
        decay=3e-4,
        clip=5.0,
        drop_path=0.0,
        auxiliary=0.0,
        cutout=0,
        augment=False,
        precision="float32",
    ),
    families={
        # The smallest stack of either benchmark: one cell a stage.
        "nas-bench-201": (
            {"epochs": 12, "layers": 5, "nodes": None, "stem_stride": 1},
            {"epochs": 4, "layers": 5, "stem_stride": 1, "decay": 5e-4},
        ),
        # A cell divides its channels among the nodes that it puts out: fewer leave each node too few to learn.
        "nas-bench-1shot1": ({"layers": 3, "nodes": None}, {"layers": 3, "channels": 32}),
    },
)

# What differs for a method, at class size. The sampled methods run a fraction of the supernet a step and learn from
# fewer gradients, so they get more epochs; chosen on validation data, on seeds that no claim reports.
_SAMPLED: dict[str, Any] = {"epochs": 40, "alpha_lr": 0.005}
_GATES: dict[str, Any] = {"alpha_beta1": 0.0, "alpha_decay": 0.0}
_CLASS_METHODS: dict[str, dict[str, dict[str, Any]]] = {
    "rsps": {"nas-bench-201": {"epochs": 24}},
    "snas": {"": {"alpha_clip": 10.0, "temperature_end": 0.03}},
    "snas-bilevel": {"": {"temperature": 10.0}},
    "gdas": {
        "": {**_SAMPLED, "temperature": 10.0, "temperature_end": 0.1, "unsampled": "ones"},
        "nas-bench-201": {"epochs": 24},
    },
    "dsnas": {"": {**_SAMPLED, "alpha_decay": 0.0}, "nas-bench-201": {"epochs": 24}},
    "drnas-progressive": {
        "": {"partial": 4, "partial_end": 2, "operations_end": 3, "frozen_epochs": 2},
        "nas-bench-1shot1": {"operations_end": 2},
    },
    "pc-darts": {"": {"partial": 4, "frozen_epochs": 6}, "nas-bench-201": {"frozen_epochs": 4}},
    "proxylessnas": {"": {**_GATES, "frozen_epochs": 4}},
    "proxylessnas-two-paths": {
        "": {**_SAMPLED, **_GATES, "frozen_epochs": 8},
        "nas-bench-201": {"epochs": 24, "frozen_epochs": 5},
    },
    "proxylessnas-r": {
        "": {**_SAMPLED, **_GATES, "frozen_epochs": 8, "plays": 4},
        "nas-bench-201": {"epochs": 24, "frozen_epochs": 5},
    },
    "nasp": {"": {"alpha_start": 0.5}},
}

# As published: Liu et al. 2019 (DARTS), section 3 and appendix A, and the authors' released code.
_PAPER = Size(
    name="paper",
    data="cifar10",
    space="darts",
    search=replace(
        _CLASS.search,
        epochs=50,
        images=None,
        channels=16,
        layers=8,
        nodes=4,
        reduction="searched",
        stem_stride=1,
        w_lr=0.025,
        alpha_lr=3e-4,
        augment=True,
        running=True,
    ),
    train=replace(
        _CLASS.train,
        epochs=600,
        batch=96,
        images=None,
        channels=36,
        layers=20,
        stem_stride=1,
        lr=0.025,
        nesterov=False,
        drop_path=0.2,
        auxiliary=0.4,
        cutout=16,
        augment=True,
    ),
    families={
        # Dong & Yang 2020: 3 stages of 5 cells and 2 residual blocks; the training recipe of the benchmark.
        "nas-bench-201": (
            {"layers": 17, "nodes": None, "reduction": "fixed", "running": False},
            {
                "epochs": 200,
                "batch": 256,
                "channels": 16,
                "layers": 17,
                "lr": 0.1,
                "nesterov": True,
                "decay": 5e-4,
                "drop_path": 0.0,
                "auxiliary": 0.0,
                "cutout": 0,
            },
        ),
        # Zela et al. 2020 (search); Ying et al. 2019 (training).
        "nas-bench-1shot1": (
            {"batch": 96, "layers": 9, "nodes": None, "reduction": "fixed"},
            {
                "epochs": 108,
                "batch": 256,
                "channels": 128,
                "layers": 9,
                "lr": 0.1,
                "decay": 1e-4,
                "drop_path": 0.0,
                "auxiliary": 0.0,
                "cutout": 0,
            },
        ),
    },
)

_PROXYLESS = {"alpha_lr": 1e-3, "alpha_beta1": 0.0, "alpha_decay": 0.0, "epochs": 160, "frozen_epochs": 40}
_DRNAS = {"w_lr": 0.1, "w_lr_end": 0.0, "alpha_lr": 6e-4}
# The methods' own numbers as published; what is left out is as for DARTS. ImageNet's batches are not taken over.
_PAPER_METHODS: dict[str, dict[str, dict[str, Any]]] = {
    # Li & Talwalkar 2020 on NAS-Bench-201 (Dong & Yang 2020).
    "rsps": {"nas-bench-201": {"epochs": 250, "w_decay": 5e-4, "w_nesterov": True}},
    # Xie et al. 2019 and the authors' released code.
    "snas": {
        "": {
            "epochs": 150,
            "alpha_start": 1.0,
            "alpha_scale": 0.01,
            "alpha_clip": 10.0,
            "temperature_end": 0.03,
            "drop_path": 0.3,
        }
    },
    # Chen et al. 2021, table 4: their own run of SNAS on NAS-Bench-201.
    "snas-bilevel": {"": {"epochs": 100, "temperature": 10.0}},
    # Dong & Yang 2019 and the authors' released code.
    "gdas": {
        "": {
            "epochs": 250,
            "w_decay": 5e-4,
            "w_nesterov": True,
            "temperature": 10.0,
            "temperature_end": 0.1,
            "unsampled": "ones",
        }
    },
    # Hu et al. 2020; epochs as in the run of Chen et al. 2021 on NAS-Bench-201.
    "dsnas": {"": {"epochs": 100, "alpha_lr": 1e-3, "alpha_decay": 0.0, "alpha_start": 1.0, "alpha_scale": 0.01}},
    # Chen et al. 2021 and the authors' released code.
    "drnas": {"darts": _DRNAS, "nas-bench-201": {"epochs": 100}},
    "drnas-progressive": {
        "": {"frozen_epochs": 10},
        "darts": {**_DRNAS, "channels": 36, "layers": 20, "partial": 6, "partial_end": 4, "operations_end": 4},
        "nas-bench-201": {"epochs": 100, "partial": 4, "partial_end": 2, "operations_end": 3},
        "nas-bench-1shot1": {"partial": 4, "partial_end": 2, "operations_end": 2},
    },
    # Xu et al. 2020 and the authors' released code.
    "pc-darts": {"": {"batch": 256, "w_lr": 0.1, "w_lr_end": 0.0, "alpha_lr": 6e-4, "partial": 4, "frozen_epochs": 15}},
    # Cai et al. 2019 and the authors' released code; its settings of the weights are for ImageNet.
    "proxylessnas": {"": {**_PROXYLESS, "alpha_every": 5}},
    "proxylessnas-two-paths": {"": {**_PROXYLESS, "alpha_every": 5}},
    "proxylessnas-r": {"": {**_PROXYLESS, "alpha_every": 5}},
    # Yao et al. 2020 and the authors' released code.
    "nasp": {"": {"alpha_start": 0.5}},
}

SIZES = {
    size.name: replace(size, methods=methods) for size, methods in ((_CLASS, _CLASS_METHODS), (_PAPER, _PAPER_METHODS))
}

Numbers = TypeVar("Numbers", SearchNumbers, TrainNumbers)


def get(name: str) -> Size:
    """A size by name.

    Raises:
        UsageError: there is no such size.
    """
    if name not in SIZES:
        raise UsageError(f"Size {name!r} does not exist; there are {' and '.join(SIZES)}.")
    return SIZES[name]


def override(numbers: Numbers, changes: dict[str, Any]) -> Numbers:
    """The same numbers with some changed; frozen epochs keep their share of all where only the epochs change.

    Raises:
        UsageError: a number does not exist, has the wrong type or is out of range.
    """
    allowed = {number.name for number in fields(numbers)}
    for name in changes:
        if name not in allowed:
            raise UsageError(f"There is no number {name!r} to change; there are {', '.join(sorted(allowed))}.")
        _check_type(name, changes[name], get_type_hints(type(numbers))[name])
    changed = replace(numbers, **changes)
    _check(changed)
    if isinstance(numbers, SearchNumbers) and "epochs" in changes and "frozen_epochs" not in changes:
        share: Any = round(numbers.frozen_epochs * changed.epochs / numbers.epochs)
        changed = replace(changed, **{"frozen_epochs": share})
    return changed


def _check_type(name: str, value: Any, kind: Any) -> None:
    """A whole number will do for a real one, and a truth value for no number."""
    allowed = get_args(kind) or (kind,)
    right = type(value) in allowed or (float in allowed and type(value) is int)
    if not right:
        words = {int: "a whole number", float: "a number", str: "a word", bool: "true or false", type(None): "None"}
        raise UsageError(f"{name} must be {' or '.join(words[each] for each in allowed)}, not {value!r}.")


def _check(numbers: SearchNumbers | TrainNumbers) -> None:
    for name in ("epochs", "batch", "channels", "layers", "stem_stride"):
        value = getattr(numbers, name)
        if type(value) is not int or value < 1:
            raise UsageError(f"{name} must be a whole number of at least 1, not {value!r}.")
    if numbers.images is not None and numbers.images < 2:
        raise UsageError(f"images must be at least 2, not {numbers.images!r}.")
    if numbers.batch < 2:
        raise UsageError("batch must be at least 2, as batch normalisation needs more than one image.")
    for number in fields(numbers):
        value = getattr(numbers, number.name)
        lowest = -float("inf") if number.name == "alpha_start" else 0.0  # logits may be negative
        if isinstance(value, float) and not (lowest <= value < float("inf") and value > -float("inf")):
            allowed = "a finite number" if lowest < 0 else "a number of at least 0"
            raise UsageError(f"{number.name} must be {allowed}, not {value!r}.")
    if numbers.precision not in ("float32", "float64"):
        raise UsageError(f"precision is float32 or float64, not {numbers.precision!r}.")
    if numbers.drop_path >= 1:
        raise UsageError(f"drop_path is a probability below 1, not {numbers.drop_path!r}.")
    if isinstance(numbers, SearchNumbers):
        _check_search(numbers)


def _check_search(numbers: SearchNumbers) -> None:
    for name in ("alpha_every", "plays", "partial", "partial_end"):
        if getattr(numbers, name) < 1:
            raise UsageError(f"{name} must be at least 1, not {getattr(numbers, name)!r}.")
    for name in ("temperature", "temperature_end"):
        if getattr(numbers, name) <= 0:
            raise UsageError(f"{name} must be above 0, not {getattr(numbers, name)!r}.")
    if numbers.frozen_epochs < 0:
        raise UsageError(f"frozen_epochs must be at least 0, not {numbers.frozen_epochs!r}.")
    for name, allowed in (("unsampled", ("nothing", "ones")), ("cost", ("multiply-adds", "latency"))):
        if getattr(numbers, name) not in allowed:
            raise UsageError(f"{name} is {' or '.join(allowed)}, not {getattr(numbers, name)!r}.")
    if numbers.order not in ("alpha-first", "weights-first"):
        raise UsageError(f"order is alpha-first or weights-first, not {numbers.order!r}.")
    if 0 < numbers.early_stop <= 1:
        raise UsageError(f"early_stop is a growth above 1, or 0 for none, not {numbers.early_stop!r}.")
