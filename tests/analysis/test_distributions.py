"""Distributions on the simplex, against closed forms, exact probabilities, finite differences and torch's autograd."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats
from torch.distributions import Dirichlet

from nasbook.analysis import distributions
from nasbook.runtime.errors import UsageError
from nasbook.runtime.random import RandomStream

LOGITS = (0.7, -0.4, 0.1, 1.2)
CONCENTRATIONS = ((0.5, 1.0, 2.0), (0.2, 0.2, 0.2), (3.0, 4.0, 5.0), (0.05, 1.5, 0.3, 8.0))
MANY = 40_000


def drawn(concentration, samples=400, seed=3):
    return distributions.dirichlet(concentration, samples=samples, seed=seed)


def torch_jacobian(concentration, samples, seed):
    """Samples, and torch's own dz_i / dbeta_j of each: (samples, K, K)."""
    each = torch.tensor(concentration, dtype=torch.float64).expand(samples, -1).clone().requires_grad_()
    with RandomStream(seed).scope():
        weights = Dirichlet(each).rsample()
    rows = [torch.autograd.grad(column.sum(), each, retain_graph=True)[0] for column in weights.unbind(1)]
    return weights.detach(), torch.stack(rows, 1)


def test_the_noise_is_gumbel():
    """Kolmogorov-Smirnov; a right sampler fails at one seed in a thousand, and this seed is fixed."""
    noisy = distributions.perturbed(LOGITS, samples=MANY, seed=0)
    noise = (noisy - torch.tensor(LOGITS, dtype=torch.float64)).flatten()
    assert noise.dtype == torch.float64
    assert stats.kstest(noise.numpy(), "gumbel_r").pvalue > 1e-3
    assert float(noise.mean()) == pytest.approx(np.euler_gamma, abs=0.03)


def test_gumbel_max_draws_from_the_softmax():
    """Chi-square with 3 degrees of freedom; a right sampler fails at one seed in a thousand, and this seed is fixed."""
    draws = distributions.gumbel_max(LOGITS, samples=MANY, seed=1)
    counts = torch.bincount(draws, minlength=len(LOGITS)).numpy()
    chances = special.softmax(LOGITS)
    assert stats.chisquare(counts, MANY * chances).pvalue > 1e-3
    wrong = special.softmax(np.array(LOGITS) / 1.1)  # the test has the power to see a temperature that is 10 % off
    assert stats.chisquare(counts, MANY * wrong).pvalue < 1e-6


@pytest.mark.parametrize("temperature", [0.1, 1.0, 7.0])
def test_the_relaxed_sample_is_largest_where_the_hard_one_is(temperature):
    relaxed = distributions.gumbel_softmax(LOGITS, temperature, samples=500, seed=2)
    torch.testing.assert_close(relaxed.sum(1), torch.ones(500).double())
    assert torch.equal(relaxed.argmax(1), distributions.gumbel_max(LOGITS, samples=500, seed=2))


def test_temperatures_from_one_hot_to_uniform():
    cold, hot = (distributions.gumbel_softmax(LOGITS, t, samples=500, seed=2) for t in (1e-6, 1e6))
    assert float(distributions.entropy(cold).max()) < 1e-3
    torch.testing.assert_close(hot, torch.full_like(hot, 1 / 4), atol=1e-5, rtol=0)
    shifted = distributions.gumbel_softmax([value + 5 for value in LOGITS], 0.5, samples=500, seed=2)
    torch.testing.assert_close(shifted, distributions.gumbel_softmax(LOGITS, 0.5, samples=500, seed=2))


def test_relaxed_weights_of_two_operations_follow_the_published_density():
    """Maddison et al. 2017, definition 1, for K = 2: the log odds of the first weight are logistic."""
    temperature, log_odds = 0.7, 0.8
    first = distributions.gumbel_softmax([log_odds, 0.0], temperature, samples=MANY, seed=4)[:, 0].numpy()
    assert stats.kstest(temperature * special.logit(first) - log_odds, "logistic").pvalue > 1e-3


@pytest.mark.parametrize("temperature", [0.2, 1.0, 3.0])
def test_the_entropy_of_two_relaxed_operations_by_quadrature(temperature):
    """The difference of two Gumbel numbers is logistic, so the mean entropy is one integral."""

    def integrand(noise):
        first = special.expit((0.8 + noise) / temperature)
        return (special.entr(first) + special.entr(1 - first)) * stats.logistic.pdf(noise)

    expected, _ = integrate.quad(integrand, -40, 40, limit=200)
    found = distributions.measured(distributions.gumbel_softmax([0.8, 0.0], temperature, samples=MANY, seed=4)).entropy
    assert found == pytest.approx(expected, abs=0.006)


def test_samples_depend_on_the_seed_alone():
    before = torch.get_rng_state()
    for make in (
        lambda seed: distributions.gumbel_softmax(LOGITS, 0.5, samples=5, seed=seed),
        lambda seed: drawn((0.5, 1.0), 5, seed),
    ):
        first = make(7)
        torch.rand(3)
        assert torch.equal(first, make(7))
        assert not torch.equal(first, make(8))
    torch.set_rng_state(before)
    drawn((1.0, 1.0))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("concentration", CONCENTRATIONS)
def test_dirichlet_moments_agree_with_samples(concentration):
    closed = distributions.dirichlet_moments(concentration)
    samples = drawn(concentration, MANY)
    found = distributions.measured(samples)
    five_errors = 5 * samples.std(0) / MANY**0.5
    assert bool(((found.mean - closed.mean).abs() < five_errors).all())
    torch.testing.assert_close(found.variance, closed.variance, rtol=0.05, atol=0)
    assert found.entropy == pytest.approx(closed.entropy, rel=0.02)


def test_dirichlet_moments_by_hand():
    uniform = distributions.dirichlet_moments([1.0, 1.0, 1.0])
    assert uniform.variance.tolist() == pytest.approx([1 / 18] * 3)  # (1/3)(2/3) / 4
    assert uniform.entropy == pytest.approx(1 / 2 + 1 / 3)  # digamma(4) - digamma(2)


def test_concentrations_with_a_given_mean():
    beta = distributions.with_mean(torch.tensor(LOGITS, dtype=torch.float64), 0.3)
    assert float(beta.mean()) == pytest.approx(0.3)
    torch.testing.assert_close(
        distributions.dirichlet_moments(beta).mean, torch.softmax(torch.tensor(LOGITS), 0).double()
    )
    rows = distributions.dirichlet_rows(beta.repeat(20, 1), seed=3)
    assert torch.equal(rows, distributions.dirichlet(beta, samples=20, seed=3))


def test_entropy_by_hand():
    weights = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]).double()
    assert distributions.entropy(weights).tolist() == pytest.approx([0.0, math.log(2), math.log(3)])


@pytest.mark.parametrize("concentration", CONCENTRATIONS)
def test_the_jacobian_follows_quantiles(concentration):
    """At a fixed level u the weight z_j is the Beta quantile of u: its slope by central differences of the quantile."""
    first = np.array(concentration)
    second = first.sum() - first
    samples = drawn(concentration, 200)
    levels, step = special.betainc(first, second, samples.numpy()), 1e-4 * first
    inside = (levels > 1e-6) & (levels < 0.9)  # a level near 1 has lost the digits of its quantile
    above, below = (special.betaincinv(first + sign * step, second, levels) for sign in (1, -1))
    slopes = (above - below) / (2 * step)
    found = torch.diagonal(distributions.dirichlet_jacobian(samples, concentration), dim1=1, dim2=2).numpy()
    assert inside.mean() > 0.4
    np.testing.assert_allclose(found[inside], slopes[inside], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("first", [0.03, 0.4, 1.0, 6.0])
def test_the_jacobian_of_two_operations_in_closed_form(first):
    """Beta(a, 1) has the CDF z^a, so that dz / da = -z log z / a."""
    samples = drawn((first, 1.0))
    found = distributions.dirichlet_jacobian(samples, (first, 1.0))[:, 0, 0]
    torch.testing.assert_close(found, -samples[:, 0] * samples[:, 0].log() / first, rtol=1e-10, atol=1e-15)


def errors_against_torch(concentration):
    """Samples and, by sample and j, the largest difference over i relative to the largest entry."""
    samples, expected = torch_jacobian(concentration, 500, 5)
    found = distributions.dirichlet_jacobian(samples, concentration)
    return samples, (found - expected).abs().amax(1) / expected.abs().amax(1)


@pytest.mark.parametrize("concentration", CONCENTRATIONS)
def test_the_jacobian_is_about_that_of_torch(concentration):
    """torch approximates in the middle of the simplex, to about 2e-3."""
    _, error = errors_against_torch(concentration)
    assert float(error.max()) < 4e-3


@pytest.mark.parametrize("concentration", [(0.5, 1.0, 2.0), (0.2, 0.2, 0.2), (0.01, 0.02, 0.03)])
def test_the_jacobian_is_that_of_torch_where_torch_is_exact(concentration):
    """Near the ends of [0, 1] torch sums a series that converges fast."""
    samples, error = errors_against_torch(concentration)
    near = max(1.0, sum(concentration)) * samples * (1 - samples) < 0.05
    assert near.double().mean() > 0.05
    assert float(error[near].max()) < 1e-6


@pytest.mark.parametrize("concentration", CONCENTRATIONS)
def test_the_jacobian_keeps_the_sum_and_has_the_right_mean(concentration):
    samples = drawn(concentration, MANY // 8)
    found = distributions.dirichlet_jacobian(samples, concentration)
    assert float(found.sum(1).abs().max()) < 1e-12 * float(found.abs().max())
    error = (found.mean(0) - distributions.dirichlet_mean_gradient(concentration)).abs()
    assert bool((error < 5 * found.std(0) / len(found) ** 0.5).all())


def test_the_mean_gradient_is_that_of_the_mean():
    beta = torch.tensor(CONCENTRATIONS[0], dtype=torch.float64)
    expected = torch.autograd.functional.jacobian(lambda at: at / at.sum(), beta)
    torch.testing.assert_close(distributions.dirichlet_mean_gradient(beta), expected)


def test_gradients_explode_with_the_inverse_square_of_tiny_concentrations():
    sizes = [distributions.largest_gradient(each, samples=5000) for each in (0.1, 0.01, 0.001)]
    assert all(50 < large / small < 200 for small, large in itertools.pairwise(sizes))
    samples, expected = torch_jacobian((0.1,) * 3, 5000, 0)
    assert sizes[0] == pytest.approx(float(expected[:, 0].abs().max()))
    exact = distributions.dirichlet_jacobian(samples, (0.1,) * 3)[:, 0]
    assert sizes[0] == pytest.approx(float(exact.abs().max()), rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distributions.gumbel_softmax(LOGITS, 0.0, samples=5, seed=0), "temperature is a positive"),
        (lambda: distributions.gumbel_softmax(LOGITS, math.nan, samples=5, seed=0), "temperature is a positive"),
        (lambda: distributions.gumbel_softmax([1.0], 1.0, samples=5, seed=0), "Logits are one finite number"),
        (lambda: distributions.gumbel_max([1.0, math.inf], samples=5, seed=0), "Logits are one finite number"),
        (lambda: distributions.gumbel_max(LOGITS, samples=0, seed=0), "At least one sample"),
        (lambda: drawn((1.0, 0.0)), "concentration is positive, unlike 0"),
        (lambda: drawn((1.0, 1.0), 0), "At least one sample"),
        (lambda: distributions.measured(torch.ones(1, 3)), "at least two samples"),
        (lambda: distributions.dirichlet_moments([[1.0, 1.0]]), "Concentrations are one finite number"),
        (lambda: distributions.dirichlet_jacobian(torch.tensor([[1.0, 0.0]]), (1.0, 1.0)), "strictly between"),
        (lambda: distributions.dirichlet_jacobian(torch.ones(2, 3) / 3, (1.0, 1.0)), "Samples are 2 weights"),
        (lambda: distributions.with_mean(torch.zeros(3), 0.0), "concentration is a positive number"),
        (lambda: distributions.largest_gradient(-1.0), "concentration is positive"),
    ],
)
def test_what_is_no_distribution_is_refused(call, message):
    with pytest.raises(UsageError, match=message):
        call()
