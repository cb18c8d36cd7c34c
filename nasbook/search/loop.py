"""The one search loop: alternate outer steps on alpha and inner steps on the shared weights (Liu et al. 2019, alg. 1).

What is particular to a method it takes from its recipe's axes: how alpha becomes operation weights, how the outer
gradient is taken, and what is done to the weights before the inner step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from nasbook.datasets import Batches, Dataset, bilevel_halves, in_order
from nasbook.relaxation import RELAXATIONS, Derive
from nasbook.runtime import devices
from nasbook.runtime.errors import UsageError
from nasbook.runtime.random import RandomStream
from nasbook.search import early_stopping, hypergradient, progressive
from nasbook.search.axes import HYPERGRADIENTS, check_recipe
from nasbook.search.building import alpha_optimizer, build_supernet, costs, weights_optimizer
from nasbook.search.history import check_finite, epoch_record
from nasbook.search.penalty import Penalty
from nasbook.search.perturbation import PERTURBATIONS
from nasbook.search.policy_gradient import log_probability, next_baseline
from nasbook.search.recipes import Recipe, check_numbers
from nasbook.search.schedule import cosine
from nasbook.search.state import load_state, state_of
from nasbook.sizes import SearchNumbers
from nasbook.spaces import Space
from nasbook.supernet import Active, Mixing, families

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
        check_numbers(recipe, numbers)
        self.instruments = dict(instruments or {})
        if numbers.early_stop and "eigenvalue" not in self.instruments:
            raise UsageError("Early stopping reads the eigenvalue: the search needs the instrument 'eigenvalue'.")
        early_stopping.check(numbers.early_stop, numbers.epochs, learns=recipe.hypergradient != "none")
        progressive.check(numbers)
        self.space, self.dataset, self.recipe, self.numbers = space, dataset, recipe, numbers
        self.derive, self.seed, self.device = derive, seed, torch.device(device)
        self.dtype = getattr(torch, numbers.precision)
        self.epochs, self.epoch = numbers.epochs, 0
        self.watch = early_stopping.Watch(numbers.early_stop, numbers.epochs)
        self.steps = 0  # taken so far
        self.masks: dict[str, Tensor] | None = None  # of the second stage: which operations are kept
        self.candidates: Active | None = None  # which operations are still to choose from; None means all
        self.baseline: Tensor | None = None  # of a policy gradient
        self.relaxation = RELAXATIONS[recipe.relaxation](space, numbers, derive)
        self.hypergradient = HYPERGRADIENTS[recipe.hypergradient]
        self.perturbation = PERTURBATIONS[recipe.perturbation](numbers)
        self.stream = RandomStream(seed, device=self.device)
        with self.stream.scope() as generator, devices.precision(self.dtype):
            self.supernet = self.fresh_supernet(numbers.partial)
            self.alpha = self.relaxation.initial(
                start=numbers.alpha_start, scale=numbers.alpha_scale, generator=generator
            )
        halves = bilevel_halves(dataset, images=numbers.images, seed=seed)
        if len(halves[0]) < numbers.batch:
            raise UsageError(
                f"Each half holds {len(halves[0])} images, fewer than one batch of {numbers.batch}: "
                f"choose a batch of 2 to {len(halves[0])} (--batch)."
            )
        self.weights_half, self.alpha_half = halves
        self.weights_batches, self.alpha_batches = self._batches(halves[0]), self._batches(halves[1])
        self.w_optimizer = weights_optimizer(self.supernet, numbers)
        self.alpha_optimizer = alpha_optimizer(self.alpha.values(), numbers)
        prices = costs(self.supernet, space, dataset, numbers.cost) if numbers.cost_weight else {}
        self.penalty = Penalty(numbers.anchor_kl, numbers.cost_weight, prices)

    @property
    def progress(self) -> float:
        """How much of the search is done, from 0 to 1."""
        return min(1.0, self.epoch / self.epochs)  # a selection may train on after the last epoch

    def mixing(self, alpha: Mapping[str, Tensor] | None = None) -> Mixing:
        """The operation weights at `alpha` (the current one by default): on the host, differentiable in it."""
        return self.relaxation(dict(alpha or self.alpha), self.progress, self.stream.generator)

    def momentum(self) -> dict[str, Tensor]:
        """The momentum buffers of the shared weights, by name; none of a weight that never had a gradient."""
        state = self.w_optimizer.state
        return {
            name: state[value]["momentum_buffer"] for name, value in self.supernet.named_parameters() if value in state
        }

    def fresh_supernet(self, partial: int) -> torch.nn.Module:
        """A new supernet by the search's numbers, of which one in `partial` channels passes through the operations."""
        return build_supernet(self.space, self.dataset, self.numbers, partial=partial, device=self.device)

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
        if self.masks is None and self.epoch == progressive.second_stage_from(self.numbers):
            progressive.begin(self, progressive.kept(self.space, self.alpha, self.numbers.operations_end or 0))
        for group in self.w_optimizer.param_groups:
            group["lr"] = cosine(self.numbers.w_lr, self.numbers.w_lr_end, self.progress)
        loss, accuracy = self.train(self.weights_batches.per_epoch, on_step)
        self.epoch += 1
        record = epoch_record(self, loss, accuracy)
        self.watch.look(self.epoch, record)
        if self.stopped is not None:  # what came before stays in the history
            self.epochs = self.epoch
        return record

    def train(self, steps: int, on_step: Callable[[int, int], None]) -> tuple[float, float]:
        """Take so many steps, telling (step, steps) after each; returns the mean loss (nats) and accuracy (percent).

        Raises:
            DivergedError: the training loss is no longer finite.
        """
        loss = torch.zeros((), device=self.device, dtype=self.dtype)
        correct = torch.zeros((), device=self.device, dtype=torch.long)
        self.supernet.train()
        with self.stream.scope():
            for step in range(1, steps + 1):
                step_loss, step_correct = self.step()
                loss += step_loss
                correct += step_correct
                if step % CHECK_EVERY == 0 or step == steps:
                    check_finite(self, float(loss))
                on_step(step, steps)
        return float(loss) / steps, 100.0 * int(correct) / (steps * self.numbers.batch)

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
            for images, labels in self.validation_batches():
                logits = self.logits(images, mixing, copies)
                loss += float(F.cross_entropy(logits, labels, reduction="sum"))
                correct += int((logits.argmax(1) == labels).sum())
        self.supernet.train()
        return loss / len(self.alpha_half), 100.0 * correct / len(self.alpha_half)

    def validation_batches(self) -> Iterator[Batch]:
        """All images of alpha's half in order, four of the search's batches at a time."""
        size = 4 * self.numbers.batch
        return in_order(self.alpha_half, size, dataset=self.dataset, device=self.device, dtype=self.dtype)

    def genotype(self) -> Any:
        """The architecture that the current operation weights point at."""
        with torch.no_grad():
            return self.derive(self.space, self.relaxation.expected(self.alpha, self.progress))

    @property
    def stopped(self) -> int | None:
        """The epoch that early stopping went back to; None while it has not."""
        return self.watch.stopped

    def outcome(self) -> Any:
        """The current architecture; after early stopping the one of the epoch that it went back to."""
        if self.stopped is None:
            return self.genotype()
        return self.space.parse(self.watch.architecture())

    def state_dict(self) -> dict[str, Any]:
        """Weights, alpha, optimisers, random numbers and the place in the data."""
        return state_of(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state, bit for bit on a CPU."""
        load_state(self, state)

    def step(self) -> tuple[Tensor, Tensor]:
        """One outer and one inner step on the next two batches, in the order that the numbers name.

        Returns:
            Training loss (nats) and number of right answers of the inner step, still on the device.
        """
        train, self.steps = next(self.weights_batches), self.steps + 1
        if self.recipe.hypergradient == "single-level":
            return self._joint_step(train)
        valid = next(self.alpha_batches)
        if self.numbers.order == "alpha-first":
            self._outer_step(train, valid)
            return self._inner_step(train)
        result = self._inner_step(train)
        self._outer_step(train, valid)
        return result

    def _outer_step(self, train: Batch, valid: Batch) -> None:
        if self.hypergradient is None or not self._alpha_moves:
            return
        w = dict(self.supernet.named_parameters())
        gradient = self.hypergradient(self._problem(train, valid), w, self.alpha, self._look_ahead())
        if gradient.reward is not None:
            self.baseline = next_baseline(self.baseline, gradient.reward)
        self._move_alpha(gradient.alpha)

    def _inner_step(self, train: Batch) -> tuple[Tensor, Tensor]:
        """One step on the shared weights; returns the loss and the number of right answers, still on the device."""
        with torch.no_grad():
            mixing = self.mixing()
        return self._descend(train, self._perturbed(mixing, train) if self.perturbation else mixing.without_zeros())

    def _joint_step(self, train: Batch) -> tuple[Tensor, Tensor]:
        """One step on weights and alpha together, by one backward pass of one loss (SNAS, DSNAS)."""
        for value in self.alpha.values():
            value.grad = None
        result = self._descend(train, self.mixing())
        if self._alpha_moves:
            self._move_alpha({name: value.grad for name, value in self.alpha.items() if value.grad is not None})
        return result

    def _descend(self, train: Batch, mixing: Mixing) -> tuple[Tensor, Tensor]:
        images, labels = train
        logits = self.logits(images, mixing, drop_probability=self._drop_probability)
        loss = F.cross_entropy(logits, labels)
        self.w_optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.supernet.parameters(), self.numbers.clip or math.inf)
        self.w_optimizer.step()
        return loss.detach(), (logits.argmax(1) == labels).sum()

    def _problem(self, train: Batch, valid: Batch) -> hypergradient.Problem:
        """The step's two losses; whatever is drawn, both see the same draw at every point."""
        mark = self.stream.mark()

        def loss(batch: Batch) -> hypergradient.Loss:
            def at(w: hypergradient.Tensors, alpha: hypergradient.Tensors) -> Tensor:
                self.stream.rewind(mark)
                return self._loss(batch, self.mixing(alpha), w)

            return at

        return hypergradient.Problem(
            loss(train), loss(valid), lambda w, alpha: self._play(valid, alpha), self.numbers.plays, self.baseline
        )

    def _play(self, valid: Batch, alpha: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Draw an architecture; its accuracy on the batch (0 to 1) is its reward."""
        with torch.no_grad():
            mixing = self.mixing(alpha)
            reward = (self.logits(valid[0], mixing).argmax(1) == valid[1]).to(self.dtype).mean()
        assert mixing.active is not None
        return reward, log_probability(self.relaxation.expected(dict(alpha), self.progress), mixing.active)

    @property
    def _alpha_moves(self) -> bool:
        """Whether alpha takes a step now: not in a stage's frozen epochs, and every so many steps only."""
        begun = progressive.second_stage_from(self.numbers) or 0
        into_stage = self.epoch - (begun if self.masks is not None else 0)
        return into_stage >= self.numbers.frozen_epochs and self.steps % self.numbers.alpha_every == 0

    def _move_alpha(self, gradient: Mapping[str, Tensor]) -> None:
        """One step of alpha's optimiser, by the gradient of the loss and of what is added to it."""
        added = self.penalty(self.alpha, self.relaxation.expected(self.alpha, self.progress))
        more = {} if added is None else hypergradient.gradients(added, self.alpha)
        for name, value in self.alpha.items():
            value.grad = sum((part[name] for part in (gradient, more) if name in part), torch.zeros_like(value))
        if self.numbers.alpha_clip:
            torch.nn.utils.clip_grad_norm_(list(self.alpha.values()), self.numbers.alpha_clip)
        before = {name: value.detach().clone() for name, value in self.alpha.items()}
        self.alpha_optimizer.step()
        self.relaxation.project(self.alpha, before)

    def _perturbed(self, mixing: Mixing, train: Batch) -> Mixing:
        """The mixing to train at; the perturbation sees the loss in evaluation mode, the shared weights constant.

        Every operation that is still a candidate may be moved, also one that the relaxation did not draw.
        """
        assert self.perturbation is not None
        w = {name: value.detach() for name, value in self.supernet.named_parameters()}
        marks: list[dict[str, Tensor]] = []

        def loss(moved: Mixing) -> Tensor:
            if marks:  # what is drawn in the supernet is the same at every point
                self.stream.rewind(marks[0])
            else:
                marks.append(self.stream.mark())
            return self._loss(train, moved, w)

        self.supernet.eval()
        moved = self.perturbation(Mixing(mixing.weights, self.candidates), loss, self.progress, self.stream.generator)
        self.supernet.train()
        return moved

    def _loss(self, batch: Batch, mixing: Mixing, w: Mapping[str, Tensor] | None = None) -> Tensor:
        images, labels = batch
        return F.cross_entropy(self.logits(images, mixing, w, drop_probability=self._drop_probability), labels)

    @property
    def _drop_probability(self) -> float:
        return self.numbers.drop_path * self.progress

    def _look_ahead(self) -> hypergradient.LookAhead:
        step = self.w_optimizer.param_groups[0]["lr"]
        return hypergradient.LookAhead(step, self.numbers.w_momentum, self.numbers.w_decay, self.momentum())

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
