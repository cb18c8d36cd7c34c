"""The exercises of chapter 11, Dirichlet distributions of operation weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nasbook.analysis import distributions
from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect, expect_close
from nasbook.search.penalty import distance_to_anchor

_BETAS = ((0.5, 0.5, 0.5), (1.0, 2.0, 5.0), (0.2, 3.0, 0.7, 1.1))
_ALPHAS = ((0.0, 0.0, 0.0), (1.5, -0.5, 0.0), (-2.0, 0.3, 4.0, -0.1, 0.0))
_DIGITS = 1e-4  # what a difference of two values of a CDF can give
_EDGES = ((3, 2, (0, 1, 2, 0, 0), (0, 1, 1)), (4, 4, (0, 1, 2, 3, 3, 1), (0, 1, 2, 3, 0, 2)))


def check_mean_and_variance(attempt: Callable[[Tensor], Any]) -> None:
    """beta (K,) -> the mean (K,) and the variance (K,) of the weights."""
    for values in _BETAS:
        beta = torch.tensor(values, dtype=torch.float64)
        got = attempt(beta.clone())
        if not isinstance(got, tuple | list) or len(got) != 2:
            raise WrongAnswer("Return two tensors: the means, then the variances.")
        right, total = distributions.dirichlet_moments(beta), beta.sum()
        expect_close(got[0], right.mean, "The mean")
        expect(not _equal(got[1], right.variance.sqrt()), "That is the standard deviation; the variance is its square.")
        expect(
            not _equal(got[1], right.mean * (1 - right.mean) / total),
            "Your variance is infinite where all concentrations go to zero; a weight between 0 and 1 cannot have that.",
        )
        expect_close(got[1], right.variance, "The variance")


def check_jacobian(attempt: Callable[[Tensor, Tensor], Any]) -> None:
    """(theta (samples, K), beta (K,)) -> dtheta_i / dbeta_j at [s, i, j]."""
    for place, values in enumerate(_BETAS):
        beta = torch.tensor(values, dtype=torch.float64)
        drawn = distributions.dirichlet(beta, samples=40, seed=1100 + place)
        inside = drawn[((drawn > 0.02) & (drawn < 0.98)).all(1)][:8]
        got = attempt(inside.clone(), beta.clone())
        if not isinstance(got, Tensor):
            raise WrongAnswer("Return a tensor (samples, K, K).")
        right = distributions.dirichlet_jacobian(inside, beta)
        _name_the_fault(got.detach().double(), right, inside)
        expect_close(got, right, "The Jacobian", tolerance=_DIGITS)


def _name_the_fault(got: Tensor, right: Tensor, weights: Tensor) -> None:
    """Say which of the typical wrong formulas this is."""
    expect(not _equal(got, -right, _DIGITS), "Every sign is the opposite: a larger concentration raises its weight.")
    expect(not _equal(got, right.mT, _DIGITS), "Rows and columns are swapped: i is the weight that moves.")
    alone = right * (1 - weights)[:, None, :]
    expect(not _equal(got, alone, _DIGITS), "What the other weights give up has to be shared by 1 / (1 - theta_j).")
    if got.shape == right.shape and not torch.allclose(got, right, rtol=_DIGITS, atol=_DIGITS):
        expect(
            bool((got.sum(1).abs() < _DIGITS * (1 + got.abs().amax(1))).all()),
            "The weights no longer sum to one: for each j the derivatives of all theta_i have to cancel.",
        )
        raise WrongAnswer(
            "The weights go on to sum to one, as they should, but the slope of the Beta is wrong: derive F by its "
            "first parameter alone, with the second held, and divide by the density of the same Beta."
        )


def check_distance(attempt: Callable[[Tensor], Any]) -> None:
    """alpha (K,) -> KL(Dir(ELU(alpha) + 1) || Dir(1)), differentiable."""
    for values in _ALPHAS:
        alpha = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        mine = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        got, right = attempt(mine), distance_to_anchor(alpha[None])
        if isinstance(got, Tensor) and not any(values):
            missing = torch.lgamma(torch.tensor(float(len(values)), dtype=torch.float64))
            expect(
                not _equal(got, missing),
                "At alpha = 0 the distribution is the anchor itself, and the distance is 0: the logarithm of the "
                "anchor's density, ln Gamma(K), is left out.",
            )
        expect(not _equal(got, _reversed(alpha)), "That is the distance from the anchor to Dir(beta): swap the two.")
        expect_close(got, right.detach(), "The distance to the anchor")
        expect(isinstance(got, Tensor) and got.requires_grad, "No gradient reaches alpha: use torch's functions.")
        (slope,) = torch.autograd.grad(right, alpha)
        (found,) = torch.autograd.grad(got, mine)
        expect_close(found, slope, "The gradient of the distance")


def _reversed(alpha: Tensor) -> Tensor:
    """KL(Dir(1) || Dir(beta)); infinity at the anchor, where both directions are equal."""
    beta = torch.nn.functional.elu(alpha.detach()) + 1
    if bool((beta == 1).all()):
        return torch.tensor(torch.inf, dtype=torch.float64)
    count = torch.tensor(float(len(beta)), dtype=torch.float64)
    at_one = torch.digamma(torch.ones_like(count)) - torch.digamma(count)
    norm = torch.lgamma(count) - torch.lgamma(beta.sum()) + torch.lgamma(beta).sum()
    return norm + ((1 - beta) * at_one).sum()


def check_widened(attempt: Callable[[Tensor, Tensor, Tensor], Any]) -> None:
    """(weight (O, I, 1, 1), inputs (I',), outputs (O',)) -> the weight (O', I', 1, 1) that computes the same."""
    for place, (old_inputs, old_outputs, inputs, outputs) in enumerate(_EDGES):
        generator = torch.Generator().manual_seed(1140 + place)
        weight = torch.randn(old_outputs, old_inputs, 1, 1, generator=generator, dtype=torch.float64)
        images = torch.randn(2, old_inputs, 3, 3, generator=generator, dtype=torch.float64)
        into, out = torch.tensor(inputs), torch.tensor(outputs)
        before = weight.clone()
        got = attempt(weight, into.clone(), out.clone())
        expect(torch.equal(weight, before), "Your function changes the old weight; make a new tensor.")
        _check_wide(got, weight, images, into, out)


def _check_wide(got: Any, weight: Tensor, images: Tensor, inputs: Tensor, outputs: Tensor) -> None:
    shape = (len(outputs), len(inputs), 1, 1)
    if not isinstance(got, Tensor) or got.shape != shape:
        told = tuple(got.shape) if isinstance(got, Tensor) else type(got).__name__
        raise WrongAnswer(f"The wide weight has shape {shape} here, outputs first; yours is {told}.")
    wanted = torch.nn.functional.conv2d(images, weight)[:, outputs]
    found = torch.nn.functional.conv2d(images[:, inputs], got)
    copied = torch.nn.functional.conv2d(images[:, inputs], weight[outputs][:, inputs])
    expect(
        not _equal(found, copied),
        "An input that stands there twice now counts twice: the sum over the inputs is no longer what it was.",
    )
    expect(
        not _equal(found, copied * weight.shape[1] / len(inputs)),
        "You divide all inputs by one number; but some are repeated more often than others.",
    )
    expect_close(found, wanted, "The output of the wide convolution")


def _equal(got: Any, other: Tensor, tolerance: float = 1e-6) -> bool:
    """Whether an answer is this wrong one."""
    if not isinstance(got, Tensor | float) or isinstance(got, bool):
        return False
    given = torch.as_tensor(got).detach().double()
    return given.shape == other.shape and torch.allclose(given, other.detach(), rtol=tolerance, atol=tolerance)


EXERCISES = (
    Exercise("11.1", "Mean and variance of the weights", "easy", 10, check_mean_and_variance, "equation (11.2)"),
    Exercise("11.2", "The pathwise gradient", "medium", 25, check_jacobian, "equation (11.6)"),
    Exercise("11.3", "The distance to the anchor", "medium", 15, check_distance, "equation (11.9)"),
    Exercise("11.4", "A wider convolution that computes the same", "medium", 15, check_widened, "equation (11.10)"),
)
