"""Binary gates: their gradient by hand, and what makes two paths of it.

The chi-square tests refuse at a p-value below 0.001: a right sampler fails at one seed in a thousand, and the seeds are
fixed.
"""

import pytest
import torch
from scipy import special, stats
from torch.nn import functional as F

from nasbook import spaces
from nasbook.relaxation import BinaryGates, TwoPaths

SPACE = spaces.get("nas-bench-201")
PARENTS = spaces.get("nas-bench-1shot1-1")
LOGITS = (0.7, -0.4, 0.1, 1.2, -1.0)
MANY = 20_000
ERROR_RATE = 1e-3
ALL = [SPACE, PARENTS, spaces.get("s3", nodes=2, reduction="fixed")]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def initial(space=SPACE, seed=9):
    return BinaryGates(space).initial(scale=1.0, generator=generator(seed))


def rows(count=MANY):
    return {"normal": torch.tensor(LOGITS, dtype=torch.float64).expand(count, -1).clone().requires_grad_()}


def gates_gradient(mixing, alpha):
    """dL/dalpha of an arbitrary smooth loss of the gates, and its dL/dg."""
    gates = mixing.weights["normal"]
    outputs = torch.randn(gates.shape, dtype=torch.float64, generator=generator(3))
    loss = (gates * outputs).sum().tanh() + (gates.square() * outputs).sum()
    return torch.autograd.grad(loss, [alpha["normal"], gates])


def chances(counts):
    """The p-value that these counts were drawn by the softmax of `LOGITS`."""
    return stats.chisquare(counts.numpy(), int(counts.sum()) * special.softmax(LOGITS)).pvalue


@pytest.mark.parametrize("space", ALL, ids=lambda space: space.name)
def test_gates_are_exactly_open_or_shut_and_all_operations_run_for_alpha(space):
    mixing = BinaryGates(space)(initial(space), 0.0, generator())
    assert mixing.active is None
    for name, group in space.groups.items():
        weights = mixing.weights[name].detach()
        assert ((weights == 0.0) | (weights == 1.0)).all()
        assert (weights.sum(-1) == group.held).all()


def test_the_gradient_of_the_gates_is_handed_to_the_probabilities():
    """Equation 4 as a double sum: dL/dalpha_i = sum_j dL/dg_j p_j (delta_ij - p_i)."""
    alpha = initial()
    found, outer = gates_gradient(BinaryGates(SPACE)(alpha, 0.0, generator()), alpha)
    p = special.softmax(alpha["normal"].detach().numpy(), axis=-1)
    for edge in range(6):
        for i in range(5):
            by_hand = sum(float(outer[edge, j]) * p[edge, j] * ((i == j) - p[edge, i]) for j in range(5))
            assert float(found[edge, i]) == pytest.approx(by_hand, rel=1e-10)


def test_the_gradient_reaches_shut_gates():
    alpha = initial()
    weights = BinaryGates(SPACE)(alpha, 0.0, generator()).weights["normal"]
    (found,) = torch.autograd.grad(weights[:, 2].sum(), alpha["normal"])
    assert (weights[:, 2].detach() == 0).any()
    assert (found != 0).all()


@pytest.mark.parametrize("relaxation", [BinaryGates, TwoPaths])
def test_without_a_gradient_one_path_runs_drawn_from_all(relaxation):
    with torch.no_grad():
        mixing = relaxation(SPACE)(rows(), 0.0, generator(1))
    drawn = torch.tensor(mixing.active["normal"])
    assert drawn.shape == (MANY, 1)
    assert torch.equal(mixing.weights["normal"], F.one_hot(drawn.flatten(), 5).double())
    counts = torch.bincount(drawn.flatten(), minlength=5)
    assert chances(counts) > ERROR_RATE
    assert stats.chisquare(counts.numpy(), MANY * special.softmax([1.1 * x for x in LOGITS])).pvalue < 1e-6


def test_with_a_gradient_the_open_gate_is_drawn_from_all():
    gates = BinaryGates(SPACE)(rows(), 0.0, generator(2)).weights["normal"].detach()
    assert chances(gates.sum(0)) > ERROR_RATE


@pytest.mark.parametrize("space", ALL, ids=lambda space: space.name)
def test_two_paths_run_and_one_of_them_is_open(space):
    """In a row that holds two parents, three run and two are open."""
    mixing = TwoPaths(space)(initial(space), 0.0, generator())
    for name, group in space.groups.items():
        weights = mixing.weights[name].detach()
        assert ((weights == 0.0) | (weights == 1.0)).all()
        for row, pair in zip(weights, mixing.active[name], strict=True):
            assert len(set(pair)) == len(pair) == min(group.held + 1, group.shape[1])
            opened = row.nonzero().flatten().tolist()
            assert len(opened) == group.held
            assert set(opened) <= set(pair)


def test_a_pair_is_drawn_without_replacement_and_opened_by_its_shares():
    """The pair {i, j} has the chance p_i p_j / (1 - p_i) + p_j p_i / (1 - p_j), and opens i with p_i / (p_i + p_j)."""
    mixing = TwoPaths(SPACE)(rows(), 0.0, generator(4))
    opened = mixing.weights["normal"].detach().argmax(-1).tolist()
    p = special.softmax(LOGITS)
    found, expected = [], []
    for i in range(5):
        for j in range(i + 1, 5):
            pair = p[i] * p[j] / (1 - p[i]) + p[j] * p[i] / (1 - p[j])
            for one, other in ((i, j), (j, i)):
                events = zip(mixing.active["normal"], opened, strict=True)
                found.append(sum(columns == (i, j) and gate == one for columns, gate in events))
                expected.append(MANY * pair * p[one] / (p[one] + p[other]))
    assert stats.chisquare(found, expected).pvalue > ERROR_RATE


def test_the_gradient_of_two_paths_stays_within_the_pair():
    """With q the softmax of the pair alone: dL/dalpha_i = sum_j in pair dL/dg_j q_j (delta_ij - q_i); else zero."""
    alpha = initial()
    mixing = TwoPaths(SPACE)(alpha, 0.0, generator())
    found, outer = gates_gradient(mixing, alpha)
    for edge, pair in enumerate(mixing.active["normal"]):
        q = dict(zip(pair, special.softmax(alpha["normal"].detach().numpy()[edge, list(pair)]), strict=True))
        for i in range(5):
            by_hand = sum(float(outer[edge, j]) * q[j] * ((i == j) - q[i]) for j in pair) if i in q else 0.0
            assert float(found[edge, i]) == pytest.approx(by_hand, rel=1e-10)
            assert (float(found[edge, i]) != 0.0) == (i in q)


def stepped(steps=3, lr=0.3):
    """Two-path steps of Adam as ProxylessNAS takes them: before and after each, and which operations were sampled."""
    relaxation, alpha = TwoPaths(SPACE), initial()
    optimizer = torch.optim.Adam(alpha.values(), lr, (0.0, 0.999))
    for turn in range(steps):
        mixing = relaxation(alpha, 0.0, generator(turn))
        alpha["normal"].grad = gates_gradient(mixing, alpha)[0]
        before = {"normal": alpha["normal"].detach().clone()}
        optimizer.step()
        moved = alpha["normal"].detach().clone()
        relaxation.project(alpha, before)
        sampled = torch.zeros(6, 5, dtype=torch.bool).scatter(1, torch.tensor(mixing.active["normal"]), True)
        yield before["normal"], moved, alpha["normal"].detach().clone(), sampled


def test_adam_without_momentum_moves_no_operation_that_was_not_sampled():
    """Also at later steps, when Adam remembers squares of earlier gradients; with beta1 = 0.5 it would go on moving."""
    for before, moved, after, sampled in stepped():
        assert torch.equal(moved != before, sampled)
        assert torch.equal(after[~sampled], before[~sampled])


def test_after_the_step_the_pair_keeps_its_share_and_all_others_their_probability():
    for before, moved, after, sampled in stepped():
        p, q, loose = (torch.softmax(values, -1) for values in (before, after, moved))
        torch.testing.assert_close((q * sampled).sum(-1), (p * sampled).sum(-1), rtol=1e-12, atol=0)
        torch.testing.assert_close(q[~sampled], p[~sampled], rtol=1e-12, atol=0)
        # Within the pair the step is the one that Adam took.
        pair = [values[sampled].view(6, 2) for values in (moved, after)]
        torch.testing.assert_close(pair[0].diff(dim=1), pair[1].diff(dim=1))
        assert ((p - q).abs().amax(-1) > 1e-3).all()
        assert ((p - loose)[~sampled].abs() > 1e-3).any()  # without the projection the others would have changed


def test_a_row_that_did_not_move_is_left_as_it_is():
    alpha = initial()
    before = {"normal": alpha["normal"].detach().clone()}
    TwoPaths(SPACE).project(alpha, before)
    assert torch.equal(alpha["normal"].detach(), before["normal"])


@pytest.mark.parametrize("relaxation", [BinaryGates, TwoPaths])
def test_draws_follow_from_the_generator_alone(relaxation):
    state = torch.get_rng_state()
    weights = [relaxation(SPACE)(rows(50), 0.0, generator(seed)).weights["normal"] for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), state)
