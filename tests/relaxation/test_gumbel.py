"""Gumbel relaxations: whose frequencies they have, their limits, and the straight-through gradient by hand.

The chi-square tests refuse at a p-value below 0.001: a right sampler fails at one seed in a thousand, and the seeds are
fixed.
"""

import pytest
import torch
from scipy import special, stats

from nasbook import spaces
from nasbook.relaxation import GumbelSoftmax, HardGumbel, Temperature

SPACE = spaces.get("s3", nodes=2, reduction="fixed")
PARENTS = spaces.get("nas-bench-1shot1-1")
BENCHMARK = spaces.get("nas-bench-201")
LOGITS = (0.7, -0.4, 1.2)
MANY = 20_000
ERROR_RATE = 1e-3


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(logits=LOGITS, count=MANY):
    """Many rows with the same logits, so that one call draws many times."""
    return {"normal": torch.tensor(logits, dtype=torch.float64).expand(count, -1).clone().requires_grad_()}


def mix(relaxation, temperature=1.0, alpha=None, seed=0, space=SPACE):
    alpha = alpha or relaxation(space).initial(scale=1.0, generator=generator(9))
    return relaxation(space, Temperature(temperature, temperature))(alpha, 0.0, generator(seed))


def frequencies(columns):
    return torch.bincount(columns, minlength=len(LOGITS)).numpy()


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_a_hard_draw_has_the_frequencies_of_the_softmax(temperature):
    """At every temperature: it shapes the gradient, not the draw."""
    weights = mix(HardGumbel, temperature, rows(), seed=1).weights["normal"].detach()
    counts = frequencies(weights.argmax(-1))
    assert stats.chisquare(counts, MANY * special.softmax(LOGITS)).pvalue > ERROR_RATE
    assert stats.chisquare(counts, MANY * special.softmax([1.1 * value for value in LOGITS])).pvalue < 1e-6


def test_the_largest_relaxed_weight_has_the_frequencies_of_the_softmax():
    weights = mix(GumbelSoftmax, 0.5, rows(), seed=2).weights["normal"].detach()
    counts = frequencies(weights.argmax(-1))
    assert stats.chisquare(counts, MANY * special.softmax(LOGITS)).pvalue > ERROR_RATE


def test_relaxed_weights_of_two_operations_follow_the_published_density():
    """Maddison et al. 2017, definition 1, for K = 2: temperature times the log odds is logistic around alpha's."""
    weights = mix(GumbelSoftmax, 0.7, rows((0.8, 0.0)), seed=3).weights["normal"].detach()
    odds = special.logit(weights[:, 0].numpy())
    assert stats.kstest(0.7 * odds - 0.8, "logistic").pvalue > ERROR_RATE


@pytest.mark.parametrize("space", [SPACE, BENCHMARK, PARENTS], ids=lambda space: space.name)
def test_relaxed_rows_lie_on_the_simplex_and_all_operations_run(space):
    mixing = mix(GumbelSoftmax, 0.5, space=space)
    assert mixing.active is None
    for name, group in space.groups.items():
        weights = mixing.weights[name].detach()
        assert weights.shape == group.shape
        assert (weights > 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(group.shape[0], dtype=torch.float64))


def test_one_hot_as_the_temperature_goes_to_zero_and_uniform_as_it_grows():
    cold, hot = (mix(GumbelSoftmax, value, rows(count=200)).weights["normal"].detach() for value in (1e-6, 1e6))
    drawn = mix(HardGumbel, 1.0, rows(count=200)).weights["normal"].detach()  # the same noise
    torch.testing.assert_close(cold, drawn, atol=1e-12, rtol=0)
    torch.testing.assert_close(hot, torch.full_like(hot, 1 / 3), atol=1e-4, rtol=0)


def test_a_shift_of_a_row_changes_nothing():
    """SNAS's released parameters start at one, as logarithms of numbers that do not sum to one."""
    shifted = mix(GumbelSoftmax, 0.5, rows([value + 7 for value in LOGITS], 100)).weights["normal"]
    torch.testing.assert_close(shifted, mix(GumbelSoftmax, 0.5, rows(count=100)).weights["normal"])


def test_a_hard_draw_is_exactly_zero_or_one_and_only_what_is_drawn_runs():
    for space in (SPACE, BENCHMARK, PARENTS):
        mixing = mix(HardGumbel, 0.3, space=space)
        for name, group in space.groups.items():
            weights = mixing.weights[name].detach()
            assert ((weights == 0.0) | (weights == 1.0)).all()
            assert mixing.active[name] == tuple(tuple(row.nonzero().flatten().tolist()) for row in weights)
            assert {len(set(columns)) for columns in mixing.active[name]} == {group.held}


@pytest.mark.parametrize("temperature", [1.0, 1e-3])
def test_several_parents_are_those_of_the_largest_noisy_logits(temperature):
    """However cold: relaxed weights underflow to zeros at 0.001, among which no second parent could be told."""
    alpha = HardGumbel(PARENTS).initial(scale=1.0, generator=generator(9))
    noisy, noise = {}, generator(4)
    for name, values in alpha.items():
        exponential = torch.empty_like(values).exponential_(generator=noise)
        noisy[name] = values.detach() - exponential.log()
    active = mix(HardGumbel, temperature, alpha, seed=4, space=PARENTS).active
    for name, group in PARENTS.groups.items():
        best = noisy[name].numpy().argsort(-1)[:, -group.held :]
        assert active[name] == tuple(tuple(sorted(row)) for row in best.tolist()), name


def by_hand(relaxed, outer, temperature):
    """<outer, d relaxed / d alpha>: with s the sum of outer * relaxed, relaxed * (outer - s) / temperature."""
    inner = (outer * relaxed).sum(-1, keepdim=True)
    return relaxed * (outer - inner) / temperature


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("relaxation", [GumbelSoftmax, HardGumbel])
def test_the_gradient_is_that_of_the_relaxed_draw(relaxation, temperature):
    """Both: the hard draw passes its gradient straight through to the relaxed one (same noise)."""
    alpha = rows(count=50)
    outer = torch.randn(50, 3, dtype=torch.float64, generator=generator(7))
    relaxed = mix(GumbelSoftmax, temperature, alpha).weights["normal"].detach()
    weights = mix(relaxation, temperature, alpha).weights["normal"]
    (found,) = torch.autograd.grad((weights * outer).sum(), alpha["normal"])
    torch.testing.assert_close(found, by_hand(relaxed, outer, temperature))


def test_the_relaxed_gradient_equals_finite_differences():
    """The same noise at every point: the draw is a function of alpha."""
    relaxation = GumbelSoftmax(SPACE, Temperature(0.4, 0.4))
    alpha = rows(count=3)["normal"]
    assert torch.autograd.gradcheck(lambda at: relaxation({"normal": at}, 0.0, generator()).weights["normal"], alpha)


def test_the_temperature_falls_with_progress():
    """Trap of GDAS: with (epochs - 1) in the denominator the last of 10 epochs, at progress 0.9, is the coldest."""
    relaxation = GumbelSoftmax(SPACE, Temperature(10.0, 0.1, 10))
    for progress, temperature in [(0.0, 10.0), (0.9, 0.1)]:
        found = relaxation(rows(count=20), progress, generator()).weights["normal"]
        torch.testing.assert_close(found, mix(GumbelSoftmax, temperature, rows(count=20)).weights["normal"])


@pytest.mark.parametrize("relaxation", [GumbelSoftmax, HardGumbel])
def test_what_is_expected_is_the_softmax_and_holds_no_chance(relaxation):
    alpha = rows(count=2)
    found = relaxation(SPACE).expected(alpha, 0.3)["normal"].detach().numpy()
    assert found == pytest.approx(special.softmax([LOGITS] * 2, axis=-1))


def test_draws_follow_from_the_generator_alone():
    first = mix(HardGumbel, alpha=rows(count=50)).active
    torch.rand(3)
    before = torch.get_rng_state()
    assert mix(HardGumbel, alpha=rows(count=50)).active == first
    assert mix(HardGumbel, alpha=rows(count=50), seed=1).active != first
    assert torch.equal(torch.get_rng_state(), before)
