"""Perturbation-based selection (DARTS-PT: Wang et al. 2021, section 4 and algorithm 1).

An operation is as strong as the supernet is weak without it. One edge after another is decided: each of its operations
is taken out in turn, the one that the supernet misses most is kept, and the supernet is trained on a little before the
next edge. Then each node keeps the edges that it misses most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from nasbook.relaxation import Decided, Decisions
from nasbook.runtime.errors import DivergedError
from nasbook.search import Search
from nasbook.search.building import weights_optimizer
from nasbook.selection.choices import Choice, all_candidates, stops
from nasbook.selection.magnitude import magnitude
from nasbook.selection.scoring import Score, score, scores
from nasbook.spaces import Architecture

OnStep = Callable[[int, int], None]


class PerturbationSelection:
    """Decides the architecture of a trained supernet, a stage of training that is driven and resumed like a search.

    One epoch of this stage is one stop: each group of the space decides one row, or one node, and then the supernet
    takes `tuning_steps` steps. As in the released code the removed operation's weight is set to zero and the others'
    are left as they are, the supernet is measured by the statistics of each batch, its learning rate is constant, and
    alpha goes on learning where the method learns it. A node scores its edges once, all others being there.

    Args:
        search: trained; from here on it belongs to the selection, which changes its weights and its relaxation. The
            numbers that count are `selection_order`, `selection_criterion`, `selection_scoring`, `tuning_lr` and
            `tuning_steps`.
    """

    name = "select"

    def __init__(self, search: Search) -> None:
        self.search, self.numbers = search, search.numbers
        self.decisions: Decisions = {name: {} for name in search.space.groups}
        self._begun = False
        self._plan()
        self.epochs, self.epoch = len(self.stops), 0

    def run_epoch(self, on_step: OnStep) -> dict[str, Any]:
        """Decide the next stop and train on.

        Returns:
            `decisions`, one a group: `kind`, `group`, `where`, `options`, their `weights`, `losses` (nats) and
            `accuracies` (percent) of the supernet without each, `kept`, and `before` and `after`, its accuracy before
            the decision and with it. After training `train_loss`, `train_accuracy`, `valid_loss`, `valid_accuracy`,
            and the expected operation `weights`. The last stop is not trained after, as nothing depends on it.

        Raises:
            DivergedError: the loss of the training between decisions is no longer finite.
        """
        self._begin()
        made = [self._decide(choice) for choice in self.stops[self.epoch]]
        self.epoch += 1
        record: dict[str, Any] = {"decisions": made}
        if self.epoch < self.epochs and self.numbers.tuning_steps:
            loss, accuracy = self._train(on_step)
            record |= {"train_loss": loss, "train_accuracy": accuracy}
        now = score(self.search, self.weights())
        weights = {name: values.tolist() for name, values in self.weights().items()}
        return {**record, "valid_loss": now.loss, "valid_accuracy": now.accuracy, "weights": weights}

    def weights(self) -> dict[str, torch.Tensor]:
        """The expected operation weights (rows, columns) of each group, decided rows discrete: what is scored at."""
        weights = self.search.relaxation.expected(self.search.alpha, self.search.progress)
        return {name: values.detach() for name, values in weights.items()}  # NASP's are alpha itself

    def look(self, choice: Choice) -> dict[str, Any]:
        """Score the options of a choice: a decision's record but for `kept` and `after`; nothing is decided."""
        self._begin()
        weights = self.weights()
        before = score(self.search, weights)
        found = scores(self.search, weights, choice.group, choice.options, scoring=self.numbers.selection_scoring)
        return {
            "kind": choice.kind,
            "group": choice.group,
            "where": choice.where,
            "options": [option.name for option in choice.options],
            "weights": [float(weights[choice.group][each.row, list(each.columns)].sum()) for each in choice.options],
            "losses": [each.loss for each in found],
            "accuracies": [each.accuracy for each in found],
            "before": before.accuracy,
        }

    def keep(self, choice: Choice, kept: Sequence[int]) -> float:
        """Decide a choice: keep the options at these places; returns the supernet's accuracy then (percent)."""
        self._begin()
        self._keep(choice, kept)
        return score(self.search, self.weights()).accuracy

    def architecture(self) -> Architecture:
        """What the decisions made so far point at, undecided rows by their largest weights."""
        found: Architecture = magnitude(self.search.space, self.weights())
        return found

    def state_dict(self) -> dict[str, Any]:
        """The search's state and the decisions."""
        return {"epoch": self.epoch, "decisions": self.decisions, "search": self.search.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state, bit for bit on a CPU; the search is one that has not begun."""
        self.search.load_state_dict(state["search"])
        self._plan()
        self.epoch, self.decisions = state["epoch"], state["decisions"]
        self._wrap()

    def _train(self, on_step: OnStep) -> tuple[float, float]:
        """Train on between two decisions; returns the mean loss (nats) and accuracy (percent)."""
        try:
            return self.search.train(self.numbers.tuning_steps, on_step)
        except DivergedError:
            raise DivergedError(
                f"The training loss is no longer finite after decision {self.epoch} of {self.epochs}: try a smaller "
                f"tuning_lr (now {self.numbers.tuning_lr:g}) in a new run, or a new selection from a kept state."
            ) from None

    def _plan(self) -> None:
        """What is to be decided, in an order that follows from the seed."""
        search = self.search
        generator = torch.Generator().manual_seed(search.seed)
        candidates = all_candidates(search.space, search.masks)
        self.stops = stops(search.space, candidates, order=self.numbers.selection_order, generator=generator)

    def _begin(self) -> None:
        if not self._begun:
            # A new optimiser, without momentum: the one of the search has annealed its learning rate to the end.
            tuned = replace(self.numbers, w_lr=self.numbers.tuning_lr)
            self.search.w_optimizer = weights_optimizer(self.search.supernet, tuned)
            self._wrap()

    def _wrap(self) -> None:
        self.search.relaxation = Decided(self.search.relaxation, self.decisions)
        self._begun = True
        self.close_rows()

    def _decide(self, choice: Choice) -> dict[str, Any]:
        """Score the options of a choice, keep the best, and say what was seen."""
        seen = self.look(choice)
        found = [Score(loss, accuracy) for loss, accuracy in zip(seen["losses"], seen["accuracies"], strict=True)]
        kept = most_missed(found, keep=choice.keep, criterion=self.numbers.selection_criterion)
        return {**seen, "kept": [choice.options[place].name for place in kept], "after": self.keep(choice, kept)}

    def _keep(self, choice: Choice, kept: Sequence[int]) -> None:
        rows = self.decisions[choice.group]
        if choice.kind == "operation":
            rows[choice.options[0].row] = tuple(sorted(choice.options[place].columns[0] for place in kept))
        else:
            rows |= {option.row: () for place, option in enumerate(choice.options) if place not in kept}
        self.close_rows()

    def close_rows(self) -> None:
        """Let nothing but what was kept of a decided row be a candidate any more."""
        search = self.search
        masks = {name: mask.tolist() for name, mask in (search.masks or {}).items()}
        search.candidates = {
            name: tuple(
                self.decisions[name].get(row, tuple(k for k in range(columns) if not masks or masks[name][row][k]))
                for row in range(rows)
            )
            for name, (rows, columns) in ((name, group.shape) for name, group in search.space.groups.items())
        }


def most_missed(found: Sequence[Score], *, keep: int, criterion: str) -> list[int]:
    """The places of the options without which the supernet does worst, the worst first; of equals the earlier.

    Args:
        found: the supernet without each option.
        keep: how many are kept.
        criterion: "accuracy" (the lowest) or "loss" (the highest).
    """
    well = [-each.loss if criterion == "loss" else each.accuracy for each in found]
    return sorted(range(len(found)), key=lambda place: well[place])[:keep]
