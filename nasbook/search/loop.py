"""The one search loop: alternate outer steps on alpha and inner steps on the shared weights (Liu et al. 2019, alg. 1).

What is particular to a method it takes from its recipe's axes: how alpha becomes operation weights, how the outer
gradient is taken, and what is done to the weights before the inner step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from nasbook.datasets import Batches, Dataset, bilevel_halves, in_order
from nasbook.relaxation import RELAXATIONS
from nasbook.runtime import devices
from nasbook.runtime.errors import DivergedError, UsageError
from nasbook.runtime.random import RandomStream
from nasbook.search import early_stopping, hypergradient
from nasbook.search.perturbation import PERTURBATIONS
from nasbook.search.recipes import Recipe
from nasbook.sizes import SearchNumbers
from nasbook.spaces import Architecture, Space
from nasbook.supernet import Mixing, families

HYPERGRADIENTS: dict[str, hypergradient.Method | None] = {
    "first-order": hypergradient.first_order,
    "second-order": hypergradient.second_order,
    "exact": hypergradient.exact,
    "none": None,  # alpha stays as it is
}
Derive = Callable[[Space, Mapping[str, Tensor]], Architecture]
# Measures a search after an epoch and changes nothing in it; what it returns joins the epoch's record.
Instrument = Callable[["Search"], Mapping[str, Any]]
Batch = tuple[Tensor, Tensor]
CHECK_EVERY = 50  # steps between looks at the loss: each look waits for the device


class Search:
    """One search in progress: shared weights, architecture parameters, their optimisers, and the two streams of images.

    Args:
        space: the search space.
        dataset: its training images are split in two halves, one for the shared weights and one for alpha.
        recipe: the method.
        numbers: hyperparameters.
        derive: reads one architecture off the operation weights, for the history.
        seed: every random number of the search follows from it.
        device: where the supernet runs; alpha stays on the host.
        instruments: what each epoch's record holds besides (see `nasbook.instruments`); early stopping needs the one
            that records `eigenvalue`.

    Raises:
        UsageError: the images are too few, or of a size that the supernet cannot halve, or an instrument is missing.
    """

    name = "search"

    def __init__(
        self,
        space: Space,
        dataset: Dataset,
        *,
        recipe: Recipe,
        numbers: SearchNumbers,
        derive: Derive,
        seed: int = 0,
        device: torch.device | str = "cpu",
        instruments: Mapping[str, Instrument] | None = None,
    ) -> None:
        families.of(space).check(dataset.image, numbers.stem_stride, numbers.layers)
        check_recipe(recipe)
        self.instruments = dict(instruments or {})
        if numbers.early_stop and "eigenvalue" not in self.instruments:
            raise UsageError("Early stopping reads the eigenvalue: the search needs the instrument 'eigenvalue'.")
        early_stopping.check(numbers.early_stop, numbers.epochs, learns=recipe.hypergradient != "none")
        self.space, self.dataset, self.recipe, self.numbers = space, dataset, recipe, numbers
        self.derive, self.seed, self.device = derive, seed, torch.device(device)
        self.dtype = getattr(torch, numbers.precision)
        self.epochs, self.epoch = numbers.epochs, 0
        # Of early stopping: (epoch, eigenvalue) and the architecture of each look, and the epoch that it went back to.
        self.curve: list[tuple[int, float]] = []
        self.derived: list[str] = []
        self.stopped: int | None = None
        self.relaxation = RELAXATIONS[recipe.relaxation](space)
        self.hypergradient = HYPERGRADIENTS[recipe.hypergradient]
        self.perturbation = PERTURBATIONS[recipe.perturbation]
        self.stream = RandomStream(seed, device=self.device)
        with self.stream.scope() as generator, devices.precision(self.dtype):
            self.supernet = self._build()
            self.alpha = self.relaxation.initial(scale=numbers.alpha_scale, generator=generator)
        halves = bilevel_halves(dataset, images=numbers.images, seed=seed)
        if len(halves[0]) < numbers.batch:
            raise UsageError(f"Each half holds {len(halves[0])} images, fewer than one batch of {numbers.batch}.")
        self.weights_half, self.alpha_half = halves
        self.weights_batches, self.alpha_batches = self._batches(halves[0]), self._batches(halves[1])
        self.w_optimizer = torch.optim.SGD(
            self.supernet.parameters(), numbers.w_lr, numbers.w_momentum, weight_decay=numbers.w_decay
        )
        # Adam's decay is L2 added to the gradient, as published (not decoupled). It holds alpha and nothing else.
        self.alpha_optimizer = torch.optim.Adam(
            list(self.alpha.values()),
            numbers.alpha_lr,
            (numbers.alpha_beta1, numbers.alpha_beta2),
            weight_decay=numbers.alpha_decay,
        )

    @property
    def progress(self) -> float:
        """How much of the search is done, from 0 to 1."""
        return min(1.0, self.epoch / self.epochs)  # a selection may train on after the last epoch

    def mixing(self, alpha: Mapping[str, Tensor] | None = None) -> Mixing:
        """The operation weights at `alpha` (the current one by default): on the host, differentiable in it."""
        return self.relaxation(dict(alpha or self.alpha), self.progress, self.stream.generator)

    def logits(
        self,
        images: Tensor,
        mixing: Mixing,
        w: Mapping[str, Tensor] | None = None,
        *,
        drop_probability: float = 0.0,
    ) -> Tensor:
        """Class scores (B, classes) of the supernet with its own shared weights, or with `w`."""
        arguments = (images, mixing.to(self.device, self.dtype), drop_probability)
        return self.supernet(*arguments) if w is None else functional_call(self.supernet, dict(w), arguments)

    def run_epoch(self, on_step: Callable[[int, int], None]) -> dict[str, Any]:
        """One pass over the weights' half, then the supernet's accuracy on the half of alpha.

        Raises:
            DivergedError: the training loss is no longer finite.
        """
        for group in self.w_optimizer.param_groups:
            group["lr"] = cosine(self.numbers.w_lr, self.numbers.w_lr_end, self.progress)
        loss = torch.zeros((), device=self.device, dtype=self.dtype)
        correct = torch.zeros((), device=self.device, dtype=torch.long)
        steps = self.weights_batches.per_epoch
        self.supernet.train()
        with self.stream.scope():
            for step in range(1, steps + 1):
                step_loss, step_correct = self.step()
                loss += step_loss
                correct += step_correct
                if step % CHECK_EVERY == 0 or step == steps:
                    self._check_finite(float(loss))
                on_step(step, steps)
        self.epoch += 1
        record = self._record(float(loss) / steps, 100.0 * int(correct) / (steps * self.numbers.batch))
        self._stop_early(record)
        return record

    def validate(self, mixing: Mixing | None = None, *, batch_statistics: bool = False) -> tuple[float, float]:
        """Loss (nats) and accuracy (percent) of the supernet on alpha's half, at the current weights or at `mixing`.

        Draws (a noise operation's, a random relaxation's) come from a stream of their own, the same at every call: so
        measuring changes nothing in the search, and two measurements can be compared.

        Args:
            mixing: the operation weights; by default the current ones.
            batch_statistics: normalise by each batch's own statistics where running ones are kept, and leave those as
                they are. Running statistics average over all that a supernet has run and fit no one architecture in it.
        """
        loss, correct = 0.0, 0
        stream = RandomStream(self.seed, device=self.device)
        self.supernet.train(batch_statistics)
        copies = {name: value.clone() for name, value in self.supernet.named_buffers()} if batch_statistics else None
        with stream.scope() as generator, torch.no_grad():
            mixing = mixing or self.relaxation(self.alpha, self.progress, generator)
            for images, labels in self._all(self.alpha_half):
                logits = self.logits(images, mixing, copies)
                loss += float(F.cross_entropy(logits, labels, reduction="sum"))
                correct += int((logits.argmax(1) == labels).sum())
        self.supernet.train()
        return loss / len(self.alpha_half), 100.0 * correct / len(self.alpha_half)

    def genotype(self) -> Any:
        """The architecture that the current operation weights point at."""
        with torch.no_grad():
            return self.derive(self.space, self.relaxation.expected(self.alpha, self.progress))

    def outcome(self) -> Any:
        """The current architecture; after early stopping the one of the epoch that it went back to."""
        if self.stopped is None:
            return self.genotype()
        epochs = [epoch for epoch, _ in self.curve]
        return self.space.parse(self.derived[epochs.index(self.stopped)])

    def state_dict(self) -> dict[str, Any]:
        """Weights, alpha, optimisers, random numbers and the place in the data."""
        return {
            "epoch": self.epoch,
            "supernet": self.supernet.state_dict(),
            "alpha": {name: value.detach() for name, value in self.alpha.items()},
            "w_optimizer": self.w_optimizer.state_dict(),
            "alpha_optimizer": self.alpha_optimizer.state_dict(),
            "stream": self.stream.state_dict(),
            "weights_batches": self.weights_batches.state_dict(),
            "alpha_batches": self.alpha_batches.state_dict(),
            "curve": list(self.curve),
            "derived": list(self.derived),
            "stopped": self.stopped,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state, bit for bit on a CPU."""
        self.epoch = state["epoch"]
        self.supernet.load_state_dict(state["supernet"])
        with torch.no_grad():
            for name, value in self.alpha.items():
                value.copy_(state["alpha"][name])
        self.w_optimizer.load_state_dict(state["w_optimizer"])
        self.alpha_optimizer.load_state_dict(state["alpha_optimizer"])
        self.stream.load_state_dict(state["stream"])
        self.weights_batches.load_state_dict(state["weights_batches"])
        self.alpha_batches.load_state_dict(state["alpha_batches"])
        self.curve, self.derived = [(epoch, value) for epoch, value in state["curve"]], list(state["derived"])
        self.stopped = state["stopped"]
        self.epochs = self.epoch if self.stopped is not None else self.epochs

    def step(self) -> tuple[Tensor, Tensor]:
        """One outer and one inner step on the next two batches, in the order that the numbers name.

        Returns:
            Training loss (nats) and number of right answers of the inner step, still on the device.
        """
        train, valid = next(self.weights_batches), next(self.alpha_batches)
        if self.numbers.order == "alpha-first":
            self._outer_step(train, valid)
            return self._inner_step(train)
        result = self._inner_step(train)
        self._outer_step(train, valid)
        return result

    def _outer_step(self, train: Batch, valid: Batch) -> None:
        if self.hypergradient is None:
            return
        problem = hypergradient.Problem(
            inner=lambda w, alpha: self._loss(train, self.mixing(alpha), w),
            outer=lambda w, alpha: self._loss(valid, self.mixing(alpha), w),
        )
        w = dict(self.supernet.named_parameters())
        gradient = self.hypergradient(problem, w, self.alpha, self._look_ahead(w))
        for name, value in self.alpha.items():
            value.grad = gradient.alpha[name]
        self.alpha_optimizer.step()
        self.relaxation.project(self.alpha)

    def _inner_step(self, train: Batch) -> tuple[Tensor, Tensor]:
        """One step on the shared weights; returns the loss and the number of right answers, still on the device."""
        with torch.no_grad():
            mixing = self.mixing()
        mixing = self._perturbed(mixing, train).without_zeros()
        images, labels = train
        logits = self.logits(images, mixing, drop_probability=self._drop_probability)
        loss = F.cross_entropy(logits, labels)
        self.w_optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.supernet.parameters(), self.numbers.clip)
        self.w_optimizer.step()
        return loss.detach(), (logits.argmax(1) == labels).sum()

    def _perturbed(self, mixing: Mixing, train: Batch) -> Mixing:
        """The mixing to train at; the perturbation sees the loss in evaluation mode, the shared weights constant."""
        if self.perturbation is None:
            return mixing
        w = {name: value.detach() for name, value in self.supernet.named_parameters()}
        self.supernet.eval()
        moved = self.perturbation(
            mixing, lambda moved: self._loss(train, moved, w), self.progress, self.stream.generator
        )
        self.supernet.train()
        return moved

    def _loss(self, batch: Batch, mixing: Mixing, w: Mapping[str, Tensor] | None = None) -> Tensor:
        images, labels = batch
        return F.cross_entropy(self.logits(images, mixing, w, drop_probability=self._drop_probability), labels)

    @property
    def _drop_probability(self) -> float:
        return self.numbers.drop_path * self.progress

    def _look_ahead(self, w: Mapping[str, Tensor]) -> hypergradient.LookAhead:
        state = self.w_optimizer.state
        velocity = {name: state[value]["momentum_buffer"] for name, value in w.items() if value in state}
        step = self.w_optimizer.param_groups[0]["lr"]
        return hypergradient.LookAhead(step, self.numbers.w_momentum, self.numbers.w_decay, velocity)

    def _stop_early(self, record: Mapping[str, Any]) -> None:
        """End the search where the eigenvalue has grown too fast; what came before stays in the record."""
        if not self.numbers.early_stop or not early_stopping.measured(self.epoch, self.numbers.epochs):
            return
        self.curve.append((self.epoch, float(record["eigenvalue"])))
        self.derived.append(record["genotype"])
        self.stopped = early_stopping.stopping_epoch(
            self.curve, factor=self.numbers.early_stop, epochs=self.numbers.epochs
        )
        if self.stopped is not None:
            self.epochs = self.epoch

    def _record(self, train_loss: float, train_accuracy: float) -> dict[str, Any]:
        valid_loss, valid_accuracy = self.validate()
        start = time.perf_counter()
        measured = {key: value for instrument in self.instruments.values() for key, value in instrument(self).items()}
        seconds = {"instrument_seconds": time.perf_counter() - start} if self.instruments else {}
        return {
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "valid_loss": valid_loss,
            "valid_accuracy": valid_accuracy,
            "alpha": {name: value.tolist() for name, value in self.alpha.items()},
            "weights": {
                name: value.tolist() for name, value in self.relaxation.expected(self.alpha, self.progress).items()
            },
            "genotype": str(self.genotype()),
            "w_lr": self.w_optimizer.param_groups[0]["lr"],
            "memory_mib": devices.memory_mib(self.device),
            **measured,
            **seconds,
        }

    def _check_finite(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise DivergedError(
                f"The training loss is no longer finite in epoch {self.epoch + 1}: try a smaller w_lr "
                f"(now {self.numbers.w_lr:g}), a smaller alpha_lr (now {self.numbers.alpha_lr:g}) or a smaller clip "
                f"(now {self.numbers.clip:g}); the run folder keeps the last good epoch."
            )

    def _build(self) -> torch.nn.Module:
        supernet = families.of(self.space).supernet(
            self.space,
            channels=self.numbers.channels,
            layers=self.numbers.layers,
            classes=self.dataset.classes,
            image_channels=self.dataset.image[0],
            stem_stride=self.numbers.stem_stride,
            running=self.numbers.running,
        )
        return supernet.to(self.device).to(memory_format=memory_format(self.dtype))

    def _batches(self, images: Any) -> Batches:
        return Batches(
            images,
            self.numbers.batch,
            dataset=self.dataset,
            generator=self.stream.generator,
            augment=self.numbers.augment,
            device=self.device,
            dtype=self.dtype,
        )

    def _all(self, images: Any) -> Any:
        return in_order(images, 4 * self.numbers.batch, dataset=self.dataset, device=self.device, dtype=self.dtype)


def check_recipe(recipe: Recipe) -> None:
    """Make sure that each axis of this room names a choice that exists.

    Raises:
        UsageError: one does not; the sentence lists those that do.
    """
    tables = (RELAXATIONS, HYPERGRADIENTS, PERTURBATIONS)
    axes: dict[str, Iterable[str]] = dict(zip(("relaxation", "hypergradient", "perturbation"), tables))
    for axis, choices in axes.items():
        chosen = getattr(recipe, axis)
        if chosen not in choices:
            raise UsageError(
                f"Recipe {recipe.name!r}: {axis} {chosen!r} does not exist; there are {', '.join(choices)}."
            )


def cosine(start: float, end: float, progress: float) -> float:
    """A learning rate annealed from `start` to `end` by half a cosine; a function of progress, so nothing to save."""
    return end + (start - end) * (1.0 + math.cos(math.pi * progress)) / 2.0


def memory_format(dtype: torch.dtype) -> torch.memory_format:
    """Channels last where it is faster: float32. In float64 depthwise convolutions are far slower that way."""
    return torch.channels_last if dtype == torch.float32 else torch.contiguous_format
