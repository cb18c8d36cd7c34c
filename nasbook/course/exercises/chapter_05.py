"""The exercises of chapter 05, bilevel optimisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from nasbook.analysis.hypergradients import Point, exact_product, finite_difference_product, relative_error
from nasbook.course.exercises.checking import Exercise, expect, expect_close
from nasbook.search.hypergradient import LookAhead, Problem, Tensors, exact, first_order

EPSILON = 1e-4
Found = Mapping[str, Tensor]


def check_exact_answer(attempt: Any) -> None:
    """A state of the widget in which second order stands on the exact answer."""
    from nasbook.widgets.bilevel_toy import BilevelToyState, compute

    expect(isinstance(attempt, str), "Give the text that plane.state() returns.")
    state = BilevelToyState.parse(attempt)
    shown = compute(state)
    expect(state.look_ahead > 0, "With a look-ahead step of 0, second order is first order.")
    alpha, w = shown.second.end
    moving = abs(float(shown.second.alpha[-1] - shown.second.alpha[max(0, state.steps - 5)])) > 0.005
    expect(state.steps >= 5, "Take steps until second order has come to rest.")
    expect(not moving, "Second order is still moving there: take more steps.")
    expect(
        max(abs(alpha - 1), abs(w - 1)) < 0.01,
        f"Second order rests at alpha = {alpha:.3f}, w = {w:.3f}, which is not the exact answer.",
    )


def check_first_order(attempt: Callable[[Problem, Tensors, Tensors], Found]) -> None:
    """(problem, w, alpha) -> the gradient of the outer loss in alpha at fixed w, by name."""
    point = smooth_point()
    w = {name: value.clone().requires_grad_() for name, value in point.w.items()}
    right = first_order(point.problem, point.w, point.alpha, LookAhead()).alpha
    found = attempt(point.problem, w, point.alpha)
    _expect_names(found, right)
    swapped = Problem(inner=point.problem.outer, outer=point.problem.inner)
    wrong = first_order(swapped, point.w, point.alpha, LookAhead()).alpha
    expect(relative_error(found, wrong) > 1e-6, "That is the gradient of the training loss; alpha follows the other.")
    for name, value in right.items():
        expect_close(found[name], value, f"The gradient of {name}")
    expect(
        all(value.grad is None for value in w.values()),
        "Your pass also fills the gradients of w, which nobody reads: hold w constant (detach it).",
    )
    again = attempt(point.problem, w, point.alpha)
    expect(
        relative_error(again, right) < 1e-6,
        "A second call gives another result: .backward() adds to what alpha.grad holds already.",
    )


def check_product(attempt: Callable[[Problem, Tensors, Tensors, Tensors, float], Found]) -> None:
    """(problem, w, alpha, direction, epsilon) -> the finite-difference product of equation (5.6), by name."""
    point = smooth_point()
    direction = point.outer_gradient()
    before = {name: value.clone() for name, value in point.w.items()}
    found = attempt(point.problem, point.w, point.alpha, direction, EPSILON)
    expect(
        all(torch.equal(before[name], value) for name, value in point.w.items()),
        "The weights come out changed: build new tensors instead of adding in place.",
    )
    right = exact_product(point.problem, point.w, point.alpha, direction)
    _expect_names(found, right)
    swapped = exact_product(Problem(point.problem.outer, point.problem.inner), point.w, point.alpha, direction)
    expect(relative_error(found, swapped) > 1e-3, "That is the product of the outer loss; (5.6) takes the inner one.")
    for fault, factor in (
        ("you divide by 2 and then multiply by epsilon, so write / (2 * epsilon)", EPSILON**2),
        ("it has the wrong sign", -1.0),
        ("it is twice too large, because w+ and w- lie 2 epsilon apart", 2.0),
        ("it is half of what it should be, because the two weights must lie 2 epsilon apart", 0.5),
        ("the difference is not divided by anything", 2 * EPSILON),
    ):
        scaled = {name: factor * value for name, value in right.items()}
        expect(relative_error(found, scaled) > 1e-3, f"The product is off by a constant factor: {fault}.")
    error, best = relative_error(found, right), _central_error(point, direction)
    expect(error < 10 * best or error > 0.01, "It is close, but a difference to both sides of w is far more precise.")
    expect(error < 10 * best, f"The product is off by {error:.2g} relative to the exact one.")


def check_momentum(attempt: Callable[[Problem, Tensors, Tensors, LookAhead], Found]) -> None:
    """(problem, w, alpha, look_ahead) -> the exact hypergradient through a step with momentum and decay, by name."""
    point = smooth_point()
    generator = torch.Generator().manual_seed(1)
    velocity = {
        name: torch.randn(value.shape, generator=generator, dtype=value.dtype) for name, value in point.w.items()
    }
    look_ahead = LookAhead(step=0.3, momentum=0.9, decay=0.1, velocity=velocity)
    right = exact(point.problem, point.w, point.alpha, look_ahead).alpha
    found = attempt(point.problem, point.w, point.alpha, look_ahead)
    _expect_names(found, right)
    heavy = {name: 0.9 * value for name, value in velocity.items()}
    faults = {
        "the look-ahead leaves out the momentum term": replace(look_ahead, momentum=0.0),
        "the look-ahead leaves out the weight decay": replace(look_ahead, decay=0.0),
        "the velocity enters without its factor momentum": replace(look_ahead, momentum=1.0),
        "the velocity is multiplied by momentum twice": replace(look_ahead, velocity=heavy),
        "momentum and decay are both missing": LookAhead(step=0.3),
    }
    for fault, wrong in faults.items():
        faulty = exact(point.problem, point.w, point.alpha, wrong).alpha
        expect(relative_error(found, faulty) > 1e-6, f"The gradient is that of another step: {fault}.")
    expect(
        relative_error(found, _without_implicit_term(point, look_ahead)) > 1e-6,
        "w' is right, but no gradient flows through it: the training gradient needs create_graph=True.",
    )
    for name, value in right.items():
        expect_close(found[name], value, f"The gradient of {name}")
    again = attempt(point.problem, point.w, point.alpha, LookAhead(step=0.3, momentum=0.9, decay=0.1))
    expect(
        relative_error(again, exact(point.problem, point.w, point.alpha, LookAhead(step=0.3, decay=0.1)).alpha) < 1e-6,
        "Before the first step there is no velocity: an empty one counts as zero.",
    )


def smooth_point() -> Point:
    """A small smooth problem: two operations mixed by a softmax, two targets for the two losses."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    inputs, targets = {kind: draw(8, 3) for kind in ("train", "valid")}, {kind: draw(8) for kind in ("train", "valid")}

    def loss_of(kind: str) -> Callable[[Tensors, Tensors], Tensor]:
        def loss(w: Tensors, alpha: Tensors) -> Tensor:
            weights = torch.softmax(alpha["edge"], dim=0)
            mixed = weights[0] * torch.tanh(inputs[kind] @ w["first"]) + weights[1] * torch.sin(
                inputs[kind] @ w["second"] + w["shift"]
            )
            return (mixed - targets[kind]).square().mean()

        return loss

    w = {"first": draw(3), "second": draw(3), "shift": draw()}
    alpha = {"edge": torch.tensor([0.4, -0.3], dtype=torch.float64, requires_grad=True)}
    return Point(Problem(loss_of("train"), loss_of("valid")), w, alpha)


def _expect_names(found: Any, right: Found) -> None:
    expect(isinstance(found, Mapping), f"Return a dictionary from name to gradient, not {_kind(found)}.")
    expect(set(found) == set(right), f"The dictionary must have the names of alpha: {', '.join(right)}.")
    for name, value in right.items():
        expect(isinstance(found[name], Tensor), f"The gradient of {name} must be a tensor.")
        expect(found[name].shape == value.shape, f"The gradient of {name} must have the shape of alpha.")


def _kind(value: Any) -> str:
    return "None (is a return missing?)" if value is None else type(value).__name__


def _central_error(point: Point, direction: Tensors) -> float:
    estimate = finite_difference_product(point.problem, point.w, point.alpha, direction, EPSILON)
    return relative_error(estimate, exact_product(point.problem, point.w, point.alpha, direction))


def _without_implicit_term(point: Point, look_ahead: LookAhead) -> Found:
    """The gradient of L_val(w', alpha) at fixed w'."""
    variables = {name: value.clone().requires_grad_() for name, value in point.w.items()}
    gradients = torch.autograd.grad(point.problem.inner(variables, point.alpha), list(variables.values()))
    ahead = look_ahead.take(point.w, dict(zip(variables, gradients)))
    return first_order(point.problem, ahead, point.alpha, look_ahead).alpha


EXERCISES = (
    Exercise("05.1", "the exact answer on the plane", "easy", 5, check_exact_answer, "the section on the plane"),
    Exercise("05.2", "first order", "easy", 10, check_first_order, "equation (5.4)"),
    Exercise("05.3", "the finite-difference product", "medium", 15, check_product, "equation (5.6)"),
    Exercise("05.4", "momentum in the look-ahead", "hard", 25, check_momentum, "equation (5.5)"),
)
