"""The black-box loop: what a strategy sees, what is kept, what is refused."""

from __future__ import annotations

import pytest
import torch

from nasbook import spaces, strategies
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype
from nasbook.strategies import History, Strategy

SPACE = spaces.get("s2", nodes=2, reduction="fixed")
ALL = list(strategies.architectures(SPACE))


def in_turn(sent: list[float], count: int = len(ALL)) -> Strategy:
    for genotype in ALL[:count]:
        sent.append((yield genotype))


def place(genotype: Genotype) -> float:
    return float(ALL.index(genotype))


def history(*scores: float) -> History:
    given = iter(scores)
    return strategies.run(in_turn([]), lambda _: next(given), len(scores))


def test_each_score_reaches_the_strategy_and_the_budget_is_spent_exactly() -> None:
    sent: list[float] = []
    found = strategies.run(in_turn(sent), place, 5)
    assert [evaluation.genotype for evaluation in found.evaluations] == ALL[:5]
    assert found.scores == (0.0, 1.0, 2.0, 3.0, 4.0)
    assert sent == [0.0, 1.0, 2.0, 3.0]  # nothing is proposed after the last one


def test_a_strategy_may_end_by_itself() -> None:
    assert len(strategies.run(in_turn([], 3), place, 10)) == 3


def test_best_so_far_is_the_running_maximum_and_the_earliest_of_equals_is_best() -> None:
    found = history(3.0, 1.0, 5.0, 5.0, 4.0)
    assert found.best_so_far() == (3.0, 3.0, 5.0, 5.0, 5.0)
    assert found.best.genotype == ALL[2]


def test_the_same_architecture_written_in_two_orders_counts_once() -> None:
    first = SPACE.parse(
        "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 1)], "
        "normal_concat=range(2, 4), reduce=[], reduce_concat=[])"
    )
    second = SPACE.genotype({"normal": (first.normal[1], first.normal[0], *first.normal[2:])})
    both: Strategy = (genotype for genotype in (first, second))
    assert first != second
    assert strategies.run(_sending(both), lambda _: 1.0, 2).distinct == 1


def _sending(items: Strategy) -> Strategy:
    yield from items


def test_a_run_that_fails_closes_the_strategy() -> None:
    closed = []

    def strategy() -> Strategy:
        try:
            yield from in_turn([])
        finally:
            closed.append(True)

    with pytest.raises(ZeroDivisionError):
        strategies.run(strategy(), lambda _: 1 / 0, 3)
    assert closed == [True]


def test_what_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1 evaluation, not 0"):
        strategies.run(in_turn([]), place, 0)
    with pytest.raises(UsageError, match="gave nan for Genotype"):
        strategies.run(in_turn([]), lambda _: float("nan"), 3)
    spent = strategies.random_search(SPACE, generator=torch.Generator())
    strategies.run(spent, lambda _: 1.0, 2)
    with pytest.raises(UsageError, match="make a fresh one"):
        strategies.run(spent, lambda _: 1.0, 2)
