"""Regularised (aging) evolution: tournament selection in which the oldest dies, not the worst.

Source: Real et al. 2019 (AmoebaNet), algorithm 1. Deviates: every mutation changes something (the paper's third
mutation, which changes nothing, is left out), and one mutation is any step to a neighbour in the space.
"""

from __future__ import annotations

import torch

from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, SearchSpace
from nasbook.strategies.base import Strategy

REMOVALS = ("oldest", "worst")


def evolution(
    space: SearchSpace,
    *,
    generator: torch.Generator,
    population: int = 10,
    tournament: int = 3,
    remove: str = "oldest",
) -> Strategy:
    """Keep a population; again and again, mutate the winner of a small tournament and remove the oldest member.

    Args:
        space: where to search; a mutation is a step to one of `space.neighbours(parent)`.
        generator: all random numbers come from it.
        population: members alive at a time; the first ones are drawn at random.
        tournament: members drawn (with replacement) for each tournament.
        remove: "oldest" (aging, as published) or "worst" (the older custom, to compare with).

    Yields:
        One architecture after another, without end.

    Raises:
        UsageError: a number is below 1, or `remove` is neither of the two.
    """
    if population < 1 or tournament < 1:
        raise UsageError(f"population and tournament must be at least 1, not {population} and {tournament}.")
    if remove not in REMOVALS:
        raise UsageError(f"remove is {' or '.join(REMOVALS)}, not {remove!r}.")
    alive: list[tuple[Genotype, float]] = []  # the oldest first
    while True:
        if len(alive) < population:
            child = space.sample(generator)
        else:
            drawn = torch.randint(population, (tournament,), generator=generator).tolist()
            parent, _ = max((alive[index] for index in drawn), key=_score)
            child = mutate(space, parent, generator=generator)
        score = yield child
        alive.append((child, score))
        if len(alive) > population:
            alive.remove(alive[0] if remove == "oldest" else min(alive, key=_score))


def mutate(space: SearchSpace, parent: Genotype, *, generator: torch.Generator) -> Genotype:
    """A uniformly drawn neighbour: one operation or one source differs.

    Raises:
        UsageError: the parent is not in the space, or the space holds no other architecture.
    """
    neighbours = space.neighbours(parent)
    if not neighbours:
        raise UsageError(f"Space {space.name} holds a single architecture: there is nothing to mutate to.")
    return neighbours[int(torch.randint(len(neighbours), (), generator=generator))]


def _score(member: tuple[Genotype, float]) -> float:
    return member[1]
