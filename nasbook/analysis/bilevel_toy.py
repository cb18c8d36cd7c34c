"""The bilevel problem that can be solved on paper (Liu et al. 2019, figure 2), and searches on it.

    L_val(w, alpha) = alpha w - 2 alpha + 1          L_train(w, alpha) = w^2 - 2 alpha w + alpha^2 = (w - alpha)^2

Both variables are single numbers. The best weight is w*(alpha) = alpha, so what is really minimised is
L_val(w*(alpha), alpha) = (alpha - 1)^2, and the exact answer is (alpha, w) = (1, 1). The searches go through the same
functions of `nasbook.search` as those on a supernet.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nasbook.runtime.errors import UsageError
from nasbook.search.hypergradient import LookAhead, Method, Problem, Tensors

START = (2.0, -2.0)  # (alpha, w), as in the paper
SOLUTION = (1.0, 1.0)
ORDERS = ("alpha-first", "weights-first")


def train_loss(w: Tensor | float, alpha: Tensor | float) -> Tensor | float:
    """L_train(w, alpha) = w^2 - 2 alpha w + alpha^2."""
    return w**2 - 2 * alpha * w + alpha**2


def valid_loss(w: Tensor | float, alpha: Tensor | float) -> Tensor | float:
    """L_val(w, alpha) = alpha w - 2 alpha + 1."""
    return alpha * w - 2 * alpha + 1


def _inner(w: Tensors, alpha: Tensors) -> Tensor:
    return torch.as_tensor(train_loss(w["w"], alpha["alpha"]))


def _outer(w: Tensors, alpha: Tensors) -> Tensor:
    return torch.as_tensor(valid_loss(w["w"], alpha["alpha"]))


PROBLEM = Problem(inner=_inner, outer=_outer)


@dataclass(frozen=True)
class Trajectory:
    """Where a search went.

    Args:
        alpha, w: the two variables at the start and after each step, float64 of shape (steps + 1,).
    """

    alpha: Tensor
    w: Tensor

    @property
    def end(self) -> tuple[float, float]:
        """(alpha, w) after the last step."""
        return float(self.alpha[-1]), float(self.w[-1])

    @property
    def valid_loss(self) -> Tensor:
        """L_val at each point, of shape (steps + 1,)."""
        return torch.as_tensor(valid_loss(self.w, self.alpha))


def best_weight(alpha: float) -> float:
    """w*(alpha), the weight that minimises L_train at this alpha."""
    return alpha


def fixed_point(step: float) -> float:
    """The alpha (= w) at which alternation with a look-ahead step of size xi comes to rest: 2 / (1 + 2 xi).

    There w = w*(alpha), so looking ahead moves nothing, and the hypergradient alpha - 2 + 2 xi alpha is zero.

    Raises:
        UsageError: the step is negative.
    """
    if step < 0:
        raise UsageError(f"The look-ahead step must be at least 0, not {step!r}.")
    return 2.0 / (1.0 + 2.0 * step)


def run(
    method: Method,
    step: float = 0.0,
    *,
    steps: int = 100,
    alpha_lr: float = 0.1,
    w_lr: float = 0.2,
    start: tuple[float, float] = START,
    order: str = "alpha-first",
) -> Trajectory:
    """Alternate gradient steps on alpha and on w.

    Args:
        method: `nasbook.search.first_order`, `second_order`, `exact`, or a function of the same arguments.
        step: the look-ahead step xi that the method is handed; `first_order` does not look ahead.
        steps: how many alternations, each one step on alpha and one on w.
        alpha_lr, w_lr: learning rates of plain gradient descent. In DARTS xi is the learning rate of w; here they are
            apart, so that xi alone decides where the search ends.
        start: (alpha, w).
        order: "alpha-first" as in the released code, or "weights-first" as the lecture writes it.

    Raises:
        UsageError: an order that does not exist, or a number out of range.
    """
    if order not in ORDERS:
        raise UsageError(f"order is {' or '.join(ORDERS)}, not {order!r}.")
    if step < 0 or steps < 0:
        raise UsageError(f"step and steps must be at least 0, not {step!r} and {steps!r}.")
    alpha = torch.tensor(start[0], dtype=torch.float64, requires_grad=True)
    w = torch.tensor(start[1], dtype=torch.float64)
    alphas, ws = [alpha.item()], [w.item()]
    for _ in range(steps):
        if order == "weights-first":
            w = w - w_lr * _inner_gradient(w, alpha)
        gradient = method(PROBLEM, {"w": w}, {"alpha": alpha}, LookAhead(step)).alpha["alpha"]
        alpha = (alpha.detach() - alpha_lr * gradient.detach()).requires_grad_()
        if order == "alpha-first":
            w = w - w_lr * _inner_gradient(w, alpha)
        alphas.append(alpha.item())
        ws.append(w.item())
    return Trajectory(torch.tensor(alphas, dtype=torch.float64), torch.tensor(ws, dtype=torch.float64))


def _inner_gradient(w: Tensor, alpha: Tensor) -> Tensor:
    """dL_train/dw at fixed alpha."""
    variable = w.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(PROBLEM.inner({"w": variable}, {"alpha": alpha.detach()}), [variable])
    return gradient
