"""The checks of chapter 11: right answers pass, typical wrong ones are told what is wrong."""

import pytest
import torch
from scipy import special, stats
from torch.distributions import Dirichlet, kl_divergence
from torch.nn import functional as F

from nasbook.course.exercises import find_exercise, judge


def verdict(number, attempt):
    return judge(find_exercise(f"11.{number}"), attempt)


def mean(beta):
    return beta / beta.sum()


def spread(beta, over):
    return mean(beta) * (1 - mean(beta)) / over


def test_mean_and_variance_pass():
    assert verdict(1, lambda beta: (mean(beta), spread(beta, beta.sum() + 1)))[0] == "right"
    assert verdict(1, lambda beta: [Dirichlet(beta).mean, Dirichlet(beta).variance])[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda beta: (mean(beta), spread(beta, beta.sum())), "infinite where all concentrations go to zero"),
        (lambda beta: (mean(beta), spread(beta, beta.sum() + 1).sqrt()), "standard deviation"),
        (lambda beta: (beta.softmax(0), spread(beta, beta.sum() + 1)), "The mean is off by"),
        (lambda beta: (mean(beta), mean(beta) / (beta.sum() + 1)), "The variance is off by"),
        (lambda beta: mean(beta), "Return two tensors"),
        (lambda beta: (torch.full((3,), 1 / 3), torch.full((3,), 0.1)), "The variance is off by"),
    ],
)
def test_wrong_moments_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def jacobian(theta, beta, *, held=True, density_of=None, step=1e-5):
    """By central differences of the Beta's CDF; `held=False` moves its second parameter against the first."""
    theta, beta = theta.numpy(), beta.numpy()
    rest = beta.sum() - beta
    shift = 0.0 if held else step
    slope = special.betainc(beta + step, rest - shift, theta) - special.betainc(beta - step, rest + shift, theta)
    pull = -slope / (2 * step) / stats.beta(beta, rest if density_of is None else density_of(beta)).pdf(theta)
    own = torch.eye(len(beta), dtype=torch.float64) - torch.from_numpy(theta)[:, :, None]
    return own * torch.from_numpy(pull / (1 - theta))[:, None, :]


def test_the_jacobian_passes():
    assert verdict(2, jacobian)[0] == "right"
    assert verdict(2, lambda theta, beta: jacobian(theta, beta, step=1e-4))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda theta, beta: -jacobian(theta, beta), "opposite"),
        (lambda theta, beta: jacobian(theta, beta).mT, "swapped"),
        (lambda theta, beta: jacobian(theta, beta) * (1 - theta)[:, None, :], "1 / (1 - theta_j)"),
        (
            lambda theta, beta: torch.diag_embed(torch.diagonal(jacobian(theta, beta), dim1=1, dim2=2)),
            "no longer sum to one",
        ),
        (lambda theta, beta: jacobian(theta, beta, held=False), "with the second held"),
        (lambda theta, beta: jacobian(theta, beta, density_of=lambda b: 0 * b + b.sum()), "with the second held"),
        (lambda theta, beta: jacobian(theta, beta)[0], "should have shape"),
        (lambda theta, beta: jacobian(theta, beta).tolist(), "Return a tensor"),
    ],
)
def test_wrong_jacobians_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def concentration(alpha):
    return F.elu(alpha) + 1


def written_out(alpha):
    beta, count = concentration(alpha), torch.tensor(float(len(alpha)), dtype=torch.float64)
    total = beta.sum()
    norm = torch.lgamma(total) - torch.lgamma(beta).sum() - torch.lgamma(count)
    return norm + ((beta - 1) * (torch.digamma(beta) - torch.digamma(total))).sum()


def between(alpha, other=None, *, swap=False):
    beta = concentration(alpha) if other is None else other
    ends = [Dirichlet(beta), Dirichlet(torch.ones_like(beta))]
    return kl_divergence(*(ends[::-1] if swap else ends))


@pytest.mark.parametrize("attempt", [written_out, between])
def test_the_distance_passes(attempt):
    assert verdict(3, attempt)[0] == "right"


def without_the_anchors_density(alpha):
    return written_out(alpha) + torch.lgamma(torch.tensor(float(len(alpha)), dtype=torch.float64))


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (without_the_anchors_density, "ln Gamma(K), is left out"),
        (lambda alpha: between(alpha, swap=True), "swap the two"),
        (lambda alpha: between(alpha, alpha.exp()), "is off by"),
        (lambda alpha: between(alpha, 1 + alpha.clamp_min(-0.9)), "is off by"),
        (lambda alpha: alpha.square().sum() / 2, "is off by"),
        (lambda alpha: written_out(alpha.detach()), "No gradient"),
        (lambda alpha: float(written_out(alpha.detach())), "No gradient"),
        (lambda alpha: written_out(alpha) + (alpha - alpha.detach()).sum(), "gradient of the distance is off"),
        (lambda alpha: None, "is a return missing"),
    ],
)
def test_wrong_distances_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence


def widened(weight, inputs, outputs):
    times = torch.bincount(inputs)[inputs]
    return weight[outputs][:, inputs] / times[None, :, None, None]


def by_columns(weight, inputs, outputs):
    columns = [weight[:, each] / (inputs == each).sum() for each in inputs]
    return torch.stack(columns, dim=1)[outputs]


def unevenly(weight, inputs, outputs):
    """All of an input's weight on its first place: the same function too."""
    first = torch.tensor([int(each) not in inputs[:place].tolist() for place, each in enumerate(inputs)])
    return weight[outputs][:, inputs] * first[None, :, None, None]


@pytest.mark.parametrize("attempt", [widened, by_columns, unevenly])
def test_wide_convolutions_that_compute_the_same_pass(attempt):
    assert verdict(4, attempt)[0] == "right"


def in_place(weight, inputs, outputs):
    weight /= 2
    return widened(2 * weight, inputs, outputs)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda weight, inputs, outputs: weight[outputs][:, inputs], "counts twice"),
        (
            lambda weight, inputs, outputs: weight[outputs][:, inputs] * weight.shape[1] / len(inputs),
            "more often than others",
        ),
        (lambda weight, inputs, outputs: widened(weight, inputs, outputs)[:, :, 0, 0], "has shape"),
        (lambda weight, inputs, outputs: widened(weight, inputs, outputs).transpose(0, 1), "outputs first"),
        (
            lambda weight, inputs, outputs: (
                widened(weight, inputs, outputs) / torch.bincount(outputs)[outputs][:, None, None, None]
            ),
            "is off by",
        ),
        (in_place, "changes the old weight"),
        (lambda weight, inputs, outputs: None, "yours is NoneType"),
    ],
)
def test_other_wide_convolutions_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(4, attempt)
    assert kind == "wrong"
    assert says in sentence
