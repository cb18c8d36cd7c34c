"""What is added to the outer loss: against closed forms, an integral, finite differences, and sums by hand."""

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from nasbook import datasets, sizes, spaces
from nasbook.search import Search, recipes
from nasbook.search.penalty import Penalty, distance_to_anchor
from nasbook.selection import magnitude

ALPHA = torch.tensor([[0.8, -0.5, -1.2], [2.0, 0.3, -3.0]], dtype=torch.float64)
COSTS = {"normal": torch.tensor([[0.0, 1.0, 5.0], [0.0, 2.0, 10.0]], dtype=torch.float64)}
OTHER = {"reduce": torch.tensor([[3.0, 0.0, 0.0]], dtype=torch.float64)}


def concentrations(alpha):
    alpha = np.asarray(alpha)
    return np.where(alpha > 0, alpha + 1, np.exp(alpha))


def by_hand(rows):
    """The sum of the divergences of some rows of parameters."""
    return sum(divergence(concentrations(row)) for row in rows.tolist())


def divergence(beta):
    """KL(Dir(beta) || Dir(1)) by hand: E log of the density, less the constant log Gamma(K) of the uniform one."""
    total = beta.sum()
    normal = special.gammaln(total) - special.gammaln(beta).sum() - special.gammaln(len(beta))
    return normal + ((beta - 1) * (special.digamma(beta) - special.digamma(total))).sum()


def softmax(alpha):
    return {name: torch.softmax(values, -1) for name, values in alpha.items()}


def test_the_distance_to_the_anchor_in_closed_form():
    assert float(distance_to_anchor(ALPHA)) == pytest.approx(by_hand(ALPHA))


@pytest.mark.parametrize("alpha", [(0.8, -0.5), (3.0, 1.0), (-0.4, -0.7)])
def test_the_distance_of_two_operations_by_quadrature(alpha):
    """The integral of f log f, where f is a Beta density: the uniform one is 1."""
    density = stats.beta(*concentrations(alpha))

    def integrand(at):
        return density.pdf(at) * density.logpdf(at)

    expected = sum(integrate.quad(integrand, *ends, limit=500)[0] for ends in ((0, 1e-3), (1e-3, 0.999), (0.999, 1)))
    found = distance_to_anchor(torch.tensor([alpha], dtype=torch.float64))
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_anchor_is_alpha_zero():
    alpha = torch.zeros(2, 5, dtype=torch.float64, requires_grad=True)
    distance = distance_to_anchor(alpha)
    assert float(distance.detach()) == pytest.approx(0.0, abs=1e-12)
    assert torch.autograd.grad(distance, alpha)[0].abs().max() < 1e-12
    for step in (0.1, -0.1):
        assert float(distance_to_anchor(alpha.detach() + step * torch.eye(2, 5))) > 1e-3


@pytest.mark.parametrize("weights", [(0.3, 0.0), (0.0, 0.7), (0.3, 0.7)])
def test_the_gradient_equals_finite_differences(weights):
    penalty = Penalty(*weights, COSTS if weights[1] else {})
    alpha = ALPHA.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda at: penalty({"normal": at}, softmax({"normal": at})), alpha)


def test_equal_weights_cost_one():
    """In any unit, and over groups of different size."""
    alpha = {"normal": torch.zeros(2, 3, dtype=torch.float64), "reduce": torch.zeros(1, 3, dtype=torch.float64)}
    for unit in (1.0, 1e6):
        costs = {name: unit * values for name, values in {**COSTS, **OTHER}.items()}
        assert float(Penalty(0.0, 1.0, costs)(alpha, softmax(alpha))) == pytest.approx(1.0)
        assert float(Penalty(0.0, 0.2, costs)(alpha, softmax(alpha))) == pytest.approx(0.2)


def test_the_expected_cost_by_hand():
    """Of one architecture 5 + 2 + 3 = 10, where the mean of all is (6 + 12 + 3) / 3 = 7; and of a mixture."""
    weights = {
        "normal": torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=torch.float64),
        "reduce": torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64),
    }
    penalty = Penalty(0.0, 1.0, {**COSTS, **OTHER})
    assert float(penalty({}, weights)) == pytest.approx(10 / 7)
    weights["normal"][0] = torch.tensor([0.5, 0.3, 0.2])
    assert float(penalty({}, weights)) == pytest.approx((0.3 + 0.2 * 5 + 2 + 3) / 7)


def test_the_distance_is_summed_over_groups_and_weighed():
    alpha = {"normal": ALPHA, "reduce": ALPHA[:1]}
    expected = 0.01 * (by_hand(ALPHA) + by_hand(ALPHA[:1]))
    assert float(Penalty(0.01, 0.0, {})(alpha, {})) == pytest.approx(expected)


def test_nothing_is_added_where_nothing_is_asked_for():
    assert Penalty(0.0, 0.0, {})({"normal": ALPHA}, softmax({"normal": ALPHA})) is None


def gradient_of_a_step(**changes):
    """Alpha's gradient at the first outer step, and alpha before it; equal seeds give equal draws."""
    tiny = {"images": 128, "batch": 32, "channels": 4, "layers": 3, "precision": "float64", "alpha_scale": 1.0}
    stage = Search(
        spaces.get("s3", nodes=2, reduction="fixed"),
        datasets.load("street_numbers"),
        recipe=recipes.get("drnas"),
        numbers=sizes.override(sizes.get("class").of("darts", "drnas").search, tiny | changes),
        derive=magnitude,
    )
    alpha = stage.alpha["normal"].detach().clone()
    stage._outer_step(next(stage.weights_batches), next(stage.alpha_batches))
    return stage.alpha["normal"].grad, alpha, stage.penalty.costs


def test_a_search_adds_the_penalty_s_gradient_to_that_of_its_loss():
    """The cost is that of the expected weights, whatever was drawn: concentrations over their sum."""
    plain, alpha, none = gradient_of_a_step()
    penalised, _, costs = gradient_of_a_step(anchor_kl=0.1, cost_weight=0.5)
    assert none == {}

    def value(at):
        beta = concentrations(at)
        share = (beta / beta.sum(-1, keepdims=True) * costs["normal"].numpy()).sum() / costs["normal"].mean(-1).sum()
        return 0.1 * sum(divergence(row) for row in beta) + 0.5 * float(share)

    expected = np.zeros((5, 3))
    for place in np.ndindex(5, 3):
        step = np.zeros((5, 3))
        step[place] = 1e-5
        expected[place] = (value(alpha.numpy() + step) - value(alpha.numpy() - step)) / 2e-5
    np.testing.assert_allclose((penalised - plain).numpy(), expected, rtol=1e-6, atol=1e-9)
    assert np.abs(expected).min() > 0
