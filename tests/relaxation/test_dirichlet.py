"""Dirichlet weights: their distribution, and the pathwise gradient against a numerically differentiated Beta CDF."""

import numpy as np
import pytest
import torch
from scipy import special, stats

from nasbook import spaces
from nasbook.relaxation import DirichletSample, concentration

SPACE = spaces.get("s3", nodes=2, reduction="fixed")
SPACES = [SPACE, spaces.get("nas-bench-201"), spaces.get("nas-bench-1shot1-1")]
ALPHA = (0.8, -0.5, -1.2)  # both branches of ELU
MANY = 20_000
ERRORS = 5  # standard errors: a right mean is farther off in one entry of 1.7 million


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(alpha=ALPHA, count=MANY):
    return {"normal": torch.tensor(alpha, dtype=torch.float64).expand(count, -1).clone().requires_grad_()}


def draw(alpha, seed=0):
    return DirichletSample(SPACE)(alpha, 0.0, generator(seed)).weights["normal"]


def beta_of(alpha=ALPHA):
    """ELU(alpha) + 1, and its derivative, by hand."""
    alpha = np.array(alpha)
    return np.where(alpha > 0, alpha + 1, np.exp(alpha)), np.where(alpha > 0, 1.0, np.exp(alpha))


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_rows_lie_on_the_simplex_and_all_operations_run(space):
    relaxation = DirichletSample(space)
    mixing = relaxation(relaxation.initial(scale=1.0, generator=generator()), 0.0, generator())
    assert mixing.active is None
    for name, group in space.groups.items():
        weights = mixing.weights[name].detach()
        assert weights.shape == group.shape
        assert (weights > 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(group.shape[0], dtype=torch.float64))


def test_each_weight_has_its_beta_distribution():
    """Kolmogorov-Smirnov: a right sampler fails at one seed in a thousand for each weight, and this seed is fixed."""
    weights, (beta, _) = draw(rows()).detach().numpy(), beta_of()
    for k in range(3):
        assert stats.kstest(weights[:, k], stats.beta(beta[k], beta.sum() - beta[k]).cdf).pvalue > 1e-3
    plain = stats.beta(1 + ALPHA[1], 1.0)  # alpha + 1 without the ELU
    assert stats.kstest(weights[:, 1], plain.cdf).pvalue < 1e-6


def test_at_alpha_zero_the_simplex_is_filled_evenly():
    """The density is constant: each weight is Beta(1, K - 1), and each of the 3! orders is as frequent."""
    weights = draw(rows((0.0, 0.0, 0.0))).detach().numpy()
    assert stats.kstest(weights[:, 0], stats.beta(1, 2).cdf).pvalue > 1e-3
    _, counts = np.unique(weights.argsort(-1), axis=0, return_counts=True)
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 1e-3


def jacobian(theta, beta):
    """d theta_i / d beta_j by the formula of Figurnov et al. 2018: the Beta CDF differentiated numerically.

    - [dF/dbeta_j / f](theta_j | beta_j, total - beta_j) * (delta_ij - theta_i) / (1 - theta_j)
    """
    second, step = beta.sum() - beta, 1e-5 * beta
    slope = (special.betainc(beta + step, second, theta) - special.betainc(beta - step, second, theta)) / (2 * step)
    pull = -slope / stats.beta.pdf(theta, beta, second) / (1 - theta)
    return pull * (np.eye(len(beta)) - theta[:, None])


def test_the_gradient_is_the_pathwise_one():
    """To 0.5 %: torch approximates the derivative of the CDF in the middle of the simplex."""
    alpha = rows(count=200)
    weights = draw(alpha, seed=3)
    outer = torch.randn(200, 3, dtype=torch.float64, generator=generator(4))
    (found,) = torch.autograd.grad((weights * outer).sum(), alpha["normal"])
    beta, slope = beta_of()
    for theta, towards, gradient in zip(weights.detach().numpy(), outer.numpy(), found.numpy(), strict=True):
        by_hand = jacobian(theta, beta) * slope
        np.testing.assert_allclose(
            gradient, towards @ by_hand, rtol=0, atol=5e-3 * (np.abs(towards) @ np.abs(by_hand)).max()
        )


def test_the_mean_gradient_is_that_of_the_mean():
    """E theta_i = beta_i / total, so d/dbeta_j is (total delta_ij - beta_i) / total^2: without bias."""
    alpha = rows()
    weights = draw(alpha, seed=5)
    beta, slope = beta_of()
    total = beta.sum()
    for i in range(3):
        (samples,) = torch.autograd.grad(weights[:, i].sum(), alpha["normal"], retain_graph=True)
        expected = torch.from_numpy((total * np.eye(3)[i] - beta[i]) / total**2 * slope)
        errors = samples.std(0) / MANY**0.5
        assert ((samples.mean(0) - expected).abs() < ERRORS * errors).all()
        assert ((samples.mean(0) - 0.9 * expected).abs() > ERRORS * errors).any()  # there is power to see a tenth


def test_the_gradient_can_be_taken_once():
    """Trap: torch leaves the draw out of a second derivative and says nothing; what is left is the bend of ELU alone.

    That is exp(alpha) dL/dbeta, the first derivative itself, where alpha is negative, and zero elsewhere. So curvature
    is measured without the draw, at the mean (`expected`), which has its second derivatives.
    """
    alpha = rows(count=2)
    (first,) = torch.autograd.grad((draw(alpha) ** 2).sum(), alpha["normal"], create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), alpha["normal"])
    torch.testing.assert_close(second, torch.where(alpha["normal"] < 0, first, 0.0).detach())
    relaxation = DirichletSample(SPACE)
    assert torch.autograd.gradgradcheck(lambda at: relaxation.expected({"normal": at}, 0.0)["normal"], alpha["normal"])


def test_tiny_concentrations_are_kept_above_zero():
    """exp(-17) is lost beside one in float32, and exp(-50) in float64: ELU + 1 would be exactly zero."""
    for dtype, value in ((torch.float32, -17.5), (torch.float64, -50.0)):
        alpha = torch.full((4, 3), value, dtype=dtype)
        assert ((torch.nn.functional.elu(alpha) + 1) == 0).all()
        assert (concentration(alpha) > 0).all()
    alpha = rows((-50.0, -60.0, -50.0), 100)
    weights = draw(alpha)
    (gradient,) = torch.autograd.grad(weights[:, 0].sum(), alpha["normal"])
    assert weights.isfinite().all()
    torch.testing.assert_close(weights.detach().sum(-1), torch.ones(100, dtype=torch.float64))
    assert gradient.isfinite().all()


def test_concentrations_are_elu_plus_one():
    assert concentration(torch.tensor(ALPHA, dtype=torch.float64)).tolist() == pytest.approx(beta_of()[0].tolist())
    assert float(concentration(torch.zeros(()))) == 1.0


def test_draws_follow_from_the_generator_alone():
    """torch's Dirichlet draws from the global state: it neither matters nor changes."""
    torch.manual_seed(3)
    first = draw(rows(count=5), seed=1)
    torch.manual_seed(4)
    before = torch.get_rng_state()
    assert torch.equal(draw(rows(count=5), seed=1), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(draw(rows(count=5), seed=2), first)
    one = generator(1)
    pair = [DirichletSample(SPACE)(rows(count=5), 0.0, one).weights["normal"] for _ in range(2)]
    assert torch.equal(pair[0], first)
    assert not torch.equal(pair[1], first)  # the next call draws anew


def test_what_is_expected_is_the_mean():
    beta, _ = beta_of()
    alpha = rows()
    expected = DirichletSample(SPACE).expected(alpha, 0.0)["normal"].detach()
    assert expected[0].tolist() == pytest.approx((beta / beta.sum()).tolist())
    weights = draw(alpha, seed=6).detach()
    assert ((weights.mean(0) - expected[0]).abs() < ERRORS * weights.std(0) / MANY**0.5).all()


def test_the_order_of_what_is_expected_is_that_of_alpha():
    """The released code derives from alpha itself, selection here from the mean: the same architecture."""
    alpha = {"normal": 3 * torch.randn(500, 4, dtype=torch.float64, generator=generator())}
    means = DirichletSample(SPACE).expected(alpha, 0.0)["normal"]
    assert torch.equal(means.argsort(-1), alpha["normal"].argsort(-1))
