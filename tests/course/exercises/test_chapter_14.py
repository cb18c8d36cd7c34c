"""The checks of chapter 14: right answers pass, typical wrong ones are told what is wrong."""

import numpy as np
import pytest
import torch
from scipy import stats

from nasbook.course.exercises import find_exercise, judge


def verdict(number, attempt):
    return judge(find_exercise(f"14.{number}"), attempt)


def ranks(values):
    return [sorted(values).index(value) for value in values]


def rank_correlation(x, y):
    squares = sum((one - other) ** 2 for one, other in zip(ranks(x), ranks(y), strict=True))
    return 1 - 6 * squares / (len(x) * (len(x) ** 2 - 1))


def pearson_of_ranks(x, y):
    return torch.corrcoef(torch.tensor([ranks(x), ranks(y)], dtype=torch.float64))[0, 1]


@pytest.mark.parametrize(
    "attempt", [rank_correlation, pearson_of_ranks, lambda x, y: np.float64(stats.spearmanr(x, y).statistic)]
)
def test_right_correlations_pass(attempt):
    assert verdict(1, attempt)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda x, y: float(np.corrcoef(x, y)[0, 1]), "of the values"),
        (lambda x, y: rank_correlation(np.argsort(x).tolist(), np.argsort(y).tolist()), "once more"),
        (lambda x, y: float(stats.kendalltau(x, y).statistic), "Kendall"),
        (lambda x, y: rank_correlation(x, [-each for each in y]), "sign is turned"),
        (lambda x, y: 0.5, "is off by"),
        (lambda x, y: None, "is a return missing"),
        (lambda x, y: [rank_correlation(x, y)], "is one number"),
    ],
)
def test_wrong_correlations_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def regret(operations, weights, accuracies):
    rows = [row for row in zip(weights, accuracies, operations, strict=True) if row[2] != "none"]
    return max(row[1] for row in rows) - max(rows)[1]


def with_none(operations, weights, accuracies):
    return max(accuracies) - accuracies[weights.index(max(weights))]


def best_of_all(operations, weights, accuracies):
    return max(accuracies) - max(accuracies) + max(accuracies) - _chosen(operations, weights, accuracies)


def _chosen(operations, weights, accuracies):
    rows = [row for row in zip(weights, accuracies, operations, strict=True) if row[2] != "none"]
    return max(rows)[1]


def of_weights(operations, weights, accuracies):
    rows = [row for row in zip(weights, accuracies, operations, strict=True) if row[2] != "none"]
    return max(rows)[0] - max(rows, key=lambda row: row[1])[0]


def test_the_right_regret_passes():
    assert verdict(2, regret)[0] == "right"
    assert verdict(2, lambda *edge: torch.tensor(regret(*edge)))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (with_none, "which no cell may hold"),
        (best_of_all, "must be allowed too"),
        (lambda *edge: -regret(*edge), "best less chosen"),
        (of_weights, "difference of accuracies"),
        (lambda *edge: 7.0, "is off by"),
        (lambda *edge: None, "is a return missing"),
        (lambda *edge: "7", "is one number"),
    ],
)
def test_wrong_regrets_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def best_weights(covariance):
    weights = torch.linalg.solve(covariance, torch.ones_like(covariance[0]))
    return weights / weights.sum()


def by_the_inverse(covariance):
    inverse = torch.linalg.inv(covariance)
    return inverse.sum(1) / inverse.sum()


@pytest.mark.parametrize("attempt", [best_weights, by_the_inverse])
def test_right_weights_pass(attempt):
    assert verdict(3, attempt)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda c: torch.linalg.solve(c, torch.ones_like(c[0])), "divide by their sum"),
        (lambda c: (1 / c.diagonal()) / (1 / c.diagonal()).sum(), "variances alone"),
        (lambda c: torch.softmax(-c.diagonal(), 0), "is off by"),
        (lambda c: best_weights(c).float(), "float64"),
        (lambda c: best_weights(c)[:2], "one weight for each of the 3"),
        (lambda c: None, "is a return missing"),
    ],
)
def test_wrong_weights_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence


def force(weights, more):
    held = [convolution > skip for skip, convolution in weights]
    for _ in range(more):
        left = [edge for edge in range(len(held)) if not held[edge]]
        if left:
            held[max(left, key=lambda edge: weights[edge][1])] = True
    return held


def least_first(weights, more):
    held = [convolution > skip for skip, convolution in weights]
    for _ in range(more):
        left = [edge for edge in range(len(held)) if not held[edge]]
        if left:
            held[min(left, key=lambda edge: weights[edge][1])] = True
    return held


def in_all(weights, more):
    order = sorted(range(len(weights)), key=lambda edge: -weights[edge][1])
    return [edge in order[:more] for edge in range(len(weights))]


@pytest.mark.parametrize("attempt", [force, lambda *given: tuple(np.array(force(*given), dtype=bool).tolist())])
def test_the_right_edges_pass(attempt):
    assert verdict(4, attempt)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (least_first, "Other edges come first"),
        (in_all, "are forced: you return 1"),
        (lambda weights, more: [False] * len(weights), "has lost it"),
        (lambda weights, more: [True] * len(weights), "are forced: you return 4"),
        (lambda weights, more: more, "one True or False"),
        (lambda weights, more: None, "is a return missing"),
    ],
)
def test_wrong_edges_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(4, attempt)
    assert kind == "wrong"
    assert says in sentence
