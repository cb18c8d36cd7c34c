"""Right and typical wrong answers to the exercises of chapter 04."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from nasbook.course.exercises import find_exercise, judge


def said(exercise: str, attempt: Any) -> str:
    return judge(find_exercise(exercise), attempt)[1]


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda alpha: torch.softmax(alpha, dim=-1), "right."),
        (lambda alpha: torch.softmax(alpha, dim=0), "columns sum to one"),
        (lambda alpha: alpha.exp() / alpha.exp().sum(-1, keepdim=True), "not finite"),
        (lambda alpha: torch.log_softmax(alpha, dim=-1), "is off by"),
        (lambda alpha: torch.softmax(alpha, dim=-1)[0], "should have shape"),
        (lambda alpha: None, "is a return missing?"),
    ],
)
def test_operation_weights(attempt: Callable[[Tensor], Any], message: str) -> None:
    assert message in said("04.1", attempt)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        ("picture=0 alpha=2,2,2", "right."),
        ("picture=5 alpha=-1.5,-1.4,-1.5", "right."),
        ("picture=0 alpha=0,0,0", "at least 1 away"),
        ("picture=0 alpha=1,-1,1", "picture differs"),
        ("alpha", "reads like"),
        (2.0, "Give the text"),
    ],
)
def test_same_picture(attempt: Any, message: str) -> None:
    assert message in said("04.2", attempt)


def right_mixture(outputs: dict[str, Tensor], names: tuple[str, ...], alpha: Tensor) -> Tensor:
    weights = torch.softmax(alpha, dim=0)
    return sum(weight * outputs[name] for name, weight in zip(names, weights) if name in outputs)


def without_none(outputs: dict[str, Tensor], names: tuple[str, ...], alpha: Tensor) -> Tensor:
    kept = [index for index, name in enumerate(names) if name in outputs]
    return right_mixture(outputs, tuple(names[index] for index in kept), alpha[kept])


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (right_mixture, "right."),
        (without_none, "none has to take its share"),
        (lambda outputs, names, alpha: sum(outputs.values()), "is off by"),
        (lambda outputs, names, alpha: sum(outputs[name] for name in names), "raised KeyError"),
    ],
)
def test_mixed_edge(attempt: Callable[..., Any], message: str) -> None:
    assert message in said("04.3", attempt)


def right_gradient(alpha: Tensor, inner: Tensor) -> Tensor:
    weights = torch.softmax(alpha, dim=-1)
    return weights * (inner - (weights * inner).sum(-1, keepdim=True))


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (right_gradient, "right."),
        (lambda alpha, inner: inner, "gradient in the weights"),
        (lambda alpha, inner: torch.softmax(alpha, -1) * inner, "must sum to zero"),
        (lambda alpha, inner: inner - inner.mean(-1, keepdim=True), "is off by"),
        (lambda alpha, inner: 2.0, "should have shape"),
    ],
)
def test_alpha_gradient(attempt: Callable[[Tensor, Tensor], Any], message: str) -> None:
    assert message in said("04.4", attempt)
