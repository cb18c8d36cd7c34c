"""Pruned operations: weight zero, the rest of the row scaled up, and nothing of theirs runs."""

import pytest
import torch
from scipy import special, stats

from nasbook import spaces
from nasbook.relaxation import (
    DirichletSample,
    EdgeSoftmax,
    HardGumbel,
    Masked,
    Proximal,
    SinglePath,
    Softmax,
    TwoPaths,
    concentration,
)
from nasbook.selection import magnitude
from nasbook.supernet import Supernet, edges_of

SPACE = spaces.get("s3", nodes=2, reduction="fixed")
KEEPS = [[True, False, True], [False, True, True], [True, True, True], [False, True, False], [True, True, False]]
MASKS = {"normal": torch.tensor(KEEPS)}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def mixed(relaxation, seed=0):
    masked = Masked(relaxation, MASKS)
    alpha = masked.initial(scale=1.0, generator=generator(9))
    return masked(alpha, 0.0, generator(seed)), alpha, masked


@pytest.mark.parametrize("relaxation", [Softmax, EdgeSoftmax, DirichletSample])
def test_the_kept_divide_the_row_by_their_weights(relaxation):
    mixing, alpha, masked = mixed(relaxation(SPACE))
    unmasked = relaxation(SPACE)(alpha, 0.0, generator()).weights["normal"].detach().tolist()
    expected = relaxation(SPACE).expected(alpha, 0.0)["normal"].detach().tolist()
    for whole, found in ((unmasked, mixing.weights), (expected, masked.expected(alpha, 0.0))):
        for row, keeps, weights in zip(whole, KEEPS, found["normal"].tolist(), strict=True):
            left = sum(value for value, keep in zip(row, keeps, strict=True) if keep)
            by_hand = [value / left if keep else 0.0 for value, keep in zip(row, keeps, strict=True)]
            assert weights == pytest.approx(by_hand)


def test_a_masked_softmax_is_the_softmax_of_the_kept_logits_and_so_is_its_gradient():
    mixing, alpha, _ = mixed(Softmax(SPACE))
    outer = torch.randn(5, 3, dtype=torch.float64, generator=generator(1))
    (found,) = torch.autograd.grad((mixing.weights["normal"] * outer).sum(), alpha["normal"])
    for edge, keeps in enumerate(KEEPS):
        kept = [k for k in range(3) if keeps[k]]
        p = special.softmax(alpha["normal"].detach().numpy()[edge, kept])
        assert mixing.weights["normal"][edge, kept].tolist() == pytest.approx(p.tolist())
        mean = float((outer[edge, kept].numpy() * p).sum())
        assert found[edge, kept].tolist() == pytest.approx((p * (outer[edge, kept].numpy() - mean)).tolist())
        assert float(found[edge].abs().sum() - found[edge, kept].abs().sum()) == pytest.approx(0.0, abs=1e-15)


def test_a_masked_dirichlet_is_the_dirichlet_of_the_kept():
    """Two of three weights over their sum are Beta(beta_1, beta_2): the pruned one's share carries no information.

    Kolmogorov-Smirnov: a right sampler fails at one seed in a thousand, and this seed is fixed.
    """
    many = 20_000
    alpha = {"normal": torch.tensor([0.8, -0.5, -1.2], dtype=torch.float64).expand(many, -1).clone()}
    masked = Masked(DirichletSample(SPACE), {"normal": torch.tensor([True, False, True]).expand(many, -1)})
    beta = concentration(alpha["normal"][0]).tolist()
    weights = masked(alpha, 0.0, generator()).weights["normal"][:, 0]
    assert stats.kstest(weights.numpy(), stats.beta(beta[0], beta[2]).cdf).pvalue > 1e-3
    assert stats.kstest(weights.numpy(), stats.beta(beta[0], beta[1]).cdf).pvalue < 1e-6


def test_pruned_operations_do_not_run():
    """Counted in a supernet: an operation is called once a cell where it is kept, and `none` never."""
    mixing, _, _ = mixed(DirichletSample(SPACE))
    assert mixing.active == {"normal": ((0, 2), (1, 2), (0, 1, 2), (1,), (0, 1))}
    supernet = Supernet(SPACE, channels=2, layers=3, classes=10)
    ran = set()
    for index, (_, row, edge) in enumerate(supernet.mixed_edges()):
        for k, operation in enumerate(edge.operations):
            operation.register_forward_hook(lambda *_, place=(index, row, k): ran.add(place))
    supernet(torch.randn(2, 3, 32, 32), mixing.to(torch.device("cpu"), torch.float32))
    edges = [(index, row) for index, (_, row, _) in enumerate(supernet.mixed_edges())]
    names = SPACE.normal.operations
    assert ran == {
        (index, row, k) for index, row in edges for k in range(3) if KEEPS[row][k] and names[row][k] != "none"
    }


def test_of_what_was_drawn_only_the_kept_run():
    """A row in which nothing kept was drawn puts out nothing: weights of zero, not zero divided by zero."""
    outcomes = set()
    for seed in range(20):
        mixing, alpha, _ = mixed(HardGumbel(SPACE), seed)
        drawn = HardGumbel(SPACE)(alpha, 0.0, generator(seed)).active["normal"]
        for row, (columns, keeps) in enumerate(zip(drawn, KEEPS, strict=True)):
            kept = tuple(k for k in columns if keeps[k])
            assert mixing.active["normal"][row] == kept
            assert mixing.weights["normal"][row].tolist() == [float(k in kept) for k in range(3)]
            outcomes.add(len(kept))
        gradient = torch.autograd.grad(mixing.weights["normal"][:, 1].sum(), alpha["normal"])[0]
        assert gradient.isfinite().all()
    assert outcomes == {0, 1}


def test_an_edge_that_an_architecture_drops_stays_dropped():
    """NASP's projection leaves whole rows at zero."""
    mixing, alpha, _ = mixed(Proximal(SPACE, magnitude))
    plain = Proximal(SPACE, magnitude)(alpha, 0.0, generator()).weights["normal"].detach()
    assert torch.equal(mixing.weights["normal"].detach(), plain * MASKS["normal"])


def test_where_nothing_runs_nothing_is_started():
    """A single path leaves an edge of the last node out: an empty row is not the same as None, which means all."""
    mixing, alpha, _ = mixed(SinglePath(SPACE))
    path = SinglePath(SPACE)(alpha, 0.0, generator()).active["normal"]
    assert () in path
    by_hand = tuple(tuple(k for k in row if keeps[k]) for row, keeps in zip(path, KEEPS, strict=True))
    assert mixing.active["normal"] == by_hand


def test_edge_weights_are_not_pruned():
    mixing, alpha, _ = mixed(EdgeSoftmax(SPACE))
    name = edges_of("normal")
    assert torch.equal(mixing.weights[name], EdgeSoftmax(SPACE)(alpha, 0.0, generator()).weights[name])


def test_the_other_relaxation_starts_and_projects():
    masked, other = Masked(TwoPaths(SPACE), MASKS), TwoPaths(SPACE)
    alpha = [each.initial(start=0.3, scale=1.0, generator=generator(2)) for each in (masked, other)]
    assert torch.equal(alpha[0]["normal"], alpha[1]["normal"])
    before = {"normal": alpha[0]["normal"].detach().clone()}
    for each, values in zip((masked, other), alpha, strict=True):
        with torch.no_grad():
            values["normal"][:, 1] += 1.0
        each.project(values, before)
    assert torch.equal(alpha[0]["normal"], alpha[1]["normal"])
    torch.testing.assert_close(alpha[0]["normal"].detach(), before["normal"])  # one moved alone: its share stays
