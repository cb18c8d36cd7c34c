"""The softmax relaxation: simplex, limits, gradient, and where alpha lives."""

import pytest
import torch

from nasbook import spaces
from nasbook.relaxation import Softmax

SPACE = spaces.get("s3", nodes=2)


def initial(scale=1e-3, seed=0):
    return Softmax(SPACE).initial(scale=scale, generator=torch.Generator().manual_seed(seed))


def mix(alpha):
    return Softmax(SPACE)(alpha, 0.0, torch.Generator())


def test_initial_parameters_are_small_normal_numbers_by_group():
    alpha = initial()
    assert {name: tuple(value.shape) for name, value in alpha.items()} == {"normal": (5, 3), "reduce": (5, 3)}
    assert all(value.is_leaf and value.requires_grad and value.device.type == "cpu" for value in alpha.values())
    assert float(torch.cat(list(alpha.values())).detach().std()) == pytest.approx(1e-3, rel=0.5)
    assert torch.equal(alpha["normal"], initial()["normal"])


def test_weights_lie_on_the_simplex_and_all_operations_run():
    mixing = mix(initial(scale=3.0))
    for values in mixing.weights.values():
        assert (values > 0).all()
        torch.testing.assert_close(values.sum(-1), torch.ones(5, dtype=torch.float64))
    assert mixing.active is None


def test_one_hot_limit():
    alpha = {"normal": torch.tensor([[0.0, 1.0, 0.5]], dtype=torch.float64)}
    sharp = mix({"normal": 200 * alpha["normal"]}).weights["normal"]
    torch.testing.assert_close(sharp, torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64), atol=1e-12, rtol=0)


def test_gradient_is_the_softmax_jacobian():
    alpha = initial(scale=1.0)["normal"]
    weights = mix({"normal": alpha}).weights["normal"]
    (gradient,) = torch.autograd.grad(weights[0, 1], alpha)
    expected = torch.zeros(5, 3, dtype=torch.float64)
    row = weights[0].detach()
    expected[0] = row[1] * (torch.eye(3, dtype=torch.float64)[1] - row)
    torch.testing.assert_close(gradient, expected)
