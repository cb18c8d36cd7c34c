"""Is a hypergradient right, and what does it cost? Checked on a small real supernet in double precision.

The second-order gradient needs the product of a mixed second derivative with a direction v (Liu et al. 2019,
equation 8), which is estimated by a finite difference in the weights:

    d/dalpha <grad_w L_train(w, alpha), v>  ~  [grad_alpha L_train(w + e v) - grad_alpha L_train(w - e v)] / (2 e)

The estimate is only as good as L_train is smooth along w - e v to w + e v. A supernet has a kink at every ReLU, so each
check here also runs on a smooth twin of the same supernet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from nasbook.relaxation import Softmax
from nasbook.runtime import devices
from nasbook.runtime.random import RandomStream
from nasbook.search.hypergradient import FINITE_DIFFERENCE, LookAhead, Loss, Method, Problem, Tensors, exact
from nasbook.spaces import SearchSpace
from nasbook.supernet import Supernet

Batch = tuple[Tensor, Tensor]
Product = Callable[[Problem, Tensors, Tensors, Tensors, float], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Point:
    """A bilevel problem at one point (w, alpha): all that a hypergradient is a function of.

    Args:
        problem: the two losses.
        w: weights by name.
        alpha: architecture parameters by name, leaves that require a gradient.
    """

    problem: Problem
    w: Tensors
    alpha: Tensors

    def outer_gradient(self) -> dict[str, Tensor]:
        """The gradient of L_val in w: the direction in which the mixed derivative is asked for."""
        variables = {name: value.detach().requires_grad_() for name, value in self.w.items()}
        alpha = {name: value.detach() for name, value in self.alpha.items()}
        gradients = torch.autograd.grad(self.problem.outer(variables, alpha), list(variables.values()))
        return dict(zip(variables, gradients))


class _Smooth(TorchFunctionMode):
    """Within it, functional ReLUs compute SiLU (x times its sigmoid) instead."""

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return F.silu(*args) if function is F.relu else function(*args, **(kwargs or {}))


def supernet_point(
    space: SearchSpace,
    train: Batch,
    valid: Batch,
    *,
    classes: int,
    channels: int = 4,
    layers: int = 3,
    alpha_scale: float = 0.1,
    smooth: bool = False,
    dtype: torch.dtype = torch.float64,
    seed: int = 0,
) -> Point:
    """A fresh supernet and fresh architecture parameters, with one batch for each of the two losses.

    Args:
        space: the search space.
        train: images (B, channels, height, width) and labels (B,) of L_train.
        valid: the same of L_val.
        classes: number of classes.
        channels, layers: size of the supernet; its stem has stride 2.
        alpha_scale: standard deviation of the architecture parameters.
        smooth: put SiLU in the place of every ReLU.
        dtype: precision of weights and images.
        seed: of weights and architecture parameters.
    """
    with RandomStream(seed).scope() as generator, devices.precision(dtype):
        supernet = Supernet(space, channels=channels, layers=layers, classes=classes, stem_stride=2)
        alpha = Softmax(space).initial(scale=alpha_scale, generator=generator)

    def loss_of(batch: Batch) -> Loss:
        images, labels = batch[0].to(dtype), batch[1]

        def loss(w: Tensors, alpha: Tensors) -> Tensor:
            mixing = Softmax(space)(dict(alpha), 0.0, torch.Generator()).to(images.device, dtype)
            inside: AbstractContextManager[Any] = _Smooth() if smooth else nullcontext()
            with inside:
                return F.cross_entropy(functional_call(supernet, dict(w), (images, mixing)), labels)

        return loss

    w = {name: value.detach() for name, value in supernet.named_parameters()}
    return Point(Problem(loss_of(train), loss_of(valid)), w, alpha)


def exact_product(problem: Problem, w: Tensors, alpha: Tensors, direction: Tensors) -> dict[str, Tensor]:
    """d/dalpha of <grad_w L_train(w, alpha), v>, by differentiating twice; v is `direction`, by name of weight."""
    variables = {name: value.detach().requires_grad_() for name, value in w.items()}
    gradients = torch.autograd.grad(problem.inner(variables, alpha), list(variables.values()), create_graph=True)
    inner_product = sum((gradient * direction[name]).sum() for name, gradient in zip(variables, gradients))
    return dict(zip(alpha, torch.autograd.grad(torch.as_tensor(inner_product), list(alpha.values()))))


def finite_difference_product(
    problem: Problem, w: Tensors, alpha: Tensors, direction: Tensors, epsilon: float
) -> dict[str, Tensor]:
    """The same product from two gradients in alpha, at w + epsilon v and at w - epsilon v (equation 8)."""
    plus, minus = (
        torch.autograd.grad(
            problem.inner({name: value.detach() + step * direction[name] for name, value in w.items()}, alpha),
            list(alpha.values()),
        )
        for step in (epsilon, -epsilon)
    )
    return {name: (right - left) / (2 * epsilon) for name, right, left in zip(alpha, plus, minus)}


def published_epsilon(direction: Tensors) -> float:
    """0.01 / |v|, with one norm over all weights."""
    return FINITE_DIFFERENCE / float(torch.linalg.vector_norm(_flat(direction.values())))


def relative_error(estimate: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """|estimate - expected| / |expected|, with one norm over all tensors."""
    right, given = _flat(expected.values()), _flat(estimate[name] for name in expected)
    return float(torch.linalg.vector_norm(given - right) / torch.linalg.vector_norm(right))


def error_curve(
    point: Point, epsilons: Sequence[float], *, product: Product = finite_difference_product
) -> list[float]:
    """The relative error of a finite-difference product against the exact one, at each epsilon.

    Args:
        point: where; the direction is the gradient of L_val in w there.
        epsilons: as fractions of 1 / |v|, so that 0.01 is the published choice.
        product: the function to check.
    """
    direction = point.outer_gradient()
    expected = exact_product(point.problem, point.w, point.alpha, direction)
    unit = published_epsilon(direction) / FINITE_DIFFERENCE
    return [
        relative_error(product(point.problem, point.w, point.alpha, direction, epsilon * unit), expected)
        for epsilon in epsilons
    ]


def method_error(method: Method, point: Point, *, step: float) -> float:
    """The relative error of a whole hypergradient, both terms together, against the exact one.

    Args:
        method: `first_order` or `second_order`.
        point: where.
        step: the look-ahead step xi.
    """
    look_ahead = LookAhead(step)
    expected = exact(point.problem, point.w, point.alpha, look_ahead).alpha
    return relative_error(method(point.problem, point.w, point.alpha, look_ahead).alpha, expected)


@dataclass(frozen=True)
class Cost:
    """What one iteration of a search costs: one outer and one inner step.

    Args:
        forward, backward: passes through the supernet.
        seconds: of the fastest of several iterations.
    """

    forward: int
    backward: int
    seconds: float


def cost(method: Method, point: Point, *, step: float = 0.025, repeats: int = 5) -> Cost:
    """Count and time one iteration: the hypergradient, and the gradient in w of the inner step that follows.

    Args:
        method: `first_order`, `second_order` or `exact`.
        point: where.
        step: the look-ahead step xi.
        repeats: iterations to time.
    """
    counts = {"forward": 0, "backward": 0}
    counted = Problem(_counting(point.problem.inner, counts), _counting(point.problem.outer, counts))
    _iteration(method, Point(counted, point.w, point.alpha), step)
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        _iteration(method, point, step)
        seconds.append(time.perf_counter() - begin)
    return Cost(counts["forward"], counts["backward"], min(seconds))


def _iteration(method: Method, point: Point, step: float) -> None:
    method(point.problem, point.w, point.alpha, LookAhead(step))
    variables = {name: value.detach().requires_grad_() for name, value in point.w.items()}
    alpha = {name: value.detach() for name, value in point.alpha.items()}
    torch.autograd.grad(point.problem.inner(variables, alpha), list(variables.values()))


def _flat(tensors: Iterable[Tensor]) -> Tensor:
    """All numbers in one row, in double precision."""
    return torch.cat([tensor.detach().flatten().double() for tensor in tensors])


def _counting(loss: Loss, counts: dict[str, int]) -> Loss:
    """The same loss, which counts its forward passes and the backward passes that start from it."""

    def counted(w: Tensors, alpha: Tensors) -> Tensor:
        value = loss(w, alpha)
        counts["forward"] += 1

        def arrived(_gradient: Tensor) -> None:
            counts["backward"] += 1

        value.register_hook(arrived)
        return value

    return counted
