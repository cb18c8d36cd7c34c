"""The exercises of chapter 13, a smoother landscape."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from torch import Tensor

from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect, expect_close
from nasbook.search.perturbation import allowed, ascended
from nasbook.supernet import Mixing

Loss = Callable[[Tensor], Tensor]
BringBack = Callable[[Tensor, Tensor], Tensor]
_RADII = (0.3, 0.5)
_ROWS = (  # weights of rows, and where they were moved
    (((0.5, 0.3, 0.2), (0.7, 0.2, 0.1)), ((0.9, 0.1, 0.4), (0.5, -0.3, 0.2))),
    (((0.6, 0.4), (0.3, 0.7), (0.5, 0.5)), ((1.3, 0.8), (0.2, -0.1), (0.45, 0.4))),
    (((0.2, 0.4), (0.5, 0.3)), ((0.5, -0.1), (0.4, 0.6))),  # where a part of the sum belongs to something pruned
)
_MINIMA = ((3, 54), (4, 46))  # sizes and seeds at which no wrong answer of the list is right by chance
_EMPTY = ((0.45, 0.2, 0.35), (-0.1, -0.4, -0.2))  # a row that is cut to nothing


def check_trace(attempt: Callable[[Tensor, float], Any]) -> None:
    """(hessian (n, n), radius) -> the expected rise under uniform noise in a box."""
    for seed, radius in enumerate(_RADII):
        matrix = _symmetric(seed, 3 + seed)
        trace = matrix.trace()
        got = attempt(matrix.clone(), radius)
        expect(
            not _equal(got, radius**2 / 2 * trace),
            "That takes radius^2 as the variance of a coordinate; uniform noise from -radius to radius has less.",
        )
        expect(not _equal(got, radius**2 / 3 * trace), "The half of Taylor's formula is missing.")
        expect(not _equal(got, radius / 6 * trace), "A second-order term grows with the square of the radius.")
        expect(
            not _equal(got, radius**2 / 6 * matrix.sum()),
            "Two coordinates of the noise are independent: products of different ones have mean zero.",
        )
        largest = torch.linalg.eigvalsh(matrix)[-1]
        expect(not _equal(got, radius**2 / 2 * largest), "That is the worst case in a ball; the mean was asked for.")
        expect_close(got, radius**2 / 6 * trace, "The expected rise")


def check_bring_back(attempt: BringBack) -> None:
    """(weights (rows, columns), moved) -> moved weights in [0, 1] whose rows keep their sum."""
    for values, moves in _ROWS:
        weights, moved = (torch.tensor(each, dtype=torch.float64) for each in (values, moves))
        got, right = _tensor(attempt(weights.clone(), moved.clone()), weights), bring_back(weights, moved)
        _name_the_fault(got, weights, moved)
        expect_close(got, right, "The weights that are brought back")
    weights, moved = (torch.tensor([each], dtype=torch.float64) for each in _EMPTY)
    got = _tensor(attempt(weights.clone(), moved.clone()), weights)
    expect(not bool(got.isnan().any()), "A row that is cut to zero everywhere cannot be scaled: its sum is zero.")
    expect_close(got, bring_back(weights, moved), "A row that is cut to zero everywhere")


def _name_the_fault(got: Tensor, weights: Tensor, moved: Tensor) -> None:
    """Say which of the typical wrong projections this is."""
    cut = moved.clamp(0, 1)
    expect(not _equal(got, moved.softmax(-1)), "No second softmax: what is moved are weights already.")
    expect(not _equal(got, cut), "The rows no longer have the sum that they had: scale them.")
    if not torch.allclose(weights.sum(-1), torch.ones(len(weights), dtype=weights.dtype)):
        expect(
            not _equal(got, cut / cut.sum(-1, keepdim=True)),
            "A row gets back the sum that it had before the shift, and that need not be one.",
        )
    expect(not _equal(got, cut / cut.sum()), "Each row keeps its own sum: scale row by row.")
    expect(
        not _equal(got, moved / moved.sum(-1, keepdim=True)), "A weight lies between 0 and 1: cut first, then scale."
    )
    expect(
        not _equal(got, (moved / moved.sum(-1, keepdim=True)).clamp(0, 1)),
        "You scale and then cut, so that a row's sum is lost again: cut first.",
    )


def check_ascend(attempt: Callable[..., Any]) -> None:
    """(loss, weights, start, radius, steps, bring_back) -> the end of projected ascent on the sign of the gradient."""
    for seed, radius in enumerate(_RADII):
        generator = torch.Generator().manual_seed(1330 + seed)
        weights = torch.rand(2, 3, generator=generator, dtype=torch.float64).softmax(-1)
        noise = torch.empty_like(weights).uniform_(-radius, radius, generator=generator)
        start, pull = bring_back(weights, weights + noise), torch.randn(2, 3, generator=generator, dtype=torch.float64)
        for steps in (1, 4):
            _check_ascent(attempt, (_pulling(pull), weights, start, radius, steps))


def _check_ascent(attempt: Callable[..., Any], task: tuple[Loss, Tensor, Tensor, float, int]) -> None:
    loss, weights, start, radius, steps = task
    given = attempt(loss, weights.clone(), start.clone(), radius, steps, bring_back)
    got, right = _tensor(given, weights), ascend(*task)
    if _equal(got, right):
        return
    expect(
        not _equal(got, ascend(*task, sign=-1.0)),
        "You walk downhill: that finds weights at which the loss is smaller, a friend and no adversary.",
    )
    for length in (radius / steps, radius):
        expect(not _equal(got, ascend(*task, length=length)), "All steps together add up to twice the radius.")
    expect(not _equal(got, ascend(*task, raw=True)), "Every weight moves by the same length: only the sign counts.")
    expect(not _equal(got, ascend(*task, boxed="nothing")), "The walk leaves the box around the weights.")
    expect(
        not _equal(got, ascend(*task, boxed="start")),
        "The box is around the weights of the search, not around where the walk begins.",
    )
    expect(not _equal(got, ascend(*task, back=False)), "After each step the weights are brought back: call bring_back.")
    expect_close(got, right, "The end of the ascent")


def check_worst_in_box(attempt: Callable[[Tensor, float], Any]) -> None:
    """(hessian (n, n), radius) -> the worst rise in a box around a minimum."""
    for (size, seed), radius in zip(_MINIMA, _RADII, strict=True):
        matrix = _symmetric(seed, size)
        matrix = matrix @ matrix
        corners = torch.tensor(list(product((-1.0, 1.0), repeat=len(matrix))), dtype=torch.float64)
        right = radius**2 / 2 * torch.einsum("ci,ij,cj->c", corners, matrix, corners).max()
        largest = torch.linalg.eigvalsh(matrix)[-1]
        got = attempt(matrix.clone(), radius)
        expect(not _equal(got, radius**2 / 2 * largest), "That is the worst case in a ball, which lies inside the box.")
        expect(
            not _equal(got, radius**2 / 2 * len(matrix) * largest),
            "That is a bound: it is reached only where the top eigenvector points into a corner.",
        )
        expect(not _equal(got, 2 * right), "The half of Taylor's formula is missing.")
        expect(
            not _equal(got, radius**2 / 2 * matrix.abs().sum()),
            "That gives every pair of coordinates the signs that suit it; a corner has one sign for each coordinate.",
        )
        expect(not _equal(got, radius**2 / 2 * matrix.sum()), "That is one corner: try those with other signs too.")
        expect_close(got, right, "The worst rise in the box")


def bring_back(weights: Tensor, moved: Tensor) -> Tensor:
    """Moved rows (rows, columns) brought back as a search does it; what exercise 13.3 hands to the reader."""
    return allowed(Mixing({"rows": weights}), {"rows": moved}).weights["rows"]


def ascend(
    loss: Loss,
    weights: Tensor,
    start: Tensor,
    radius: float,
    steps: int,
    *,
    sign: float = 1.0,
    length: float | None = None,
    raw: bool = False,
    boxed: str = "weights",
    back: bool = True,
) -> Tensor:
    """Projected ascent, right as it stands (`ascended` of the package), or with one typical mistake."""
    if (sign, length, raw, boxed, back) == (1.0, None, False, "weights", True):
        before, first = Mixing({"rows": weights}), Mixing({"rows": start})
        found = ascended(before, lambda mixing: loss(mixing.weights["rows"]), first, radius=radius, steps=steps)
        return found.weights["rows"]
    moved = start
    for _ in range(steps):
        variable = moved.clone().requires_grad_()
        (slope,) = torch.autograd.grad(loss(variable), variable)
        way = slope if raw else slope.sign()
        moved = moved + sign * (2 * radius / steps if length is None else length) * way
        if boxed != "nothing":
            middle = weights if boxed == "weights" else start
            moved = torch.clamp(moved, middle - radius, middle + radius)
        moved = bring_back(weights, moved) if back else moved
    return moved.detach()


def _pulling(pull: Tensor) -> Loss:
    """A loss of weights (rows, columns) whose gradient is no constant."""
    return lambda weights: (pull * weights).sum() + (weights[0] * weights[1]).sum() + weights.square().sum()


def _symmetric(seed: int, size: int) -> Tensor:
    drawn = torch.randn(size, size, generator=torch.Generator().manual_seed(1300 + seed), dtype=torch.float64)
    return drawn + drawn.T


def _tensor(got: Any, like: Tensor) -> Tensor:
    if not isinstance(got, Tensor) or got.shape != like.shape:
        told = f"shape {tuple(got.shape)}" if isinstance(got, Tensor) else type(got).__name__
        raise WrongAnswer(f"Return a tensor of shape {tuple(like.shape)} here, not {told}.")
    return got.detach().double()


def _equal(got: Any, other: Tensor | float) -> bool:
    """Whether an answer is this wrong one."""
    if not isinstance(got, Tensor | float) or isinstance(got, bool):
        return False
    given, wrong = torch.as_tensor(got).detach().double(), torch.as_tensor(other).detach().double()
    return given.shape == wrong.shape and torch.allclose(given, wrong, rtol=1e-6, atol=1e-9)


EXERCISES = (
    Exercise("13.1", "What noise adds on average", "easy", 5, check_trace, "equation (13.4)"),
    Exercise("13.2", "Back to where weights may lie", "medium", 15, check_bring_back, "section 'Back to weights'"),
    Exercise("13.3", "The adversary", "medium", 20, check_ascend, "section 'The adversary'"),
    Exercise("13.4", "The worst corner of a box", "medium", 15, check_worst_in_box, "equation (13.6)"),
)
