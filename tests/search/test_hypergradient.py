"""Hypergradients against a closed form, exact mixed derivatives and finite differences of the whole outer loss."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from nasbook.search import LookAhead, Problem, exact, first_order, second_order

# The toy problem of Liu et al. 2019, figure 2.
TOY = Problem(
    inner=lambda w, a: w["w"] ** 2 - 2 * a["alpha"] * w["w"] + a["alpha"] ** 2,
    outer=lambda w, a: a["alpha"] * w["w"] - 2 * a["alpha"] + 1,
)


def scalar(name, value, grad=False):
    return {name: torch.tensor(value, dtype=torch.float64, requires_grad=grad)}


@pytest.mark.parametrize("step", [0.0, 0.1, 0.5, 0.7])
@pytest.mark.parametrize("method", [second_order, exact])
def test_toy_gradient_equals_its_closed_form(step, method):
    """w' = w - 2 xi (w - alpha), so d/dalpha [alpha w' - 2 alpha + 1] = w' - 2 + 2 xi alpha."""
    w, alpha = scalar("w", -2.0), scalar("alpha", 2.0, grad=True)
    ahead = -2.0 - 2 * step * (-2.0 - 2.0)
    found = method(TOY, w, alpha, LookAhead(step)).alpha["alpha"]
    assert float(found) == pytest.approx(ahead - 2 + 2 * step * 2.0, abs=1e-9)


def test_first_order_ignores_how_w_follows_alpha():
    w, alpha = scalar("w", -2.0), scalar("alpha", 2.0, grad=True)
    assert float(first_order(TOY, w, alpha, LookAhead(0.5)).alpha["alpha"]) == -4.0


@pytest.mark.parametrize(("step", "limit"), [(0.1, 2 / 1.2), (0.5, 1.0), (0.7, 2 / 2.4)])
def test_alternating_steps_end_where_the_closed_form_says(step, limit):
    """The fixed point of the alternation is alpha = w = 2 / (1 + 2 xi); the exact solution (1, 1) only for xi = 1/2."""
    w, alpha = scalar("w", -2.0), scalar("alpha", 2.0, grad=True)
    for _ in range(4000):
        gradient = second_order(TOY, w, alpha, LookAhead(step)).alpha["alpha"]
        with torch.no_grad():
            alpha["alpha"] -= 0.05 * gradient
            w["w"] -= 0.1 * 2 * (w["w"] - alpha["alpha"])
    assert alpha["alpha"].item() == pytest.approx(limit, abs=1e-6)
    assert w["w"].item() == pytest.approx(limit, abs=1e-6)


class Smooth(nn.Module):
    """A small smooth model whose two features are mixed by the softmax of alpha."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.out = nn.Linear(5, 4), nn.Linear(5, 4), nn.Linear(4, 3)

    def forward(self, batch, weights):
        return self.out(weights[0] * torch.tanh(self.first(batch)) + weights[1] * torch.sigmoid(self.second(batch)))


@pytest.fixture
def smooth():
    torch.manual_seed(0)
    model = Smooth().double()
    batches = {kind: (torch.randn(16, 5).double(), torch.randint(3, (16,))) for kind in ("train", "valid")}

    def loss(kind):
        batch, labels = batches[kind]

        def function(w, alpha):
            weights = torch.softmax(alpha["edge"], dim=0)
            return nn.functional.cross_entropy(functional_call(model, dict(w), (batch, weights)), labels)

        return function

    w = {name: value.detach() for name, value in model.named_parameters()}
    alpha = {"edge": torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)}
    velocity = {name: torch.randn_like(value) for name, value in w.items()}
    return Problem(loss("train"), loss("valid")), w, alpha, LookAhead(0.3, 0.9, 0.01, velocity)


def test_exact_equals_finite_differences_of_the_loss_after_the_step(smooth):
    """The whole chain, momentum and weight decay included, differentiated numerically."""
    problem, w, alpha, look_ahead = smooth

    def after_the_step(value):
        moved = {"edge": value}
        variables = {name: tensor.clone().requires_grad_() for name, tensor in w.items()}
        gradients = torch.autograd.grad(problem.inner(variables, moved), list(variables.values()))
        ahead = {
            name: w[name] - 0.3 * (0.9 * look_ahead.velocity[name] + gradient + 0.01 * w[name])
            for name, gradient in zip(w, gradients)
        }
        return float(problem.outer(ahead, moved).detach())

    found = exact(problem, w, alpha, look_ahead).alpha["edge"]
    for index in range(2):
        step = torch.zeros(2, dtype=torch.float64)
        step[index] = 1e-5
        numeric = (after_the_step(alpha["edge"].detach() + step) - after_the_step(alpha["edge"].detach() - step)) / 2e-5
        assert float(found[index]) == pytest.approx(numeric, rel=1e-6)


def test_second_order_approximates_the_exact_gradient(smooth):
    """Its finite difference is of order epsilon^2 = (0.01 / |g|)^2 relative to the mixed derivative."""
    problem, w, alpha, look_ahead = smooth
    precise = exact(problem, w, alpha, look_ahead).alpha["edge"]
    approximate = second_order(problem, w, alpha, look_ahead).alpha["edge"]
    plain = first_order(problem, w, alpha, look_ahead).alpha["edge"]
    torch.testing.assert_close(approximate, precise, rtol=1e-4, atol=1e-8)
    assert (plain - precise).norm() > 100 * (approximate - precise).norm()


def test_the_implicit_term_is_divided_by_twice_epsilon(smooth):
    """The mixed product, isolated: xi times d/dalpha of <grad_w L_train, g> with g held fixed, by autograd."""
    problem, w, alpha, look_ahead = smooth
    variables = {name: value.clone().requires_grad_() for name, value in w.items()}
    inner = torch.autograd.grad(problem.inner(variables, alpha), list(variables.values()), create_graph=True)
    ahead = {
        name: (w[name] - 0.3 * (0.9 * look_ahead.velocity[name] + gradient.detach() + 0.01 * w[name])).requires_grad_()
        for (name, gradient) in zip(w, inner)
    }
    outer = torch.autograd.grad(problem.outer(ahead, alpha), [alpha["edge"], *ahead.values()])
    product = torch.autograd.grad(sum((a * b).sum() for a, b in zip(inner, outer[1:])), alpha["edge"])[0]
    expected = outer[0] - 0.3 * product
    torch.testing.assert_close(
        second_order(problem, w, alpha, look_ahead).alpha["edge"], expected, rtol=1e-4, atol=1e-8
    )


@pytest.mark.parametrize("method", [first_order, second_order, exact])
def test_weights_and_alpha_are_left_bit_for_bit(smooth, method):
    problem, w, alpha, look_ahead = smooth
    before = {name: value.clone() for name, value in w.items()}
    parameter = alpha["edge"].detach().clone()
    method(problem, w, alpha, look_ahead)
    assert all(torch.equal(before[name], w[name]) for name in w)
    assert torch.equal(alpha["edge"].detach(), parameter)
    assert alpha["edge"].grad is None


def test_look_ahead_is_the_step_that_sgd_takes():
    """Against torch's own SGD with momentum and weight decay, at its second step (the first has no velocity)."""
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(5, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], 0.1, 0.9, weight_decay=0.03)
    for turn in range(2):
        gradient = torch.randn(5, dtype=torch.float64)
        state = optimizer.state.get(weight, {})
        velocity = {"w": state["momentum_buffer"].clone()} if turn else {}
        expected = LookAhead(0.1, 0.9, 0.03, velocity).take({"w": weight.detach().clone()}, {"w": gradient})["w"]
        weight.grad = gradient.clone()
        optimizer.step()
        torch.testing.assert_close(weight.detach(), expected)


def test_a_parameter_that_the_loss_does_not_see_gets_zero():
    alpha = {"used": torch.tensor(1.0, requires_grad=True), "unused": torch.tensor(1.0, requires_grad=True)}
    problem = Problem(inner=lambda w, a: w["w"] ** 2, outer=lambda w, a: a["used"] * w["w"])
    gradient = first_order(problem, {"w": torch.tensor(3.0)}, alpha, LookAhead())
    assert float(gradient.alpha["used"]) == 3.0
    assert float(gradient.alpha["unused"]) == 0.0


def test_second_order_where_the_validation_loss_does_not_depend_on_w():
    """The toy at alpha = 0: g is zero, so only the direct gradient w' - 2 is left."""
    w, alpha = scalar("w", -2.0), scalar("alpha", 0.0, grad=True)
    found = second_order(TOY, w, alpha, LookAhead(0.5)).alpha["alpha"]
    assert found.item() == pytest.approx(exact(TOY, w, alpha, LookAhead(0.5)).alpha["alpha"].item())
