"""What is done to the operation weights before the inner step: SDARTS (Chen & Hsieh 2020, sections 3.1 and 3.2).

    random       w = argmin_w  E_d L_train(w, A + d),        d uniform in [-radius, radius]       (SDARTS-RS)
    adversarial  w = argmin_w  max_d L_train(w, A + d),      |d| <= radius, by signed ascent      (SDARTS-ADV)

A are the operation weights, after the softmax. What is perturbed is brought back to where weights may lie: between 0
and 1, each row with the sum that it had (one, after a softmax). So the released code has it; this is no projection to
the nearest point of the simplex.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from nasbook.search.hypergradient import gradients
from nasbook.sizes import SearchNumbers
from nasbook.supernet import Mixing, edges_of

Weights = Mapping[str, Tensor]
Loss = Callable[[Mixing], Tensor]


class Perturbation(Protocol):
    """Moves the operation weights that the weight step is taken at."""

    def __call__(self, mixing: Mixing, loss: Loss, progress: float, generator: torch.Generator) -> Mixing:
        """The weights to train at.

        Args:
            mixing: the relaxation's weights, as constants on the host. What is named active may be moved, but for rows
                whose active weights are all one: those are decided.
            loss: the training loss of the step's own batch as a function of the weights, in evaluation mode (running
                statistics where they are kept, and none are updated) and differentiable in the weights alone.
            progress: how much of the search is done, from 0 to 1.
            generator: draws what is random.

        Returns:
            The moved weights; which of them are zero may be known on the device only.
        """


@dataclass(frozen=True)
class Radius:
    """How far weights are moved: in a straight line from the first to the last, as in the released code."""

    first: float
    last: float

    @classmethod
    def of(cls, numbers: SearchNumbers) -> Radius:
        """The schedule that a search's numbers ask for."""
        return cls(numbers.radius, numbers.radius_end)

    def __call__(self, progress: float) -> float:
        """The radius when so much of the search is done."""
        return self.first + (self.last - self.first) * progress


@dataclass(frozen=True)
class RandomSmoothing:
    """A point drawn uniformly from the box around the weights (equation 6 of the paper: SDARTS-RS)."""

    radius: Radius

    def __call__(self, mixing: Mixing, loss: Loss, progress: float, generator: torch.Generator) -> Mixing:
        """Draw the point; the loss is not asked."""
        return drawn(mixing, self.radius(progress), generator)


@dataclass(frozen=True)
class Adversarial:
    """A bad point of the box, by projected ascent on the sign of the gradient (equation 5: SDARTS-ADV).

    Args:
        radius: of the box.
        steps: of ascent, each of 2 * radius / steps (7 in the released code).
    """

    radius: Radius
    steps: int

    def __call__(self, mixing: Mixing, loss: Loss, progress: float, generator: torch.Generator) -> Mixing:
        """Ascend from a random point of the box; where that ends no worse than it began, the weights stay."""
        if not any(_may_move(mixing, name).any() for name in mixing.weights if not _of_edges(name)):
            return mixing
        radius = self.radius(progress)
        moved = ascended(mixing, loss, drawn(mixing, radius, generator), radius=radius, steps=self.steps)
        with torch.no_grad():
            clean, attacked = loss(mixing), loss(moved)
        # The choice is made where the losses are: reading them would wait for the device.
        worse = attacked >= clean
        chosen = {
            name: torch.where(worse, _beside(moved.weights[name], clean), _beside(values, clean))
            for name, values in mixing.weights.items()
        }
        return Mixing(chosen, mixing.active)


def ascended(mixing: Mixing, loss: Loss, start: Mixing, *, radius: float, steps: int) -> Mixing:
    """The end of projected ascent on the sign of the loss's gradient.

    Args:
        mixing: the centre of the box.
        loss: what is to grow.
        start: where to begin, in the box.
        radius: half the side of the box; each step has the length 2 * radius / steps in every weight.
        steps: how many are taken.
    """
    moved = start
    for _ in range(steps):
        variables = moved.map(lambda values: values.detach().clone().requires_grad_())
        slopes, step = gradients(loss(variables), variables.weights), 2 * radius / steps
        ahead = {name: values.detach() + step * slopes[name].sign() for name, values in variables.weights.items()}
        boxed = {name: values.clamp(*_box(mixing.weights[name], radius)) for name, values in ahead.items()}
        moved = allowed(mixing, boxed)
    return moved


def drawn(mixing: Mixing, radius: float, generator: torch.Generator) -> Mixing:
    """A point drawn uniformly from the box around some weights, and brought back to where weights may lie."""
    noise = {
        name: torch.empty_like(values).uniform_(-radius, radius, generator=generator)
        for name, values in mixing.weights.items()
    }
    return allowed(mixing, {name: values + noise[name] for name, values in mixing.weights.items()})


def allowed(mixing: Mixing, moved: Weights) -> Mixing:
    """Moved weights brought back to where weights may lie: cut to 0 and 1, then scaled to the sum that the row had.

    If a row is clipped to zero everywhere, its sum goes to the entry that was largest in `moved`, as in the released
    code (model_search.py: Network.clip). Some weights do not change: weights of operations that are not active, decided
    rows (their active weights are all one), and the weights of whole edges.

    Args:
        mixing: the weights before, on the host.
        moved: the same after they were moved.
    """
    groups = {
        name: values if _of_edges(name) else _rows(values, moved[name], _may_move(mixing, name))
        for name, values in mixing.weights.items()
    }
    return Mixing(groups, mixing.active)


def _rows(before: Tensor, after: Tensor, may_move: Tensor) -> Tensor:
    """(rows, columns) brought back row by row."""
    cut = torch.where(may_move, after.clamp(0.0, 1.0), 0.0)
    place = torch.where(may_move, after, -torch.inf).argmax(-1, keepdim=True)
    largest = torch.zeros_like(before).scatter(-1, place, 1.0)
    cut = torch.where(cut.sum(-1, keepdim=True) > 0, cut, largest)
    total = torch.where(may_move, before, 0.0).sum(-1, keepdim=True)
    scaled = cut * total / cut.sum(-1, keepdim=True)
    return torch.where(may_move, scaled, before)


def _may_move(mixing: Mixing, name: str) -> Tensor:
    """(rows, columns): true for the active weights of each row but those where all are one: such a row is decided."""
    weights = mixing.weights[name]
    mask = torch.ones_like(weights, dtype=torch.bool)
    if mixing.active is not None:
        mask = torch.zeros_like(mask)
        for row, columns in enumerate(mixing.active[name]):
            mask[row, list(columns)] = True
    return mask & (mask & (weights != 1.0)).any(-1, keepdim=True)


def _of_edges(name: str) -> bool:
    return name.endswith(edges_of(""))


def _box(centre: Tensor, radius: float) -> tuple[Tensor, Tensor]:
    return centre - radius, centre + radius


def _beside(values: Tensor, loss: Tensor) -> Tensor:
    """The values in the loss's precision and on its device."""
    return values.detach().to(loss.dtype).to(loss.device)


# By the word that a recipe has for it: made of the numbers of the search.
PERTURBATIONS: dict[str, Callable[[SearchNumbers], Perturbation | None]] = {
    "none": lambda numbers: None,  # the weights as they are
    "random": lambda numbers: RandomSmoothing(Radius.of(numbers)),
    "adversarial": lambda numbers: Adversarial(Radius.of(numbers), numbers.attack_steps),
}
