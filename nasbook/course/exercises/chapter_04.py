"""The exercises of chapter 04, continuous relaxation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect, expect_close

CLOSE = 1e-9  # the checks compute in double precision
FOUND = 0.05


def check_operation_weights(attempt: Callable[[Tensor], Tensor]) -> None:
    """(edges, operations) -> the softmax over the operations of each edge."""
    alpha = _draw(5, 3, seed=41)
    got, right = attempt(alpha), torch.softmax(alpha, dim=-1)
    if isinstance(got, Tensor) and got.shape == right.shape:
        expect(
            not torch.allclose(got, torch.softmax(alpha, dim=0)),
            "Your columns sum to one. The operations that compete stand in one row: one row is one edge.",
        )
    expect_close(got, right, "The weight of an operation", tolerance=CLOSE)
    large = torch.tensor([[1000.0, 999.0], [-1000.0, -1001.0]], dtype=torch.float64)
    got = attempt(large)
    expect(
        isinstance(got, Tensor) and bool(got.isfinite().all()),
        "For parameters as large as 1000 your weights are not finite: exp overflows. Shift invariance helps.",
    )
    expect_close(got, torch.softmax(large, dim=-1), "The weight of an operation at large parameters", tolerance=CLOSE)


def check_same_picture(attempt: Any) -> None:
    """A state of the widget whose three parameters moved away from zero while the weights stayed at one third."""
    from nasbook.widgets.mixed_edge import MixedEdgeState

    expect(isinstance(attempt, str), "Give the text that sliders.state() returns.")
    state = MixedEdgeState.parse(attempt)
    expect(
        min(abs(value) for value in state.alpha) >= 1,
        "Each of the three parameters must be at least 1 away from zero, up or down.",
    )
    weights = torch.softmax(torch.tensor(state.alpha, dtype=torch.float64), dim=-1)
    expect(
        float((weights - 1 / len(weights)).abs().max()) <= FOUND,
        "The picture differs from the one at zero: the three weights are no longer equal.",
    )


def check_mixed_edge(attempt: Callable[[dict[str, Tensor], tuple[str, ...], Tensor], Tensor]) -> None:
    """Outputs by name (no entry for none), all names in order, (operations,) parameters -> the mixed output."""
    names = ("none", "skip_connect", "sep_conv_3x3")
    images = _draw(2, 3, 4, 4, seed=43)
    outputs = {"skip_connect": images, "sep_conv_3x3": images.square() - 1}
    alpha = torch.tensor([0.7, -0.2, 0.4], dtype=torch.float64)
    weights = torch.softmax(alpha, dim=0)
    right = weights[1] * outputs["skip_connect"] + weights[2] * outputs["sep_conv_3x3"]
    got = attempt(outputs, names, alpha)
    if isinstance(got, Tensor) and got.shape == right.shape:
        renormalised = right / (weights[1] + weights[2])
        expect(
            not torch.allclose(got, renormalised),
            "Your weights of skip_connect and sep_conv_3x3 sum to one: none has to take its share of the softmax too.",
        )
    expect_close(got, right, "The mixed output", tolerance=CLOSE)
    only = attempt({"sep_conv_3x3": images}, ("sep_conv_3x3",), torch.tensor([3.0], dtype=torch.float64))
    expect_close(only, images, "The output of an edge with one operation", tolerance=CLOSE)


def check_alpha_gradient(attempt: Callable[[Tensor, Tensor], Tensor]) -> None:
    """(edges, operations) parameters and inner products <dL/dy, o_k> -> dL/dalpha."""
    alpha, inner = _draw(4, 3, seed=44).requires_grad_(), _draw(4, 3, seed=45)
    weights = torch.softmax(alpha, dim=-1)
    (right,) = torch.autograd.grad((weights * inner).sum(), alpha)
    got = attempt(alpha.detach(), inner)
    if isinstance(got, Tensor) and got.shape == right.shape:
        expect(
            not torch.allclose(got.detach(), inner),
            "That is the gradient in the weights. alpha acts on them through the softmax.",
        )
        if float(got.detach().sum(-1).abs().max()) > CLOSE:
            raise WrongAnswer(
                "Each row of the gradient must sum to zero: a shift of all parameters of an edge changes nothing."
            )
    expect_close(got, right, "The gradient in alpha", tolerance=CLOSE)


def _draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


EXERCISES = (
    Exercise("04.1", "operation weights", "easy", 5, check_operation_weights, "equation (4.2)"),
    Exercise("04.2", "another alpha, the same picture", "easy", 5, check_same_picture, "the section on shifts"),
    Exercise("04.3", "the mixed edge with none", "medium", 10, check_mixed_edge, "equations (4.1) and (4.2)"),
    Exercise("04.4", "the gradient in alpha by hand", "hard", 25, check_alpha_gradient, "equation (4.3)"),
)
