"""The checks of chapter 08: right answers pass, typical wrong ones are told what is wrong."""

import pytest
import torch

from nasbook.course.exercises import find_exercise, judge


def verdict(number, attempt):
    return judge(find_exercise(f"08.{number}"), attempt)


def estimated_gap(gradient, hessian, direction):
    return gradient @ direction + direction @ hessian @ direction / 2


def hessian_times(loss, point, direction):
    leaf = point.clone().requires_grad_()
    (first,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
    return torch.autograd.grad(first @ direction, leaf)[0]


def power(times, size, shift=0.0, steps=300):
    """The eigenvalue that is largest in size, of the matrix less `shift` on its diagonal."""
    vector = torch.randn(size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for _ in range(steps):
        vector = times(vector) - shift * vector
        vector = vector / vector.norm()
    return (vector @ times(vector)).item()


def largest_eigenvalue(times, size):
    found = power(times, size)
    return found if found > 0 else power(times, size, shift=found)


def test_the_right_answers_pass():
    assert verdict(1, estimated_gap)[0] == "right"
    assert verdict(2, hessian_times)[0] == "right"
    assert verdict(3, largest_eigenvalue)[0] == "right"


def test_other_ways_to_the_same_answers_pass():
    def by_functions(loss, point, direction):
        return torch.autograd.functional.hvp(loss, point, direction)[1]

    def twice_backward(loss, point, direction):
        return torch.func.vjp(torch.func.grad(loss), point)[1](direction)[0]

    def always_shifted(times, size):
        return power(times, size, shift=-abs(power(times, size)))

    assert verdict(2, by_functions)[0] == "right"
    assert verdict(2, twice_backward)[0] == "right"
    assert verdict(3, always_shifted)[0] == "right"


def stub(*_):
    import nasbook

    raise nasbook.NotAttempted


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_stub_is_not_attempted(number):
    assert verdict(number, stub)[0] == "not attempted"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda gradient, hessian, direction: direction @ hessian @ direction / 2, "gradient term is missing"),
        (lambda gradient, hessian, direction: gradient @ direction, "curvature is missing"),
        (lambda gradient, hessian, direction: gradient @ direction + direction @ hessian @ direction, "factor"),
        (lambda gradient, hessian, direction: gradient * direction + hessian @ direction, "The estimated gap"),
        (lambda gradient, hessian, direction: None, "is a return missing?"),
    ],
)
def test_wrong_estimates_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def whole_matrix(loss, point, direction):
    leaf = point.clone().requires_grad_()
    (first,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
    rows = [torch.autograd.grad(entry, leaf, retain_graph=True)[0] for entry in first]
    return torch.stack(rows) @ direction


def only_once(loss, point, direction):
    leaf = point.clone().requires_grad_()
    return torch.autograd.grad(loss(leaf), leaf)[0]


def coarse_differences(loss, point, direction):
    return (only_once(loss, point + 0.1 * direction, None) - only_once(loss, point - 0.1 * direction, None)) / 0.2


def in_place(loss, point, direction):
    point.mul_(1.0).add_(1e-9)
    return hessian_times(loss, point, direction)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (whole_matrix, "13 backward passes for 12 parameters"),
        (only_once, "differentiate once more"),
        (coarse_differences, "is off by"),
        (in_place, "changes the point"),
        (lambda loss, point, direction: direction @ hessian_times(loss, point, direction), "should have shape"),
    ],
)
def test_wrong_products_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def endless(times, size):
    return power(times, size, steps=2000)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (power, "largest in size"),
        (lambda times, size: abs(power(times, size)), "largest in size"),
        (lambda times, size: power(times, size, steps=1), "is off by"),
        (endless, "a few hundred are enough"),
        (lambda times, size: 2.0, "is off by"),
    ],
)
def test_wrong_eigenvalues_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence
