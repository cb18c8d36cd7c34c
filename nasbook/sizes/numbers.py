"""The numbers of a search and of a training, and which values make sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar, get_args, get_type_hints

from nasbook.runtime import values
from nasbook.runtime.errors import UsageError


@dataclass(frozen=True)
class SearchNumbers:
    """The numbers of a search.

    Args:
        epochs: passes over the weights' half of the images.
        batch: images per step, of each half.
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
        clip: largest norm of the shared weights' gradient; 0 leaves the gradient as it is.
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
        radius: how far the operation weights are perturbed before a step of the shared weights, at the start; from
            there it goes in a straight line.
        radius_end: the same at the end of the search.
        attack_steps: steps of gradient ascent by which an adversarial perturbation is found.
        plays: architectures that a policy gradient draws in one step.
        partial: one in so many channels passes through the operations, the others bypass them; 1 is all.
        partial_end: the same in the second stage of progressive learning.
        operations_end: operations that each edge keeps in the second stage of progressive learning, which begins after
            half of the epochs; where there is no number, there is one stage.
        anchor_kl: weight of the distance KL(Dir(beta) || Dir(1)) of Dirichlet concentrations to their anchor.
        cost_weight: weight of the expected cost of an operation, as a share of the mean cost.
        cost: "multiply-adds", or "latency" as measured on this machine when the search starts, so that two searches
            with one seed differ.
        selection_order: in which order perturbation-based selection decides a cell's edges: "random", "forward" (from
            the cell's input to its output) or "backward".
        selection_criterion: what it measures the supernet by: "accuracy" or "loss".
        selection_scoring: how it scores the operations of an edge: "one-by-one", or "together" in one call that
            computes what they share once; the numbers are the same but for rounding.
        tuning_lr: learning rate of the shared weights between its decisions, constant.
        tuning_steps: steps between its decisions.
        order: "alpha-first" as in the released code, or "weights-first" as the lecture writes it.
        augment: random crop and flip of both halves.
        drop_path: probability of drop path on the supernet's mixed edges at the end; it rises linearly from 0.
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
    radius: float
    radius_end: float
    attack_steps: int
    plays: int
    partial: int
    partial_end: int
    operations_end: int | None
    anchor_kl: float
    cost_weight: float
    cost: str
    selection_order: str
    selection_criterion: str
    selection_scoring: str
    tuning_lr: float
    tuning_steps: int
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
        batch: images per step.
        images: training images; all of them where there is no number.
        channels: channels of a node in the first cells of the network.
        layers: cells of the network.
        stem_stride: 2 halves the images at once; 8 is DARTS's published stem for ImageNet.
        lr: first learning rate of SGD, annealed to zero by a cosine.
        momentum: momentum of SGD.
        nesterov: Nesterov's momentum.
        decay: weight decay.
        clip: largest norm of the gradient; 0 leaves the gradient as it is.
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


WORDS = {  # the numbers that are words
    "reduction": ("searched", "fixed"),
    "precision": ("float32", "float64"),
    "unsampled": ("nothing", "ones"),
    "cost": ("multiply-adds", "latency"),
    "selection_order": ("random", "forward", "backward"),
    "selection_criterion": ("accuracy", "loss"),
    "selection_scoring": ("one-by-one", "together"),
    "order": ("alpha-first", "weights-first"),
}

# Far above every published value. A larger value is a slip and would take all memory before the first step.
LIMITS = {
    "epochs": 1_000_000,
    "batch": 100_000,
    "channels": 4_096,
    "layers": 1_000,
    "nodes": 32,
    "stem_stride": 1_024,
    "attack_steps": 10_000,
    "plays": 10_000,
    "tuning_steps": 1_000_000,
    "cutout": 4_096,
    "image_size": 4_096,
    "classes": 100_000,
}

LEAST: dict[str, int] = {  # of the whole numbers
    **dict.fromkeys(
        ("epochs", "batch", "channels", "layers", "stem_stride", "alpha_every", "attack_steps", "plays"), 1
    ),
    **dict.fromkeys(("partial", "partial_end", "operations_end"), 1),
    **dict.fromkeys(("cutout", "frozen_epochs", "tuning_steps"), 0),
    "images": 2,
}

Numbers = TypeVar("Numbers", SearchNumbers, TrainNumbers)


def override(numbers: Numbers, changes: Mapping[str, Any]) -> Numbers:
    """The same numbers with some changed; frozen epochs keep their share of all where only the epochs change.

    Raises:
        UsageError: a number does not exist, has the wrong type or is out of range.
    """
    kinds = {name: get_args(kind) or (kind,) for name, kind in get_type_hints(type(numbers)).items()}
    for name in changes:
        if name not in kinds:
            raise UsageError(f"There is no number {name!r} to change; there are {', '.join(sorted(kinds))}.")
    changed = replace(numbers, **{name: values.cast(name, value, *kinds[name]) for name, value in changes.items()})
    _check(changed)
    if isinstance(numbers, SearchNumbers) and "epochs" in changes and "frozen_epochs" not in changes:
        share: Any = round(numbers.frozen_epochs * changed.epochs / numbers.epochs)
        changed = replace(changed, **{"frozen_epochs": share})
    return changed


def _check(numbers: SearchNumbers | TrainNumbers) -> None:
    for name, least in LEAST.items():
        value = getattr(numbers, name, None)
        if value is not None:
            values.whole(name, value, least)
    for name, most in LIMITS.items():
        value = getattr(numbers, name, None)
        if value is not None and value > most:
            raise UsageError(f"{name} must be at most {most:,}.")
    if numbers.batch < 2:
        raise UsageError("batch must be at least 2, as batch normalisation needs more than one image.")
    for number in fields(numbers):
        value = getattr(numbers, number.name)
        lowest = -float("inf") if number.name == "alpha_start" else 0.0  # logits may be negative
        if isinstance(value, float) and not (lowest <= value < float("inf") and value > -float("inf")):
            allowed = "a finite number" if lowest < 0 else "a finite number of at least 0"
            raise UsageError(f"{number.name} must be {allowed}, not {value!r}.")
    for name, allowed_words in WORDS.items():
        value = getattr(numbers, name, None)
        if value is not None and value not in allowed_words:
            raise UsageError(f"{name} is {' or '.join(allowed_words)}, not {value!r}.")
    if numbers.drop_path >= 1:
        raise UsageError(f"drop_path must be a probability below 1, not {numbers.drop_path!r}.")
    if isinstance(numbers, SearchNumbers):
        _check_search(numbers)
    _check_nesterov(numbers)


def _check_nesterov(numbers: SearchNumbers | TrainNumbers) -> None:
    prefix = "w_" if isinstance(numbers, SearchNumbers) else ""
    if getattr(numbers, f"{prefix}nesterov") and not getattr(numbers, f"{prefix}momentum"):
        raise UsageError(f"{prefix}nesterov needs a {prefix}momentum above 0: switch {prefix}nesterov off too.")


def _check_search(numbers: SearchNumbers) -> None:
    for name in ("temperature", "temperature_end"):
        if getattr(numbers, name) <= 0:
            raise UsageError(f"{name} must be above 0, not {getattr(numbers, name)!r}.")
    for name in ("alpha_beta1", "alpha_beta2"):
        if getattr(numbers, name) >= 1:
            raise UsageError(f"{name} must be at least 0 and below 1, not {getattr(numbers, name)!r}.")
    if 0 < numbers.early_stop <= 1:
        raise UsageError(f"early_stop is a growth above 1, or 0 for none, not {numbers.early_stop!r}.")
