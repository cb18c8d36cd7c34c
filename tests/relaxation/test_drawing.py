"""Draws: their frequencies by a chi-square test, several columns of a row, and weights that are one there.

The chi-square tests refuse at a p-value below 0.001: a right sampler fails at one seed in a thousand, and the seeds are
fixed.
"""

from itertools import combinations, permutations

import pytest
import torch
from scipy import special, stats

from nasbook.relaxation.base import gumbel
from nasbook.relaxation.drawing import Drawn, draw, largest, log_chance

LOGITS = (0.7, -0.4, 0.1, 1.2)
MANY = 40_000
ERROR_RATE = 1e-3


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(logits=LOGITS, count=MANY):
    return torch.tensor(logits, dtype=torch.float64).expand(count, -1)


def chance_of_set(p, columns):
    """The chance that these columns are drawn without replacement: over all orders, each from what is left."""
    total = 0.0
    for order in permutations(columns):
        chance, left = 1.0, 1.0
        for column in order:
            chance, left = chance * p[column] / left, left - p[column]
        total += chance
    return total


def test_the_noise_is_gumbel():
    noise = gumbel(torch.empty(MANY, dtype=torch.float64), generator())
    assert stats.kstest(noise.numpy(), "gumbel_r").pvalue > ERROR_RATE
    assert stats.kstest(noise.numpy(), "gumbel_l").pvalue < 1e-6  # the sign can be told


def test_one_column_is_drawn_by_the_softmax():
    counts = torch.bincount(draw(rows(), 1, generator(1)).flatten(), minlength=4).numpy()
    assert stats.chisquare(counts, MANY * special.softmax(LOGITS)).pvalue > ERROR_RATE
    for wrong in ([1.1 * value for value in LOGITS], special.softmax(LOGITS)):  # 10 % off, and a softmax taken twice
        assert stats.chisquare(counts, MANY * special.softmax(wrong)).pvalue < 1e-6


@pytest.mark.parametrize("count", [2, 3])
def test_several_columns_are_drawn_without_replacement(count):
    """The chance of a set is the sum over its orders; drawing again after a repetition would give other chances."""
    found = [tuple(row) for row in draw(rows(), count, generator(2)).tolist()]
    sets = list(combinations(range(4), count))
    assert set(found) <= set(sets)  # ascending and distinct
    p = special.softmax(LOGITS)
    expected = [MANY * chance_of_set(p, columns) for columns in sets]
    assert stats.chisquare([found.count(columns) for columns in sets], expected).pvalue > ERROR_RATE


def test_as_many_as_there_are_leaves_nothing_to_chance():
    assert draw(rows(count=5), 4, generator()).tolist() == [[0, 1, 2, 3]] * 5


def test_draws_follow_from_the_generator_alone():
    torch.manual_seed(3)
    first = draw(rows(count=50), 1, generator(5))
    torch.manual_seed(4)
    before = torch.get_rng_state()
    assert torch.equal(draw(rows(count=50), 1, generator(5)), first)
    assert not torch.equal(draw(rows(count=50), 1, generator(6)), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_largest_places_are_ascending():
    assert largest(torch.tensor([[0.1, 0.5, 0.4], [3.0, -1.0, 2.0]]), 2).tolist() == [[1, 2], [0, 2]]


def test_what_was_drawn_is_known_on_the_host_and_hot():
    drawn = Drawn({"normal": torch.tensor([[0, 2], [1, 2]])})
    assert drawn.active == {"normal": ((0, 2), (1, 2))}
    assert all(type(column) is int for row in drawn.active["normal"] for column in row)
    hot = drawn.hot("normal", torch.zeros(2, 3, dtype=torch.float64, requires_grad=True))
    assert hot.tolist() == [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    assert hot.dtype == torch.float64
    assert not hot.requires_grad


def test_straight_through_is_exact_forwards_and_the_identity_backwards():
    relaxed = torch.softmax(torch.randn(200, 3, generator=generator(), dtype=torch.float64), -1).requires_grad_()
    drawn = Drawn({"normal": largest(relaxed, 1)})
    weights = drawn.straight_through("normal", relaxed)
    assert torch.equal(weights, drawn.hot("normal", relaxed))
    outer = torch.randn(200, 3, generator=generator(), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((weights * outer).sum(), relaxed)
    assert torch.equal(gradient, outer)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_chance_of_a_draw_is_that_of_the_set(count):
    """By the sum over orders; over all sets the chances sum to one."""
    p = special.softmax(LOGITS)
    sets = list(combinations(range(4), count))
    found = log_chance(torch.log_softmax(rows(count=len(sets)), -1), torch.tensor(sets)).exp()
    assert found.tolist() == pytest.approx([chance_of_set(p, columns) for columns in sets], rel=1e-12)
    assert float(found.sum()) == pytest.approx(1.0, rel=1e-12)


def test_the_chance_keeps_its_digits_where_one_column_has_nearly_all():
    """After the first column 1 - p is a difference of nearly equal numbers, unless the rest is summed: here by hand.

    p = (1, e, 2e) / (1 + 3e): the two orders of {0, 1} have chances p_0 p_1 / (p_1 + p_2) = p_0 / 3 and nearly nothing.
    """
    tiny = 1e-18
    p = torch.tensor([[1.0, tiny, 2 * tiny]], dtype=torch.float64)
    assert float(log_chance(p.log(), torch.tensor([[0, 1]])).exp()) == pytest.approx(1 / 3)
