"""The exercises of chapter 10, learning a distribution with Gumbel noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect, expect_close
from nasbook.runtime.errors import UsageError
from nasbook.widgets import simplex

_LOGITS = ((0.3, 1.0, -0.5), (0.7, 0.0), (-2.0, 1.5, 0.0, 0.4, 1.0))  # the first tells all wrong draws apart
_TEMPERATURES = (0.3, 1.0, 4.0)
_SAMPLES = 500
_HALF = 0.01  # how near to half of the largest entropy is near enough


def check_gumbel_max(attempt: Callable[[Tensor, Tensor], Any]) -> None:
    """(alpha (K,), uniform numbers (samples, K)) -> the operation that each row draws, int64 (samples,)."""
    generator = torch.Generator().manual_seed(1001)
    for logits in _LOGITS:
        alpha = torch.tensor(logits, dtype=torch.float64)
        uniform = torch.rand(_SAMPLES, len(alpha), generator=generator, dtype=torch.float64)
        got = attempt(alpha.clone(), uniform.clone())
        right = (alpha - (-uniform.log()).log()).argmax(-1)
        if not isinstance(got, Tensor) or got.shape != right.shape or got.is_floating_point():
            raise WrongAnswer(f"Return one whole number a row: the operations drawn, of shape {tuple(right.shape)}.")
        _name_the_draw(got, alpha, uniform, right)
        expect(torch.equal(got, right), "Some rows draw another operation than the largest log p plus Gumbel noise.")


def _name_the_draw(got: Tensor, alpha: Tensor, uniform: Tensor, right: Tensor) -> None:
    """Say which of the typical wrong draws this is."""
    if torch.equal(got, right):
        return
    noise = -(-uniform.log()).log()
    wrong = {
        "You added the uniform numbers themselves: turn them into Gumbel noise first.": alpha + uniform,
        "The noise has the wrong sign: both logarithms have a minus.": alpha - noise,
        "You added the noise to the probabilities: it belongs to their logarithms.": alpha.softmax(0) + noise,
        "You left the noise out: every row draws the same.": alpha.expand_as(uniform),
        "Your noise is not a number: log u is negative, so take minus before each logarithm.": uniform.log().log(),
        "You divided by alpha: the rates of the clocks are the probabilities p.": uniform.log() / alpha,
        "You took minus one logarithm only: that is an exponential number.": alpha - uniform.log(),
    }
    for message, scores in wrong.items():
        expect(not torch.equal(got, scores.argmax(-1)), message)


def check_half_entropy(attempt: Any) -> None:
    """The state of the explorer, as a text, in which Gumbel-softmax samples of equal logits have half the entropy."""
    try:
        state = simplex.SimplexState.parse(attempt)
    except UsageError as error:
        raise WrongAnswer(f"This is no state of the explorer. {error}") from None
    expect(state.family == "gumbel", "Choose the family Gumbel-softmax.")
    expect(not any(state.logits), "All three logits should be 0.")
    share = simplex.compute(state).share
    told = "decided" if share < 0.5 else "undecided"
    expect(
        abs(share - 0.5) <= _HALF,
        f"At temperature {state.temperature:g} the samples have {share:.3f} of the largest entropy: too {told}.",
    )


def check_straight_through(attempt: Callable[[Tensor, Tensor, float], Any]) -> None:
    """(alpha (K,) of one edge, noise (K,), temperature) -> weights (K,): one-hot, with the relaxed draw's gradient."""
    cases = list(_edges())
    for logits, noise, _, temperature in cases:  # all forwards first: one-hot weights of other noise may fit by chance
        _check_forwards(
            attempt(logits.clone().requires_grad_(), noise.clone(), temperature), logits + noise, temperature
        )
    for logits, noise, costs, temperature in cases:
        alpha = logits.clone().requires_grad_()
        _check_backwards(attempt(alpha, noise.clone(), temperature), alpha, noise, costs, temperature)


def _edges() -> Iterator[tuple[Tensor, Tensor, Tensor, float]]:
    """Logits, noise and costs (K,) of one edge, and a temperature."""
    generator = torch.Generator().manual_seed(1007)  # of noise that moves the largest in most cases
    for logits in _LOGITS:
        for temperature in _TEMPERATURES:
            noise, costs = torch.randn(2, len(logits), generator=generator, dtype=torch.float64)
            yield torch.tensor(logits, dtype=torch.float64), noise, costs, temperature


def _check_forwards(got: Any, noisy: Tensor, temperature: float) -> None:
    """Make sure that the weights are one-hot where alpha plus noise is largest."""
    relaxed = torch.softmax(noisy / temperature, dim=0)
    hard = torch.nn.functional.one_hot(noisy.argmax(), len(noisy)).double()
    if isinstance(got, Tensor) and got.shape == hard.shape:
        given = got.detach().double()
        expect(
            not torch.allclose(given, relaxed),
            "Forwards these are the relaxed weights, so that every operation runs; they should be one-hot.",
        )
        expect(not torch.allclose(given, hard + relaxed), "Forwards z is still added: subtract it as a constant.")
        one_hot = torch.equal(given.sort().values, hard.sort().values)
        expect(
            not one_hot or torch.equal(given, hard),
            "One-hot, but not where alpha + noise is largest: you left out the noise, or drew other noise than the "
            "one given.",
        )
    expect_close(got, hard, "The weights forwards")


def _check_backwards(got: Tensor, alpha: Tensor, noise: Tensor, costs: Tensor, temperature: float) -> None:
    """Make sure that the gradient of the weights times some costs is that of the relaxed draw."""
    expect(got.requires_grad, "Right forwards, but no gradient reaches alpha: an argmax alone has none.")
    (found,) = torch.autograd.grad((got * costs).sum(), alpha, allow_unused=True)
    expect(found is not None, "Right forwards, but no gradient reaches alpha: an argmax alone has none.")
    right = _pulled_back(alpha + noise, costs, temperature)
    if temperature != 1:
        warm = torch.allclose(found, right * temperature)
        expect(not warm, "Backwards a division by the temperature is missing.")
    expect(
        not torch.allclose(found, torch.zeros_like(found)),
        "The gradient is zero: what you add has to be zero forwards only.",
    )
    noiseless = torch.allclose(found, _pulled_back(alpha, costs, temperature))
    expect(not noiseless, "Backwards the noise is missing: differentiate the same z whose largest weight is drawn.")
    expect_close(found, right, "The gradient in alpha, of the weights times some costs,")


def _pulled_back(scores: Tensor, costs: Tensor, temperature: float) -> Tensor:
    """The gradient (K,) in the scores of the relaxed weights times the costs."""
    leaf = scores.detach().requires_grad_()
    (found,) = torch.autograd.grad((torch.softmax(leaf / temperature, dim=0) * costs).sum(), leaf)
    return found


def check_credit(attempt: Callable[[Tensor, Tensor, Tensor, Tensor], Any]) -> None:
    """(alpha (edges, K), drawn (edges,), slopes (edges, n), outputs (edges, n)) -> DSNAS's gradient (edges, K)."""
    generator = torch.Generator().manual_seed(1004)
    for edges, operations, numbers in ((1, 2, 3), (3, 4, 5), (5, 3, 8)):
        alpha = torch.randn(edges, operations, generator=generator, dtype=torch.float64)
        drawn = torch.randint(operations, (edges,), generator=generator)
        slopes, outputs = torch.randn(2, edges, numbers, generator=generator, dtype=torch.float64)
        got = attempt(alpha.clone(), drawn.clone(), slopes.clone(), outputs.clone())
        credit = (slopes * outputs).sum(1, keepdim=True)
        hot = torch.nn.functional.one_hot(drawn, operations).double()
        right = credit * (hot - alpha.softmax(1))
        if isinstance(got, Tensor) and got.shape == right.shape:
            _name_the_credit(got.detach().double(), alpha, hot, credit, numbers)
        expect_close(got, right, "The gradient in alpha")


def _name_the_credit(got: Tensor, alpha: Tensor, hot: Tensor, credit: Tensor, numbers: int) -> None:
    """Say which of the typical wrong gradients this is; `numbers` is n, the length of an output."""
    chances = alpha.softmax(1)
    score = hot - chances
    wrong = {
        "All edges got the same credit; each has its own.": credit.sum() * score,
        "The gradient has the opposite sign.": -credit * score,
        "An edge's own probabilities are missing: log p of the drawn operation falls as the others rise.": credit * hot,
        "You differentiated p of the drawn operation; take its logarithm.": (
            credit * score * (chances * hot).sum(1, keepdim=True)
        ),
        "You took the mean over the outputs: R of an edge is their sum.": credit / numbers * score,
        "Your probabilities are taken over the edges: each row of alpha has its own softmax.": (
            credit * (hot - alpha.softmax(0))
        ),
    }
    for message, each in wrong.items():
        same = torch.allclose(got, each)
        expect(not same or torch.allclose(each, credit * score), message)


EXERCISES = (
    Exercise("10.1", "A draw by hand", "easy", 10, check_gumbel_max, 'the section "Drawing by a maximum"'),
    Exercise("10.2", "Half of the entropy", "easy", 5, check_half_entropy, 'the section "Temperature"'),
    Exercise("10.3", "Straight-through weights", "medium", 20, check_straight_through, "equation (10.5)"),
    Exercise("10.4", "The credit of an edge", "hard", 30, check_credit, "equation (10.7)"),
)
