"""The checks of chapter 10: right answers pass, typical wrong ones are told what is wrong."""

import pytest
import torch
from torch.nn.functional import one_hot

from nasbook.course.exercises import find_exercise, judge
from nasbook.widgets.simplex import SimplexExplorer


def verdict(number, attempt):
    return judge(find_exercise(f"10.{number}"), attempt)


def noise_of(uniform):
    return -torch.log(-torch.log(uniform))


def gumbel_max(alpha, uniform):
    return (torch.log_softmax(alpha, 0) + noise_of(uniform)).argmax(1)


def by_the_race(alpha, uniform):
    """The first of exponential clocks with rates p."""
    return (-uniform.log() / alpha.softmax(0)).argmin(1)


def by_a_large_power(alpha, uniform):
    """What softmax at a low temperature is nearly one at."""
    return torch.softmax((alpha + noise_of(uniform)) / 0.01, 1).argmax(1)


@pytest.mark.parametrize("attempt", [gumbel_max, by_the_race, by_a_large_power])
def test_right_draws_pass(attempt):
    assert verdict(1, attempt)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda alpha, uniform: (alpha + uniform).argmax(1), "uniform numbers themselves"),
        (lambda alpha, uniform: (alpha - noise_of(uniform)).argmax(1), "wrong sign"),
        (lambda alpha, uniform: (alpha.softmax(0) + noise_of(uniform)).argmax(1), "logarithms"),
        (lambda alpha, uniform: alpha.expand_as(uniform).argmax(1), "left the noise out"),
        (lambda alpha, uniform: (alpha - uniform.log()).argmax(1), "one logarithm only"),
        (lambda alpha, uniform: (alpha - torch.log(torch.log(uniform))).argmax(1), "not a number"),
        (lambda alpha, uniform: (-uniform.log() / alpha).argmin(1), "divided by alpha"),
        (lambda alpha, uniform: (alpha * noise_of(uniform)).argmax(1), "another operation"),
        (lambda alpha, uniform: alpha + noise_of(uniform), "one whole number a row"),
        (lambda alpha, uniform: (alpha + noise_of(uniform)).argmax(), "one whole number a row"),
        (lambda alpha, uniform: (alpha + noise_of(uniform)).max(1).values, "one whole number a row"),
        (lambda alpha, uniform: None, "one whole number a row"),
    ],
)
def test_other_draws_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def relaxed_draw(alpha, noise, temperature):
    return torch.softmax((alpha + noise) / temperature, 0)


def hot_of(relaxed):
    return one_hot(relaxed.argmax(), len(relaxed)).double()


def straight_through(alpha, noise, temperature):
    relaxed = relaxed_draw(alpha, noise, temperature)
    return hot_of(relaxed) + relaxed - relaxed.detach()


def of_log_probabilities(alpha, noise, temperature):
    return straight_through(torch.log_softmax(alpha, 0), noise, temperature)


class ByHand(torch.autograd.Function):
    """The same with forward and backward written out."""

    @staticmethod
    def forward(ctx, alpha, noise, temperature):
        relaxed = relaxed_draw(alpha, noise, temperature)
        ctx.save_for_backward(relaxed)
        ctx.temperature = temperature
        return hot_of(relaxed)

    @staticmethod
    def backward(ctx, slope):
        (relaxed,) = ctx.saved_tensors
        return relaxed * (slope - (slope * relaxed).sum()) / ctx.temperature, None, None


@pytest.mark.parametrize("attempt", [straight_through, of_log_probabilities, ByHand.apply])
def test_right_weights_pass(attempt):
    assert verdict(3, attempt)[0] == "right"


def warm_backwards(alpha, noise, temperature):
    relaxed = relaxed_draw(alpha, noise, temperature)
    pulled = temperature * relaxed
    return hot_of(relaxed) + pulled - pulled.detach()


def without_detach(alpha, noise, temperature):
    relaxed = relaxed_draw(alpha, noise, temperature)
    return hot_of(relaxed) + relaxed - relaxed


def without_noise_backwards(alpha, noise, temperature):
    plain = torch.softmax(alpha / temperature, 0)
    return hot_of(relaxed_draw(alpha, noise, temperature)) + plain - plain.detach()


def with_other_noise(alpha, noise, temperature):
    torch.manual_seed(0)
    return torch.nn.functional.gumbel_softmax(alpha, temperature, hard=True)


def without_noise(alpha, noise, temperature):
    return straight_through(alpha, torch.zeros_like(noise), temperature)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (relaxed_draw, "every operation runs"),
        (lambda *given: hot_of(relaxed_draw(*given)), "no gradient reaches alpha"),
        (lambda *given: straight_through(*given).detach().requires_grad_(), "no gradient reaches alpha"),
        (without_detach, "gradient is zero"),
        (warm_backwards, "temperature is missing"),
        (without_noise_backwards, "Backwards the noise is missing"),
        (with_other_noise, "drew other noise"),
        (lambda *given: -straight_through(*given) + 2 * hot_of(relaxed_draw(*given)), "The gradient in alpha"),
        (lambda *given: straight_through(*given) * 2, "The weights forwards"),
        (without_noise, "left out the noise"),
        (lambda *given: hot_of(relaxed_draw(*given)) + relaxed_draw(*given), "subtract it"),
        (lambda *given: relaxed_draw(*given).argmax(), "should have shape"),
        (lambda *given: None, "is a return missing"),
    ],
)
def test_other_weights_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence


def state(temperature, *, family="gumbel", logits="0,0,0"):
    return f"family={family} temperature={temperature:g} concentration=1 logits={logits}"


def half():
    """The temperature, by bisection on the widget."""
    explorer, low, high = SimplexExplorer(), 0.05, 10.0
    for _ in range(12):
        explorer.temperature = (low * high) ** 0.5
        low, high = (explorer.temperature, high) if explorer.result().share < 0.5 else (low, explorer.temperature)
    return explorer.state()


def test_half_of_the_entropy_is_found_on_the_widget():
    assert verdict(2, half())[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (state(0.05), "too decided"),
        (state(10.0), "too undecided"),
        (state(0.5, family="dirichlet"), "Gumbel-softmax"),
        (state(0.5, logits="1,0,0"), "logits should be 0"),
        (state(100.0), "between 0.05 and 10"),
        ("0.5", "no state of the explorer"),
        (0.5, "no state of the explorer"),
    ],
)
def test_other_states_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def credit(alpha, drawn, slopes, outputs):
    hot = one_hot(drawn, alpha.shape[1])
    return (slopes * outputs).sum(1, keepdim=True) * (hot - alpha.softmax(1))


def by_autograd(alpha, drawn, slopes, outputs):
    alpha = alpha.requires_grad_()
    log_p = alpha.log_softmax(1)[torch.arange(len(alpha)), drawn]
    return torch.autograd.grad(((slopes * outputs).sum(1) * log_p).sum(), alpha)[0]


@pytest.mark.parametrize("attempt", [credit, by_autograd])
def test_right_credits_pass(attempt):
    assert verdict(4, attempt)[0] == "right"


def shared(alpha, drawn, slopes, outputs):
    return (slopes * outputs).sum() * (one_hot(drawn, alpha.shape[1]) - alpha.softmax(1))


def drawn_only(alpha, drawn, slopes, outputs):
    return (slopes * outputs).sum(1, keepdim=True) * one_hot(drawn, alpha.shape[1])


def over_the_edges(alpha, drawn, slopes, outputs):
    return (slopes * outputs).sum(1, keepdim=True) * (one_hot(drawn, alpha.shape[1]) - alpha.softmax(0))


def of_p(alpha, drawn, slopes, outputs):
    return credit(alpha, drawn, slopes, outputs) * alpha.softmax(1).gather(1, drawn[:, None])


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (shared, "each has its own"),
        (lambda *given: -credit(*given), "opposite sign"),
        (drawn_only, "probabilities are missing"),
        (of_p, "take its logarithm"),
        (lambda *given: credit(*given) / given[2].shape[1], "took the mean"),
        (over_the_edges, "over the edges"),
        (lambda *given: credit(*given) / len(given[0]), "The gradient in alpha"),
        (lambda *given: credit(*given).sum(1), "should have shape"),
        (lambda *given: None, "is a return missing"),
    ],
)
def test_other_credits_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(4, attempt)
    assert kind == "wrong"
    assert says in sentence
