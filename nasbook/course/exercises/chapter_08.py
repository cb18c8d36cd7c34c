"""The exercises of chapter 08, sharp minima and the discretisation gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nasbook.course.exercises.checking import Exercise, expect, expect_close

Loss = Callable[[Tensor], Tensor]
Product = Callable[[Tensor], Tensor]
PASSES = 4  # backward passes through the loss that a product may take: two are needed
PRODUCTS = 1000  # that a search for an eigenvalue may take


def _quadratics() -> list[tuple[Tensor, Tensor, Tensor]]:
    """(gradient, Hessian, direction) of some quadratic functions, the Hessians of both signs."""
    generator = torch.Generator().manual_seed(808)
    found = []
    for size in (1, 2, 5):
        square = torch.randn(size, size, generator=generator, dtype=torch.float64)
        vectors = torch.randn(2, size, generator=generator, dtype=torch.float64)
        found.append((vectors[0], (square + square.T) / 2, vectors[1]))
    return found


def check_estimated_gap(attempt: Callable[[Tensor, Tensor, Tensor], Any]) -> None:
    """(gradient (n,), Hessian (n, n), direction (n,)) -> the change of the loss by Taylor's formula, second order."""
    for slope, second, direction in _quadratics():
        got = attempt(slope.clone(), second.clone(), direction.clone())
        value = torch.as_tensor(got).detach().double().reshape(-1) if isinstance(got, int | float | Tensor) else None
        linear, curved = slope @ direction, direction @ second @ direction
        if value is not None and len(value) == 1:
            expect(not torch.isclose(value[0], curved / 2), "The gradient term is missing.")
            expect(not torch.isclose(value[0], linear), "The curvature is missing.")
            expect(not torch.isclose(value[0], linear + curved), "Look at the factor of the second-order term.")
        expect_close(got, linear + curved / 2, "The estimated gap")


class _Counted:
    """A loss that counts how often it is evaluated and how many backward passes reach its point."""

    def __init__(self, loss: Loss) -> None:
        self.loss, self.evaluations, self.passes = loss, 0, 0

    def __call__(self, point: Tensor) -> Tensor:
        self.evaluations += 1
        moved = point * 1.0  # what stands between the reader's point and the loss: each backward pass goes through it
        if moved.requires_grad:
            moved.register_hook(self._count)
        return self.loss(moved)

    def _count(self, _gradient: Tensor) -> None:
        self.passes += 1


def _losses() -> list[tuple[Loss, Callable[[Tensor], Tensor]]]:
    """Losses of a vector with their Hessians, by hand."""
    return [
        (lambda x: (x**4).sum() / 12, lambda x: torch.diag(x**2)),
        (lambda x: x.sum() ** 3 / 6, lambda x: x.sum() * torch.ones(len(x), len(x), dtype=x.dtype)),
        (lambda x: torch.logsumexp(x, 0), lambda x: torch.diag(x.softmax(0)) - torch.outer(x.softmax(0), x.softmax(0))),
    ]


def check_hessian_times(attempt: Callable[[Loss, Tensor, Tensor], Any]) -> None:
    """(loss, point (n,), direction (n,)) -> the Hessian at the point times the direction, without the Hessian."""
    generator = torch.Generator().manual_seed(809)
    for loss, second in _losses():
        point, direction = torch.randn(2, 12, generator=generator, dtype=torch.float64)
        before, counted = point.clone(), _Counted(loss)
        got = attempt(counted, point, direction.clone())
        expect(torch.equal(point, before), "Your function changes the point that it is handed; work on a copy.")
        if isinstance(got, Tensor) and got.shape == point.shape:
            slope = torch.func.grad(loss)(point)
            expect(not torch.allclose(got.detach(), slope), "That is the gradient: differentiate once more.")
        expect_close(got, second(point) @ direction, "The product")
        expect(
            counted.passes <= PASSES,
            f"Right, but it took {counted.passes} backward passes for {len(point)} parameters, as if the whole Hessian "
            "was made; two are enough, however many parameters there are.",
        )


# Eigenvalues of the matrices of 08.3: the largest in size is positive, negative, nearly opposite, or all are negative.
_SPECTRA = ([0.1, 0.5, 2.0], [-3.0, 0.2, 1.0], [-2.2, 0.0, 0.3, 2.0], [-4.0, -2.5, -1.0], [-0.3, 0.0, 0.0, 1.5, 1.2])


def check_largest_eigenvalue(attempt: Callable[[Product, int], Any]) -> None:
    """(a function that multiplies by a symmetric matrix, its size) -> the largest eigenvalue, with its sign."""
    generator = torch.Generator().manual_seed(810)
    for spectrum in _SPECTRA:
        values = torch.tensor(spectrum, dtype=torch.float64)
        turned = torch.linalg.qr(torch.randn(len(values), len(values), generator=generator, dtype=torch.float64))[0]
        matrix, asked = turned @ torch.diag(values) @ turned.T, [0]

        def times(vector: Tensor, matrix: Tensor = matrix, asked: list[int] = asked) -> Tensor:
            asked[0] += 1
            expect(asked[0] <= PRODUCTS, f"More than {PRODUCTS} products for one eigenvalue: a few hundred are enough.")
            return matrix @ vector.to(matrix.dtype)

        got = attempt(times, len(values))
        value = torch.as_tensor(got).detach().double().reshape(-1) if isinstance(got, int | float | Tensor) else None
        if value is not None and len(value) == 1 and min(spectrum) < 0:
            one, extreme = value[0].item(), max(spectrum, key=abs)
            wrong_end = extreme < 0 and abs(abs(one) - abs(extreme)) < 1e-3 and abs(one - max(spectrum)) > 1e-3
            expect(not wrong_end, "You have found the eigenvalue that is largest in size; asked is the largest.")
        expect_close(got, max(spectrum), "The largest eigenvalue", tolerance=1e-3)


EXERCISES = (
    Exercise("08.1", "The estimated gap", "easy", 10, check_estimated_gap, "equation (8.1)"),
    Exercise("08.2", "A Hessian times a vector", "medium", 20, check_hessian_times, 'the section "The Hessian"'),
    Exercise("08.3", "The largest eigenvalue", "hard", 30, check_largest_eigenvalue, 'the section "The Hessian"'),
)
