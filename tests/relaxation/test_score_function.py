"""The score function: weight one, its gradient by hand, and its mean against the exact gradient of an expectation."""

import pytest
import torch
from scipy import special, stats

from nasbook import spaces
from nasbook.relaxation import ScoreFunction

SPACE = spaces.get("s3", nodes=2, reduction="fixed")
PARENTS = spaces.get("nas-bench-1shot1-1")
LOGITS = (0.7, -0.4, 1.2)
COSTS = torch.tensor([3.0, -1.0, 0.5], dtype=torch.float64)
MANY = 20_000
ERRORS = 5  # standard errors: a right mean is farther off in one entry of 1.7 million


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(logits=LOGITS, count=MANY):
    return torch.tensor(logits, dtype=torch.float64).expand(count, -1).clone().requires_grad_()


def mix(alpha, seed=0, space=SPACE):
    return ScoreFunction(space)(alpha, 0.0, generator(seed))


def close_on_average(samples, expected):
    """Whether the mean of (samples, K) is as expected, within `ERRORS` standard errors of every entry."""
    return bool(((samples.mean(0) - expected).abs() < ERRORS * samples.std(0) / len(samples) ** 0.5).all())


@pytest.mark.parametrize("space", [SPACE, PARENTS, spaces.get("nas-bench-201")], ids=lambda space: space.name)
def test_weight_exactly_one_on_what_was_drawn_and_nothing_else_runs(space):
    alpha = ScoreFunction(space).initial(start=1.0, scale=2.0, generator=generator())
    mixing = mix(alpha, space=space)
    for name, group in space.groups.items():
        weights = mixing.weights[name].detach()
        assert ((weights == 0.0) | (weights == 1.0)).all()
        assert mixing.active[name] == tuple(tuple(row.nonzero().flatten().tolist()) for row in weights)
        assert {len(columns) for columns in mixing.active[name]} == {group.held}


def test_draws_have_the_frequencies_of_the_softmax():
    """Chi-square: a right sampler fails at one seed in a thousand, and this seed is fixed."""
    drawn = mix({"normal": rows()}, seed=1).weights["normal"].detach().argmax(-1)
    counts = torch.bincount(drawn, minlength=3).numpy()
    assert stats.chisquare(counts, MANY * special.softmax(LOGITS)).pvalue > 1e-3
    assert stats.chisquare(counts, MANY * special.softmax([1.1 * value for value in LOGITS])).pvalue < 1e-6


def test_the_gradient_is_the_credit_of_each_edge_times_that_of_its_log_probability():
    """Trap of DSNAS: grad log p of an edge must be multiplied by the gradient of its own gate, R_e (delta_ik - p_i)."""
    alpha = torch.randn(5, 3, dtype=torch.float64, generator=generator()).requires_grad_()
    mixing = mix({"normal": alpha}, seed=2)
    outputs = torch.randn(5, 3, dtype=torch.float64, generator=generator(3))  # o_k(x) of a scalar edge
    total = (mixing.weights["normal"] * outputs).sum()
    (found,) = torch.autograd.grad(total**2, alpha)
    drawn = torch.tensor([row[0] for row in mixing.active["normal"]])
    credit = 2 * total.detach() * outputs.gather(1, drawn[:, None])  # <dL/dy, o_k>
    hot = torch.nn.functional.one_hot(drawn, 3).double()
    torch.testing.assert_close(found, credit * (hot - torch.softmax(alpha.detach(), -1)))
    assert len(set(credit.flatten().tolist())) == 5  # no edge has another's


def test_an_edge_without_credit_gets_no_gradient():
    alpha = rows(count=2)
    weights = mix({"normal": alpha}).weights["normal"]
    (found,) = torch.autograd.grad(weights[0].sum(), alpha)
    assert (found[0] != 0).all()
    assert (found[1] == 0).all()


def test_its_mean_is_the_gradient_of_an_expected_linear_cost():
    """E f = <p, c> has the gradient p_i (c_i - <p, c>); a single draw's is c_k (delta_ik - p_i)."""
    alpha = rows()
    weights = mix({"normal": alpha}, seed=4).weights["normal"]
    (samples,) = torch.autograd.grad((weights * COSTS).sum(), alpha)
    p = torch.softmax(torch.tensor(LOGITS, dtype=torch.float64), 0)
    exact = p * (COSTS - p @ COSTS)
    assert close_on_average(samples, exact)
    assert not close_on_average(samples, 0.9 * exact)  # there is power to see a tenth


def test_its_mean_where_two_columns_are_drawn():
    """The cost of a set is the sum of its two: E f is a sum over all sets, differentiated by finite differences."""
    logits = torch.tensor(LOGITS, dtype=torch.float64)
    alpha = rows()
    weights = mix({"inputs 3": alpha}, seed=5, space=PARENTS).weights["inputs 3"]
    (samples,) = torch.autograd.grad((weights * COSTS).sum(), alpha)

    def mean_cost(at):
        p = torch.softmax(at, 0)
        # Of three columns two are drawn: in order i then j with p_i p_j / (1 - p_i).
        ordered = [(i, j) for i in range(3) for j in range(3) if i != j]
        return sum(float(p[i] * p[j] / (1 - p[i]) * (COSTS[i] + COSTS[j])) for i, j in ordered)

    steps = 1e-5 * torch.eye(3, dtype=torch.float64)
    exact = torch.tensor([(mean_cost(logits + step) - mean_cost(logits - step)) / 2e-5 for step in steps]).double()
    assert close_on_average(samples, exact)
    assert not close_on_average(samples, 0.9 * exact)


def test_what_is_expected_is_the_softmax():
    found = ScoreFunction(SPACE).expected({"normal": rows(count=1)}, 0.0)["normal"]
    assert found.flatten().tolist() == pytest.approx(special.softmax(LOGITS))
