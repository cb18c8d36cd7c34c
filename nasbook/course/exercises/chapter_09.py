"""The exercises of chapter 09, why skip connections win."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from nasbook import spaces
from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect, expect_close

Weights = dict[str, Tensor]

_SAMPLES = 4000
_NEAR = 2e-3  # what it makes whether a variance divides by n or by n - 1
# V_skip, V_conv, correlation of the errors, and the part of the target that the convolution leaves out.
_DRAWS = ((1.0, 0.4, 0.0, 0.0), (0.3, 0.9, 0.5, 0.0), (0.5, 0.6, -0.4, 0.0), (0.4, 0.5, 0.2, 0.5))
# Var(m), V_skip, V_conv and c of two free weights.
_FREE = ((1.0, 0.5, 0.5, 0.0), (2.0, 0.25, 1.0, 0.1), (0.5, 1.5, 0.4, -0.3))


def check_weight_from_samples(attempt: Callable[[Tensor, Tensor, Tensor], Any]) -> None:
    """(target, skip, conv), each (samples,) -> the weight of skip with which the mixture's error is smallest."""
    generator = torch.Generator().manual_seed(901)
    for skip_variance, conv_variance, correlation, left_out in _DRAWS:
        target, first, second = _centred(torch.randn(3, _SAMPLES, generator=generator, dtype=torch.float64))
        own = (1 - correlation**2) ** 0.5
        skip = target + skip_variance**0.5 * first
        conv = (1 - left_out) * target + conv_variance**0.5 * (correlation * first + own * second)
        got = attempt(target.clone(), skip.clone(), conv.clone())
        apart = skip - conv
        right = float((apart * (target - conv)).sum() / apart.square().sum())
        _name_the_fault(got, right, float((skip - target).square().mean()), float((conv - target).square().mean()))
        expect_close(got, right, "The weight of the skip connection", tolerance=_NEAR)


def _centred(drawn: Tensor) -> Tensor:
    """The rows with mean 0 in this very sample: the mean of squares is then the variance."""
    return drawn - drawn.mean(1, keepdim=True)


def _name_the_fault(got: Any, right: float, skip: float, conv: float) -> None:
    """Say which of the typical wrong formulas this is."""
    if not isinstance(got, int | float | Tensor) or (isinstance(got, Tensor) and got.numel() != 1):
        return
    value = float(torch.as_tensor(got).detach())
    if abs(value - right) <= _NEAR:
        return
    expect(abs(value - (1 - right)) > _NEAR, "That is the weight of the convolution; return that of the skip.")
    expect(abs(value - conv / (skip + conv)) > _NEAR, "Your formula leaves out the covariance of the two errors.")
    expect(
        abs(value - skip / (skip + conv)) > _NEAR,
        "Your weight grows with the error of the skip connection itself: look at whose error stands in the numerator.",
    )


def check_free_weights(attempt: Callable[[float, float, float, float], Any]) -> None:
    """(Var(m), V_skip, V_conv, c) -> the two weights, free of any sum, with which the mean square error is smallest."""
    for signal, skip, conv, covariance in _FREE:
        got = attempt(signal, skip, conv, covariance)
        if not isinstance(got, tuple | list) or len(got) != 2:
            raise WrongAnswer("Return two numbers: the weight of the skip connection, then that of the convolution.")
        matrix = torch.tensor(
            [[signal + skip, signal + covariance], [signal + covariance, signal + conv]], dtype=torch.float64
        )
        right = torch.linalg.solve(matrix, torch.full((2,), signal, dtype=torch.float64))
        values = [torch.as_tensor(each, dtype=torch.float64).detach().reshape(()) for each in got]
        expect(
            not torch.isclose(sum(values, torch.zeros((), dtype=torch.float64)), torch.tensor(1.0).double()),
            "Your weights sum to one. Here they need not, and a smaller sum makes a smaller error.",
        )
        swapped = torch.allclose(torch.stack(values[::-1]), right) and not torch.allclose(torch.stack(values), right)
        expect(not swapped, "The two weights are right and in the wrong order: the skip connection's comes first.")
        for name, value, wanted in zip(("skip connection", "convolution"), values, right, strict=True):
            expect_close(value, float(wanted), f"The free weight of the {name}")


def check_apart(attempt: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]) -> None:
    """{group: alpha (edges, operations)} -> weights that do not compete, and start where those of a softmax do."""
    for name in ("s2", "s3"):
        space = spaces.get(name, nodes=2)
        _check_form(attempt, {group: torch.zeros(each.shape).double() for group, each in space.groups.items()})
        generator = torch.Generator().manual_seed(903)
        alpha = {
            group: torch.randn(each.shape, generator=generator, dtype=torch.float64)
            for group, each in space.groups.items()
        }
        _check_independence(attempt, alpha)


def _check_form(attempt: Callable[[Weights], Mapping[str, Tensor]], zeros: Weights) -> None:
    """A dictionary of the same shapes; where all alphas are 0, what a softmax gives."""
    got = attempt(dict(zeros))
    expect(isinstance(got, Mapping), "Return a dictionary with one tensor a group.")
    expect(set(got) == set(zeros), f"The groups should be {' and '.join(zeros)}.")
    for group, alpha in zeros.items():
        start = torch.full_like(alpha, 1 / alpha.shape[1])
        expect_close(got[group], start, f"With all alphas 0 the weight of each of {alpha.shape[1]} operations")


def _check_independence(attempt: Callable[[Weights], Mapping[str, Tensor]], alpha: Weights) -> None:
    """Each weight grows with its own alpha, depends on no other, stays between 0 and 1, and has a gradient."""
    before = {group: values.clone() for group, values in alpha.items()}
    weights = attempt(alpha)
    expect(
        all(torch.equal(alpha[group], values) for group, values in before.items()),
        "Your function changes the alphas that it is handed; make new tensors.",
    )
    expect(all(bool(((each > 0) & (each < 1)).all()) for each in weights.values()), "A weight lies between 0 and 1.")
    group = next(iter(alpha))
    raised = {name: values.clone() for name, values in alpha.items()}
    raised[group][1, 0] += 1.0
    change = attempt(raised)[group] - weights[group]
    others = change.clone()
    others[1, 0] = 0.0
    expect(
        bool((others.abs() < 1e-9).all()),
        "One alpha was raised, and the weight of another operation changed: they still share what there is.",
    )
    expect(bool(change[1, 0] > 0), "A weight should grow with its own alpha.")
    leaves = {name: values.clone().requires_grad_() for name, values in alpha.items()}
    total = torch.stack([each.sum() for each in attempt(leaves).values()]).sum()
    expect(total.requires_grad, "No gradient reaches alpha through your weights: leave out detach and tolist.")


EXERCISES = (
    Exercise("09.1", "The weight from drawn numbers", "easy", 10, check_weight_from_samples, "equation (9.3)"),
    Exercise("09.2", "Weights that need not sum to one", "medium", 20, check_free_weights, "equation (9.2)"),
    Exercise("09.3", "A mixture without competition", "hard", 30, check_apart, "the task and its hints"),
)
