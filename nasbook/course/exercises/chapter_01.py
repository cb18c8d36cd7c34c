"""The exercises of chapter 01, what NAS is and how it came about."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nasbook import spaces, strategies
from nasbook.course.exercises.checking import Exercise, expect, expect_close
from nasbook.spaces import Genotype
from nasbook.strategies import PublishedMethod, Strategy

BUDGETS = (0.05, 0.1, 0.45, 1.0, 5.0, 500.0, 30_000.0)


def check_best_within(attempt: Callable[[tuple[PublishedMethod, ...], float], Any]) -> None:
    """(published methods, GPU-days) -> name of the method with the lowest error that fits, or None."""
    for methods in (strategies.published_methods(), strategies.published_methods()[::-1][4:]):
        for budget in BUDGETS:
            fitting = [row for row in methods if row.gpu_days is not None and row.gpu_days <= budget]
            got = attempt(methods, budget)
            where = f"for a budget of {budget:g} GPU-days"
            if not fitting:
                expect(got is None, f"No search fits {where}; return None.")
                continue
            names = [row.name for row in methods]
            expect(got is not None, f"A search fits {where}; one that costs exactly the budget fits, too.")
            expect(got in names, f"The result {where} must be the name of a method as in row.name, not {got!r}.")
            row = methods[names.index(got)]
            expect(row.gpu_days is not None, f"{row.title} gives no cost, so nobody knows whether it fits {where}.")
            expect(row in fitting, f"{row.title} costs {row.gpu_days} GPU-days, which does not fit {where}.")
            lowest = min(each.error_percent for each in fitting)
            expect(row.error_percent == lowest, f"A method with a lower error than {row.title} fits {where}.")


def check_policy_gradient(attempt: Callable[[Tensor, int, float], Tensor]) -> None:
    """(logits, action, advantage) -> gradient of advantage * log softmax(logits)[action] in the logits."""
    generator = torch.Generator().manual_seed(1)
    for count, action, advantage in ((3, 0, 2.0), (5, 4, -1.5), (2, 1, 0.0), (7, 2, 10.0)):
        logits = torch.randn(count, generator=generator, dtype=torch.float64, requires_grad=True)
        (advantage * logits.log_softmax(0)[action]).backward()
        right = logits.grad
        assert right is not None
        got = attempt(logits.detach().clone(), action, advantage)
        if isinstance(got, Tensor) and got.shape == right.shape and advantage:
            expect(
                not torch.allclose(got, -right), "The sign is turned: reward above the baseline must raise the action."
            )
            expect(not torch.allclose(got * advantage, right), "The advantage is missing: it scales the gradient.")
        expect_close(got, right, "The gradient")


def check_hill_climbing(attempt: Callable[..., Strategy]) -> None:
    """A strategy: begin anywhere, propose a mutation of the best architecture so far, move there if it is better."""
    space = spaces.get("s1", nodes=2, reduction="fixed")
    for seed in range(4):
        # Every architecture has a score of its own: no ties, and several local optima.
        order = torch.randperm(space.size(), generator=torch.Generator().manual_seed(10 + seed)).tolist()
        scores = dict(zip(strategies.architectures(space), map(float, order)))
        evaluate = partial(_score, scores)
        strategy = attempt(space, generator=torch.Generator().manual_seed(seed))
        expect(hasattr(strategy, "send"), "The function must be a generator: it yields architectures.")
        history = strategies.run(strategy, evaluate, 60)
        expect(len(history) == 60, f"The strategy ended after {len(history)} proposals; it must go on without end.")
        _follow(space, [(each.genotype, each.score) for each in history.evaluations])


def _score(scores: dict[Genotype, float], genotype: Genotype) -> float:
    return scores[genotype.canonical()]


def _follow(space: spaces.SearchSpace, proposals: list[tuple[Genotype, float]]) -> None:
    current, best = proposals[0]
    space.check(current)
    for place, (genotype, score) in enumerate(proposals[1:], start=2):
        neighbours = {each.canonical() for each in space.neighbours(current)}
        expect(
            genotype.canonical() in neighbours,
            f"Proposal {place} is not one mutation away from the best architecture so far.",
        )
        if score > best:
            current, best = genotype, score


EXERCISES = (
    Exercise(
        id="01.1",
        title="the best system for a budget",
        level="easy",
        minutes=5,
        check=check_best_within,
        reread="the section Counting the cost",
    ),
    Exercise(
        id="01.2",
        title="the gradient of REINFORCE",
        level="medium",
        minutes=10,
        check=check_policy_gradient,
        reread="equation (1.2)",
    ),
    Exercise(
        id="01.3",
        title="a strategy of your own: hill climbing",
        level="hard",
        minutes=20,
        check=check_hill_climbing,
        reread="the section One loop for every strategy",
    ),
)
