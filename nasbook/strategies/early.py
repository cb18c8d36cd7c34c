"""The early years: which units of a tiny feed-forward network are wired to which, found by a genetic algorithm.

In the spirit of Miller, Todd and Hegde 1989: a genome is a binary connectivity matrix, its fitness the error that is
left after some steps of back-propagation, parents exchange rows and bits are flipped. Deviates (the paper's own
numbers could not be checked): tournaments choose the parents, and the best wiring always survives.

Units are numbered inputs first, then hidden units, then the output; a wire goes from a unit to a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nasbook.runtime.errors import UsageError

INPUTS = 2
INIT_SCALE = 1.0
LR, MOMENTUM = 2.0, 0.9


@dataclass(frozen=True)
class Problem:
    """A classification problem in the plane.

    Args:
        name: what it is called.
        points: (points, 2), in [-1, 1].
        labels: (points,), 0 or 1.
    """

    name: str
    points: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Generation:
    """One generation of the genetic algorithm.

    Args:
        wirings: (population, units, units), bool; [p, i, j] says whether unit i receives unit j.
        errors: (population,), fraction of points on the wrong side after training, in percent.
        losses: (population,), mean squared error after training: what is selected on.
    """

    wirings: Tensor
    errors: Tensor
    losses: Tensor

    @property
    def best(self) -> int:
        """The member with the smallest loss."""
        return int(self.losses.argmin())


def four_quadrants(side: int = 8) -> Problem:
    """A grid of side x side points; label 1 where the two coordinates have the same sign."""
    if side < 2 or side % 2:
        raise UsageError(f"side must be even and at least 2, so that no point lies on an axis, not {side}.")
    line = (torch.arange(side, dtype=torch.float64) * 2 + 1) / side - 1
    points = torch.cartesian_prod(line, line)
    return Problem("four quadrants", points, (points.prod(dim=1) > 0).to(torch.float64))


def exclusive_or() -> Problem:
    """The four corners; label 1 where the two coordinates differ."""
    points = torch.tensor([[-1, -1], [-1, 1], [1, -1], [1, 1]], dtype=torch.float64)
    return Problem("exclusive or", points, (points.prod(dim=1) < 0).to(torch.float64))


def allowed(hidden: int) -> Tensor:
    """Where wires may go: (units, units) bool, from earlier units to hidden units and to the output.

    Raises:
        UsageError: there is no hidden unit.
    """
    if hidden < 1:
        raise UsageError(f"At least 1 hidden unit is needed, not {hidden}.")
    units = INPUTS + hidden + 1
    wires = torch.ones(units, units, dtype=torch.bool).tril(-1)
    wires[:INPUTS] = False
    return wires


def outputs(wirings: Tensor, weights: Tensor, points: Tensor) -> Tensor:
    """Run all networks at once: hidden units put out tanh, the last unit a logistic function.

    Args:
        wirings: (population, units, units) bool.
        weights: (population, units, units + 1); the last column is each unit's bias.
        points: (points, 2).

    Returns:
        (population, points), in (0, 1); differentiable in the weights.
    """
    masked = weights[..., :-1] * wirings
    activations = [points[:, axis].expand(len(wirings), -1) for axis in range(INPUTS)]
    units = wirings.shape[-1]
    for unit in range(INPUTS, units):
        earlier = torch.stack(activations, dim=1)  # (population, unit, points)
        drive = torch.einsum("pu,pun->pn", masked[:, unit, :unit], earlier) + weights[:, unit, -1:]
        activations.append(drive.sigmoid() if unit == units - 1 else drive.tanh())
    return activations[-1]


def train(wirings: Tensor, problem: Problem, *, steps: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Train every network of a population by back-propagation with momentum from fresh random weights.

    Args:
        wirings: (population, units, units) bool.
        problem: all its points are used in each step.
        steps: of gradient descent.
        generator: draws the first weights.

    Returns:
        Errors in percent and mean squared errors, each (population,).
    """
    size, units, _ = wirings.shape
    weights = INIT_SCALE * (2 * torch.rand(size, units, units + 1, generator=generator, dtype=torch.float64) - 1)
    weights.requires_grad_()
    optimizer = torch.optim.SGD([weights], LR, MOMENTUM)
    for _ in range(steps):
        optimizer.zero_grad()
        _losses(outputs(wirings, weights, problem.points), problem).sum().backward()
        optimizer.step()
    with torch.no_grad():
        final = outputs(wirings, weights, problem.points)
        wrong = ((final > 0.5) != (problem.labels > 0.5)).double().mean(dim=1)
        return 100.0 * wrong, _losses(final, problem)


def evolve(
    problem: Problem,
    *,
    generator: torch.Generator,
    hidden: int = 4,
    population: int = 30,
    generations: int = 15,
    steps: int = 80,
    mutation: float = 0.05,
    on_generation: Callable[[Generation], None] | None = None,
) -> list[Generation]:
    """Evolve wirings: train all, select by tournaments of two, exchange rows, flip bits; the best one is kept.

    Args:
        problem: what the networks have to learn.
        generator: all random numbers come from it.
        hidden: hidden units of a network.
        population: networks of a generation, at least 2.
        generations: how many are trained, the random first one included.
        steps: of back-propagation for each network, from fresh weights each time.
        mutation: probability that a bit of a child is flipped.
        on_generation: told of each generation once it is trained.

    Raises:
        UsageError: a number is out of range.
    """
    if population < 2 or generations < 1 or steps < 1 or not 0 <= mutation <= 1:
        raise UsageError(
            "population must be at least 2, generations and steps at least 1, mutation in [0, 1]; "
            f"not {population}, {generations}, {steps} and {mutation}."
        )
    wires = allowed(hidden)
    wirings = _coins(0.5, (population, *wires.shape), generator) & wires
    history: list[Generation] = []
    while True:
        errors, losses = train(wirings, problem, steps=steps, generator=generator)
        history.append(Generation(wirings, errors, losses))
        if on_generation:
            on_generation(history[-1])
        if len(history) == generations:
            return history
        children = offspring(history[-1], mutation=mutation, generator=generator) & wires
        wirings = torch.cat([wirings[history[-1].best][None], children[1:]])


def offspring(parents: Generation, *, mutation: float, generator: torch.Generator) -> Tensor:
    """As many children as there are parents: (population, units, units) bool.

    Each child takes each unit's row of incoming wires from one of its two parents, then every bit may flip.
    """
    size, units, _ = parents.wirings.shape
    rivals = torch.randint(size, (2, 2, size), generator=generator)  # (parent of a child, rival, child)
    winners = parents.losses[rivals].argmin(dim=1, keepdim=True)
    chosen = rivals.gather(1, winners).squeeze(1)  # (parent of a child, child)
    mothers, fathers = parents.wirings[chosen[0]], parents.wirings[chosen[1]]
    from_mother = _coins(0.5, (size, units, 1), generator)
    return torch.where(from_mother, mothers, fathers) ^ _coins(mutation, mothers.shape, generator)


def _coins(probability: float, shape: tuple[int, ...] | torch.Size, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator) < probability


def _losses(output: Tensor, problem: Problem) -> Tensor:
    return (output - problem.labels).square().mean(dim=1)
