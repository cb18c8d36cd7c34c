"""The checks of chapter 05: right answers pass, typical wrong ones are told what is wrong."""

from dataclasses import replace

import pytest
import torch

from nasbook.analysis.hypergradients import finite_difference_product
from nasbook.course.exercises import find_exercise, judge
from nasbook.search import LookAhead, exact, first_order


def verdict(number, attempt):
    return judge(find_exercise(f"05.{number}"), attempt)


@pytest.mark.parametrize("text", ["xi=0.5 start=2,-2 steps=80", "xi=0.5 start=-1,1.5 steps=100"])
def test_a_plane_on_the_exact_answer_passes(text):
    assert verdict(1, text)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (0.5, "plane.state()"),
        ("0.5", "A state reads like"),
        ("xi=0 start=2,-2 steps=100", "second order is first order"),
        ("xi=0.5 start=2,-2 steps=8", "still moving"),
        ("xi=0.3 start=1,1 steps=0", "come to rest"),
        ("xi=0.7 start=2,-2 steps=100", "not the exact answer"),
    ],
)
def test_other_planes_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def grad(loss, variables):
    return dict(zip(variables, torch.autograd.grad(loss, list(variables.values()))))


def detached(w):
    return {name: value.detach() for name, value in w.items()}


def right_first_order(problem, w, alpha):
    return grad(problem.outer(detached(w), alpha), alpha)


def with_backward(problem, w, alpha):
    problem.outer(w, alpha).backward()
    return {name: value.grad for name, value in alpha.items()}


def with_backward_and_detach(problem, w, alpha):
    problem.outer(detached(w), alpha).backward()
    return {name: value.grad.clone() for name, value in alpha.items()}


def test_first_order_passes():
    assert verdict(2, right_first_order)[0] == "right"
    assert verdict(2, lambda problem, w, alpha: first_order(problem, w, alpha, LookAhead()).alpha)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda problem, w, alpha: None, "is a return missing?"),
        (lambda problem, w, alpha: grad(problem.outer(detached(w), alpha), alpha)["edge"], "Return a dictionary"),
        (lambda problem, w, alpha: {"alpha": right_first_order(problem, w, alpha)["edge"]}, "the names of alpha: edge"),
        (lambda problem, w, alpha: {"edge": 1.0}, "must be a tensor"),
        (lambda problem, w, alpha: {"edge": torch.ones(3)}, "the shape of alpha"),
        (lambda problem, w, alpha: grad(problem.inner(detached(w), alpha), alpha), "gradient of the training loss"),
        (lambda problem, w, alpha: {"edge": -right_first_order(problem, w, alpha)["edge"]}, "is off by"),
        (with_backward, "fills the gradients of w"),
        (with_backward_and_detach, "A second call gives another result"),
    ],
)
def test_wrong_first_orders_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def scaled(factor):
    def product(problem, w, alpha, direction, epsilon):
        found = finite_difference_product(problem, w, alpha, direction, epsilon)
        return {name: factor(epsilon) * value for name, value in found.items()}

    return product


def one_sided(problem, w, alpha, direction, epsilon):
    moved = {name: value + epsilon * direction[name] for name, value in w.items()}
    plus, here = grad(problem.inner(moved, alpha), alpha), grad(problem.inner(w, alpha), alpha)
    return {name: (plus[name] - here[name]) / epsilon for name in alpha}


def in_place(problem, w, alpha, direction, epsilon):
    sides = []
    for step in (epsilon, -2 * epsilon):
        for name, value in w.items():
            value += step * direction[name]
        sides.append(grad(problem.inner(w, alpha), alpha))
    return {name: (sides[0][name] - sides[1][name]) / (2 * epsilon) for name in alpha}


def of_the_outer_loss(problem, w, alpha, direction, epsilon):
    return finite_difference_product(replace(problem, inner=problem.outer), w, alpha, direction, epsilon)


def test_the_product_passes():
    assert verdict(3, finite_difference_product)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (scaled(lambda epsilon: epsilon**2), "/ (2 * epsilon)"),
        (scaled(lambda epsilon: -1.0), "wrong sign"),
        (scaled(lambda epsilon: 2.0), "twice too large"),
        (scaled(lambda epsilon: 2 * epsilon), "not divided by anything"),
        (one_sided, "both sides of w"),
        (in_place, "come out changed"),
        (of_the_outer_loss, "the product of the outer loss"),
    ],
)
def test_wrong_products_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence


def right_hypergradient(problem, w, alpha, look_ahead):
    return exact(problem, w, alpha, look_ahead).alpha


def changed(**fields):
    return lambda problem, w, alpha, look_ahead: exact(problem, w, alpha, replace(look_ahead, **fields)).alpha


def without_graph(problem, w, alpha, look_ahead):
    variables = {name: value.clone().requires_grad_() for name, value in w.items()}
    ahead = look_ahead.take(w, grad(problem.inner(variables, alpha), variables))
    return grad(problem.outer(ahead, alpha), alpha)


def needs_a_velocity(problem, w, alpha, look_ahead):
    look_ahead.velocity["first"]
    return right_hypergradient(problem, w, alpha, look_ahead)


def test_the_hypergradient_passes():
    assert verdict(4, right_hypergradient)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (changed(momentum=0.0), "leaves out the momentum"),
        (changed(decay=0.0), "leaves out the weight decay"),
        (changed(momentum=1.0), "without its factor momentum"),
        (changed(momentum=0.9**2), "momentum twice"),
        (changed(momentum=0.0, decay=0.0), "both missing"),
        (changed(step=0.6), "is off by"),
        (without_graph, "create_graph=True"),
        (needs_a_velocity, "raised KeyError"),
    ],
)
def test_wrong_hypergradients_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(4, attempt)
    assert kind == "wrong"
    assert says in sentence
