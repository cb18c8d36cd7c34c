"""The gradient of the outer problem of bilevel search, three ways (Liu et al. 2019, section 2.3, equations 3 to 8).

    min_alpha  L_val(w*(alpha), alpha)    with    w*(alpha) = argmin_w L_train(w, alpha)

Each function here takes the two losses as plain functions of (w, alpha), so that the same code serves a supernet and a
problem that can be solved on paper. Symbols: `look_ahead.step` is xi, `gradient_w` is the gradient of L_val at w'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

Tensors = Mapping[str, Tensor]
Loss = Callable[[Tensors, Tensors], Tensor]
Play = Callable[[Tensors, Tensors], tuple[Tensor, Tensor]]

FINITE_DIFFERENCE = 0.01


@dataclass(frozen=True)
class Problem:
    """A bilevel problem.

    Args:
        inner, outer: its two losses, each a scalar function of (w, alpha).
        play: draws an architecture at (w, alpha) and returns its reward (a constant) and the log-probability of the
            draw (differentiable in alpha): what a policy gradient is made of.
        plays: how many are drawn in one outer step.
        baseline: what rewards are compared with; None before the first step.
    """

    inner: Loss
    outer: Loss
    play: Play | None = None
    plays: int = 1
    baseline: Tensor | None = None


@dataclass(frozen=True)
class LookAhead:
    """The weight step that the outer gradient looks ahead to.

    Args:
        step: its size xi, the current learning rate of the weights.
        momentum: SGD's momentum.
        decay: SGD's weight decay.
        velocity: SGD's momentum buffers by parameter name; none before the first step.
    """

    step: float = 0.0
    momentum: float = 0.0
    decay: float = 0.0
    velocity: Tensors = field(default_factory=dict)

    def take(self, w: Tensors, gradients: Tensors) -> dict[str, Tensor]:
        """w' = w - xi * (momentum * velocity + gradient + decay * w)."""
        moved = {}
        for name, value in w.items():
            direction = gradients[name] + self.decay * value
            if name in self.velocity:
                direction = direction + self.momentum * self.velocity[name]
            moved[name] = value - self.step * direction
        return moved


@dataclass(frozen=True)
class Hypergradient:
    """The gradient of the outer loss in alpha, the outer loss (scalar, detached), and the mean reward of any plays."""

    alpha: dict[str, Tensor]
    loss: Tensor
    reward: Tensor | None = None


Method = Callable[[Problem, Tensors, Tensors, LookAhead], Hypergradient]


def first_order(problem: Problem, w: Tensors, alpha: Tensors, look_ahead: LookAhead) -> Hypergradient:
    """The gradient of L_val(w, alpha) in alpha at the current w, as if w did not depend on alpha (xi = 0).

    Gradients in w are neither computed nor kept.
    """
    loss = problem.outer(_constant(w), alpha)
    return Hypergradient(gradients(loss, alpha), loss.detach())


def second_order(problem: Problem, w: Tensors, alpha: Tensors, look_ahead: LookAhead) -> Hypergradient:
    """The gradient of L_val(w'(alpha), alpha), its mixed second derivative by finite differences (equations 7 and 8).

    With w' one step ahead and g the gradient of L_val in w at w':

        grad_alpha L_val(w', alpha) - xi * [grad_alpha L_train(w + e g) - grad_alpha L_train(w - e g)] / (2 e)

    where e = 0.01 / |g| with one norm over all weights. The weights that are handed in are not touched.
    """
    variables = _variables(w)
    inner = gradients(problem.inner(variables, _constant(alpha)), variables)
    ahead = _variables(look_ahead.take(_constant(w), inner))
    loss = problem.outer(ahead, alpha)
    both = gradients(loss, {**_prefixed("alpha", alpha), **_prefixed("w", ahead)})
    gradient_w = {name: both[f"w/{name}"] for name in w}
    # One norm for all weights. It stays a tensor: reading it would wait for the device.
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(value) for value in gradient_w.values()]))
    # Where g is zero there is no implicit term: any step along it, and so any epsilon, gives zero.
    epsilon = FINITE_DIFFERENCE / norm.clamp_min(torch.finfo(norm.dtype).tiny)
    sides = []
    for sign in (1.0, -1.0):
        moved = {name: value + sign * epsilon * gradient_w[name] for name, value in _constant(w).items()}
        sides.append(gradients(problem.inner(moved, alpha), alpha))
    result = {}
    for name in alpha:
        mixed = (sides[0][name] - sides[1][name]) / (2 * epsilon).to(sides[0][name])
        result[name] = both[f"alpha/{name}"] - look_ahead.step * mixed
    return Hypergradient(result, loss.detach())


def exact(problem: Problem, w: Tensors, alpha: Tensors, look_ahead: LookAhead) -> Hypergradient:
    """The gradient of L_val(w'(alpha), alpha) by differentiating through the step: what `second_order` approximates.

    Costs a second backward pass through the gradient's own graph, and its memory.
    """
    variables = _variables(w)
    inner = gradients(problem.inner(variables, alpha), variables, create_graph=True)
    loss = problem.outer(look_ahead.take(variables, inner), alpha)
    return Hypergradient(gradients(loss, alpha), loss.detach())


def gradients(loss: Tensor, variables: Tensors, *, create_graph: bool = False) -> dict[str, Tensor]:
    """Gradients by name. If the loss does not depend on a variable, its gradient is zero."""
    if not loss.requires_grad:  # such as the loss of a path on which every drawn operation is `none`
        return {name: torch.zeros_like(variable) for name, variable in variables.items()}
    values = torch.autograd.grad(loss, list(variables.values()), create_graph=create_graph, allow_unused=True)
    return {
        name: torch.zeros_like(variable) if value is None else value
        for (name, variable), value in zip(variables.items(), values, strict=True)
    }


def _constant(values: Tensors) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in values.items()}


def _variables(values: Tensors) -> dict[str, Tensor]:
    return {name: value.detach().requires_grad_() for name, value in values.items()}


def _prefixed(prefix: str, values: Tensors) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": value for name, value in values.items()}
