"""Gradient estimates: each against a hand computation and autograd, and bias and variance against what is known."""

import itertools

import pytest
import torch
from torch.nn import functional

from nasbook import spaces
from nasbook.analysis import gradient_estimates as gradients
from nasbook.relaxation.gumbel import GumbelSoftmax, HardGumbel
from nasbook.relaxation.score_function import ScoreFunction
from nasbook.relaxation.temperature import Temperature
from nasbook.runtime.errors import UsageError

LOGITS, COSTS = (0.5, 0.0, -0.5), (0.0, 1.0, 2.0)
LINEAR, SQUARED = gradients.linear(COSTS), gradients.squared(COSTS, 0.5)
OBJECTIVES = [LINEAR, SQUARED]


def found(name, objective=LINEAR, temperature=0.5, **options):
    return gradients.estimate(objective, LOGITS, temperature, name, **options)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_exact_gradient_is_that_of_the_expectation(objective):
    alpha = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    value = torch.softmax(alpha, 0) @ objective(torch.eye(3, dtype=torch.float64))
    value.backward()
    mean, exact = gradients.expected(objective, LOGITS)
    assert mean == pytest.approx(float(value.detach()))
    torch.testing.assert_close(exact, alpha.grad)


def test_straight_through_by_hand():
    """z = (0.5, 0.3, 0.2), operation 1 drawn, f'(z) = 2 (<c, h> - 0.5) c = (0, 1, 2), tau = 0.5.

    <g, z> = 0.7, so the estimate is z * (g - 0.7) / 0.5 = (-0.7, 0.18, 0.52).
    """
    draw = gradients.Draw(
        torch.tensor([[0.5, 0.3, 0.2]]).double(),
        torch.tensor([[0.0, 1.0, 0.0]]).double(),
        torch.tensor([0.4, 0.4, 0.2]).double(),
        0.5,
    )
    by_hand = {
        "straight-through": [-0.7, 0.18, 0.52],
        "sampled only": [-0.3, 0.42, -0.12],  # g = (0, 1, 0), <g, z> = 0.3
        "soft": [-0.28, 0.072, 0.208],  # <c, z> = 0.7, g = 0.4 (0, 1, 2), 0.4 times the first row
        "score function": [-0.1, 0.15, -0.05],  # f(h) = 0.25, h - p = (-0.4, 0.6, -0.2)
        "credit": [-0.4, 0.6, -0.2],  # slope 1 of the drawn operation
    }
    assert by_hand.keys() == gradients.ESTIMATORS.keys()
    for name, expected in by_hand.items():
        assert gradients.ESTIMATORS[name](draw, SQUARED)[0].tolist() == pytest.approx(expected), name


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_estimates_are_what_autograd_gives(objective, temperature):
    """The same noise through softmax; torch's own straight-through trick; the log of the probability of the draw."""
    draw = gradients.draw(LOGITS, temperature, samples=6, seed=0)
    noisy = gradients.distributions.perturbed(LOGITS, samples=6, seed=0)
    alpha = torch.tensor(LOGITS, dtype=torch.float64).expand(6, -1).clone().requires_grad_()
    relaxed = torch.softmax((noisy - alpha.detach() + alpha) / temperature, -1)
    hard = functional.one_hot(noisy.argmax(-1), 3).double() - relaxed.detach() + relaxed
    log_chance = (draw.hard * torch.log_softmax(alpha, -1)).sum(-1)
    surrogates = {
        "soft": objective(relaxed),
        "straight-through": objective(hard),
        "score function": objective(draw.hard) * log_chance,
    }
    for name, surrogate in surrogates.items():
        (expected,) = torch.autograd.grad(surrogate.sum(), alpha, retain_graph=True)
        torch.testing.assert_close(gradients.ESTIMATORS[name](draw, objective), expected)


@pytest.mark.parametrize(
    ("name", "relaxation"), [("soft", GumbelSoftmax), ("straight-through", HardGumbel), ("credit", ScoreFunction)]
)
def test_estimates_are_what_a_search_takes(name, relaxation):
    """The relaxations of the package on all edges of a space at once; each edge is a sample."""
    space, temperature = spaces.get("s2", nodes=2, reduction="fixed"), 0.6
    fixed = {} if relaxation is ScoreFunction else {"temperature": Temperature(temperature, temperature)}
    alpha = {group: torch.zeros(cell.shape).double().requires_grad_() for group, cell in space.groups.items()}

    def weights(kind, **options):
        return kind(space, **options)(alpha, 0.5, torch.Generator().manual_seed(8)).weights["normal"]

    mixed = weights(relaxation, **fixed)
    relaxed = weights(GumbelSoftmax, temperature=Temperature(temperature, temperature)).detach()
    hard = functional.one_hot((mixed if name == "credit" else relaxed).argmax(-1), 2).double()
    draw = gradients.Draw(relaxed, hard, torch.full((2,), 0.5).double(), temperature)
    objective = gradients.squared((0.3, 1.4), 0.5)
    (found,) = torch.autograd.grad(objective(mixed).sum(), alpha["normal"])
    torch.testing.assert_close(found, gradients.ESTIMATORS[name](draw, objective))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_score_function_has_no_bias(objective):
    """Exactly: its mean over all draws, each with its probability, is the gradient."""
    chances = torch.softmax(torch.tensor(LOGITS).double(), 0)
    every = gradients.Draw(torch.eye(3).double(), torch.eye(3).double(), chances, 1.0)
    _, exact = gradients.expected(objective, LOGITS)
    torch.testing.assert_close(chances @ gradients.ESTIMATORS["score function"](every, objective), exact)
    measured = found("score function", objective, samples=50_000)
    assert measured.bias < 4 * measured.noise


def test_the_soft_gradient_is_that_of_the_relaxed_loss():
    """Finite differences of the mean of f(z) with the same noise."""
    step, samples, temperature = 1e-5, 2000, 0.7

    def mean(alpha):
        return float(SQUARED(gradients.draw(alpha, temperature, samples=samples, seed=0).relaxed).mean())

    expected = []
    for place in range(3):
        above, below = list(LOGITS), list(LOGITS)
        above[place] += step
        below[place] -= step
        expected.append((mean(above) - mean(below)) / (2 * step))
    assert found("soft", SQUARED, temperature, samples=samples).mean.tolist() == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("name", ["soft", "straight-through"])
def test_cold_samples_vary_and_warm_ones_are_biased(name, objective):
    rows = gradients.compare(objective, LOGITS, (0.1, 0.3, 1.0, 3.0, 10.0), estimators=(name,))
    assert all(colder.variance > 2 * warmer.variance for colder, warmer in itertools.pairwise(rows))
    assert all(colder.bias < warmer.bias for colder, warmer in itertools.pairwise(rows[1:]))
    assert rows[0].bias < 4 * rows[0].noise
    assert rows[-1].bias > 100 * rows[-1].noise
    hot = found(name, objective, 1000.0)  # uniform weights have hardly a gradient: the bias is all of the exact one
    assert hot.bias == pytest.approx(float(hot.exact.norm()), rel=0.01)


def test_for_a_linear_loss_straight_through_is_soft_and_credit_is_the_score_function():
    rows = {name: found(name, samples=500) for name in gradients.ESTIMATORS}
    torch.testing.assert_close(rows["straight-through"].mean, rows["soft"].mean)
    torch.testing.assert_close(rows["credit"].mean, rows["score function"].mean)
    assert rows["straight-through"].entropy == 0 < rows["soft"].entropy


def test_a_constant_matters_to_those_that_see_one_operation():
    """f + 5 has the same gradient: a baseline is what helps REINFORCE, and GDAS and DSNAS have none."""
    raised = gradients.linear([cost + 5 for cost in COSTS])
    for name in gradients.ESTIMATORS:
        plain, shifted = found(name, samples=5000), found(name, raised, samples=5000)
        torch.testing.assert_close(plain.exact, shifted.exact)
        if name in ("soft", "straight-through"):
            torch.testing.assert_close(plain.mean, shifted.mean)
        else:
            assert shifted.variance > 10 * plain.variance


def test_credit_and_sampled_only_keep_a_bias_at_every_temperature():
    credit, sampled = found("credit", SQUARED), found("sampled only", LINEAR, 0.05)
    assert credit.bias > 20 * credit.noise
    assert sampled.bias > 10 * sampled.noise


@pytest.mark.parametrize("concentration", [0.2, 1.0, 10.0])
def test_the_pathwise_gradient_has_no_bias_where_the_loss_is_linear(concentration):
    measured = gradients.pathwise(LINEAR, LOGITS, concentration)
    assert measured.bias < 4 * measured.noise
    curved = gradients.pathwise(SQUARED, LOGITS, concentration)  # E f(z) is not sum_k p_k f(e_k)
    assert curved.bias > 4 * curved.noise


def test_the_pathwise_gradient_is_the_jacobian_times_the_slope():
    concentration, samples = 0.4, 300
    alpha = torch.tensor(LOGITS, dtype=torch.float64)
    beta = gradients.distributions.with_mean(alpha, concentration)
    weights = gradients.distributions.dirichlet(beta, samples=samples, seed=6)
    by_beta = torch.einsum(
        "sij,si->sj", gradients.distributions.dirichlet_jacobian(weights, beta), gradients.slope(SQUARED, weights)
    )
    chances = torch.softmax(alpha, 0)
    expected = by_beta @ (3 * concentration * (torch.diag(chances) - torch.outer(chances, chances)))
    measured = gradients.pathwise(SQUARED, LOGITS, concentration, samples=samples, seed=6)
    torch.testing.assert_close(measured.mean, expected.mean(0), rtol=1e-3, atol=1e-4)
    assert measured.variance == pytest.approx(float(expected.var(0).sum()), rel=1e-3)


def test_pathwise_gradients_vary_more_as_concentrations_fall():
    falling = [gradients.pathwise(LINEAR, LOGITS, each, samples=5000).variance for each in (10.0, 1.0, 0.1)]
    assert falling[0] < falling[1] / 2 < falling[2] / 4


def test_compare_has_every_pair_in_order_on_the_same_noise():
    rows = gradients.compare(LINEAR, LOGITS, (0.5, 2.0), samples=100, seed=3)
    assert [(row.estimator, row.temperature) for row in rows] == [
        (name, temperature) for name in gradients.ESTIMATORS for temperature in (0.5, 2.0)
    ]
    torch.testing.assert_close(rows[0].mean, found("soft", samples=100, seed=3).mean)
    assert not torch.equal(rows[0].mean, found("soft", samples=100, seed=4).mean)
    assert rows[0].noise == pytest.approx((rows[0].variance / 100) ** 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: found("hard"), "An estimator is one of soft, straight-through"),
        (lambda: found("soft", samples=1), "at least two samples"),
        (lambda: found("soft", temperature=-1.0), "temperature is a positive"),
        (lambda: gradients.pathwise(LINEAR, LOGITS, 1.0, samples=1), "at least two samples"),
        (lambda: gradients.pathwise(LINEAR, LOGITS, 0.0), "concentration is a positive number"),
        (lambda: gradients.linear([1.0]), "Costs are one finite number"),
        (lambda: gradients.expected(LINEAR, [float("nan"), 0.0, 0.0]), "Logits are one finite number"),
    ],
)
def test_what_cannot_be_estimated_is_refused(call, message):
    with pytest.raises(UsageError, match=message):
        call()
