"""Checks of hypergradients: on the toy by hand, and on a small real supernet."""

import pytest
import torch

from nasbook import spaces
from nasbook.analysis import bilevel_toy, hypergradients
from nasbook.search import exact, first_order, second_order


@pytest.fixture
def toy():
    w = {"w": torch.tensor(-2.0, dtype=torch.float64)}
    alpha = {"alpha": torch.tensor(2.0, dtype=torch.float64, requires_grad=True)}
    return hypergradients.Point(bilevel_toy.PROBLEM, w, alpha)


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.randn(12, 3, 8, 8, generator=generator), torch.randint(10, (12,), generator=generator)) for _ in range(2)
    ]


def point(batches, **options):
    return hypergradients.supernet_point(spaces.get("s2", nodes=1, reduction="fixed"), *batches, classes=10, **options)


def test_products_of_the_toy_by_hand(toy):
    """d^2 L_train / dw dalpha = -2, and dL_val/dw = alpha = 2."""
    direction = toy.outer_gradient()
    assert float(direction["w"]) == 2.0
    arguments = (toy.problem, toy.w, toy.alpha, direction)
    assert float(hypergradients.exact_product(*arguments)["alpha"]) == -4.0
    assert float(hypergradients.finite_difference_product(*arguments, 0.1)["alpha"]) == pytest.approx(-4.0)
    assert hypergradients.published_epsilon(direction) == pytest.approx(0.005)


def test_relative_error_is_over_all_tensors():
    expected = {"a": torch.tensor([3.0]), "b": torch.tensor([[4.0]])}
    assert hypergradients.relative_error({"b": torch.tensor([[4.0]]), "a": torch.tensor([2.0])}, expected) == 0.2


def test_the_smooth_twin_shows_the_order_of_the_difference(batches):
    errors = hypergradients.error_curve(point(batches, smooth=True), [1e-2, 1e-3, 1e-4, 1e-5, 1e-9])
    assert 90 < errors[0] / errors[1] < 110
    assert 90 < errors[1] / errors[2] < 110
    assert errors[4] > 10 * errors[3]


def test_kinks_spoil_the_published_difference_and_no_fine_one(batches):
    wide, fine = hypergradients.error_curve(point(batches), [1e-2, 1e-7])
    assert fine < 1e-5
    assert wide > 0.1


def test_the_smooth_twin_has_the_same_weights_and_other_outputs(batches):
    real, twin = point(batches), point(batches, smooth=True)
    assert all(torch.equal(real.w[name], twin.w[name]) for name in real.w)
    assert all(torch.equal(real.alpha[name], twin.alpha[name]) for name in real.alpha)
    with torch.no_grad():
        losses = [float(each.problem.inner(each.w, each.alpha)) for each in (real, twin)]
    assert abs(losses[0] - losses[1]) > 1e-3
    assert float(torch.nn.functional.relu(torch.tensor(-1.0))) == 0.0  # outside, ReLU is ReLU again


def test_a_hasty_product_is_caught(batches):
    def hasty(*arguments):
        right = hypergradients.finite_difference_product(*arguments)
        return {name: value * (2 * arguments[-1]) / 2 * arguments[-1] for name, value in right.items()}

    twin = point(batches, smooth=True)
    assert hypergradients.error_curve(twin, [1e-3])[0] < 1e-3
    assert hypergradients.error_curve(twin, [1e-3], product=hasty)[0] == pytest.approx(1.0, abs=1e-4)


def test_on_a_smooth_problem_second_order_is_closer_than_first(batches, toy):
    twin = point(batches, smooth=True)
    near = hypergradients.method_error(second_order, twin, step=0.05)
    assert near < 0.1 * hypergradients.method_error(first_order, twin, step=0.05)
    # on the toy: exact = w' - 2 + 2 xi alpha = 0.4 - 2 + 1.2, first order w - 2 = -4, at xi = 0.3
    assert hypergradients.method_error(first_order, toy, step=0.3) == pytest.approx(abs(-4 + 0.4) / 0.4)


@pytest.mark.parametrize(("method", "passes"), [(first_order, 2), (second_order, 5), (exact, 3)])
def test_passes_are_those_of_the_method_and_the_weight_step(batches, toy, method, passes):
    for where in (toy, point(batches)):
        found = hypergradients.cost(method, where, repeats=1)
        assert (found.forward, found.backward) == (passes, passes)
        assert found.seconds > 0
