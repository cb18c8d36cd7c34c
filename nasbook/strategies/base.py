"""The black-box loop: a strategy proposes architectures and learns nothing of them but a score.

A strategy is a Python generator. It yields an architecture and is sent that architecture's score:

    def my_strategy(space, *, generator):
        while True:
            score = yield space.sample(generator)

What the score comes from (training from scratch, shared weights, a table) is not the strategy's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype

Evaluator = Callable[[Genotype], float]
"""An architecture's validation accuracy in percent."""

Strategy = Generator[Genotype, float, None]
"""Yields an architecture, is sent its score; may end by itself."""


@dataclass(frozen=True)
class Evaluation:
    """One architecture that was tried, and its validation accuracy in percent."""

    genotype: Genotype
    score: float


@dataclass(frozen=True)
class History:
    """Everything that a strategy tried, in order."""

    evaluations: tuple[Evaluation, ...]

    def __len__(self) -> int:
        return len(self.evaluations)

    @property
    def scores(self) -> tuple[float, ...]:
        """The score of each evaluation, in percent."""
        return tuple(evaluation.score for evaluation in self.evaluations)

    @property
    def best(self) -> Evaluation:
        """The best of the whole history, the earliest of equals: what every strategy here returns."""
        return self.incumbents()[-1]

    @property
    def distinct(self) -> int:
        """How many different architectures were tried; a repeated one costs an evaluation all the same."""
        return len({evaluation.genotype.canonical() for evaluation in self.evaluations})

    def incumbents(self) -> tuple[Evaluation, ...]:
        """The best so far after each evaluation."""
        found: list[Evaluation] = []
        for evaluation in self.evaluations:
            better = not found or evaluation.score > found[-1].score
            found.append(evaluation if better else found[-1])
        return tuple(found)

    def best_so_far(self) -> tuple[float, ...]:
        """The best score so far after each evaluation, in percent."""
        return tuple(evaluation.score for evaluation in self.incumbents())


def run(strategy: Strategy, evaluate: Evaluator, budget: int) -> History:
    """Let a strategy try architectures until the budget is spent or it ends by itself.

    Args:
        strategy: a fresh generator of architectures.
        evaluate: the score of one architecture, the only thing that the strategy ever sees.
        budget: number of evaluations, at least 1.

    Raises:
        UsageError: the budget is below 1, the strategy proposes nothing, or a score is not a finite number.
    """
    if budget < 1:
        raise UsageError(f"The budget must be at least 1 evaluation, not {budget}.")
    evaluations: list[Evaluation] = []
    try:
        genotype = next(strategy)
        while True:
            evaluations.append(Evaluation(genotype, _score(evaluate, genotype)))
            if len(evaluations) == budget:
                break
            genotype = strategy.send(evaluations[-1].score)
    except StopIteration:
        pass
    finally:
        strategy.close()
    if not evaluations:
        raise UsageError("The strategy ended before it proposed an architecture; make a fresh one for each run.")
    return History(tuple(evaluations))


def _score(evaluate: Evaluator, genotype: Genotype) -> float:
    score = float(evaluate(genotype))
    if not math.isfinite(score):
        raise UsageError(f"The evaluator gave {score} for {genotype}; a score must be a finite number.")
    return score
