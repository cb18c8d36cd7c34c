"""Decided rows: one for what is kept, nothing else runs, and no gradient for what is settled."""

import pytest
import torch

from nasbook import spaces
from nasbook.relaxation import (
    Decided,
    DirichletSample,
    EdgeSoftmax,
    HardGumbel,
    Masked,
    SinglePath,
    Softmax,
    TwoPaths,
)
from nasbook.supernet import Supernet, edges_of

SPACE = spaces.get("s3", nodes=2, reduction="fixed")  # five edges of three operations
KEPT = {1: (2,), 3: (), 4: (0,)}
OPEN = [0, 2]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def decided(relaxation, decisions=None):
    """The mixing with some rows decided, the other relaxation's own at the same draw, and the parameters."""
    made = Decided(relaxation, {"normal": KEPT} if decisions is None else decisions)
    alpha = made.initial(scale=1.0, generator=generator(9))
    return made(alpha, 0.0, generator()), relaxation(alpha, 0.0, generator()), alpha


@pytest.mark.parametrize("relaxation", [Softmax, EdgeSoftmax, DirichletSample, HardGumbel, SinglePath])
def test_decided_rows_are_discrete_and_the_others_as_they_were(relaxation):
    mixing, plain, _ = decided(relaxation(SPACE))
    weights, before = mixing.weights["normal"], plain.weights["normal"]
    for row in range(5):
        if row in KEPT:
            assert weights[row].tolist() == [float(k in KEPT[row]) for k in range(3)]
            assert mixing.active["normal"][row] == KEPT[row]
        else:
            assert torch.equal(weights[row], before[row])
            assert mixing.active["normal"][row] == (plain.running("normal", row) or (0, 1, 2))


def test_decided_rows_have_no_gradient():
    mixing, plain, alpha = decided(Softmax(SPACE))
    outer = torch.randn(5, 3, dtype=torch.float64, generator=generator(1))
    (found,) = torch.autograd.grad((mixing.weights["normal"] * outer).sum(), alpha["normal"])
    (expected,) = torch.autograd.grad((plain.weights["normal"] * outer).sum(), alpha["normal"])
    assert (found[list(KEPT)] == 0).all()
    assert (found[OPEN] != 0).all()
    assert torch.equal(found[OPEN], expected[OPEN])


def test_expected_weights_are_decided_too():
    relaxation = Decided(DirichletSample(SPACE), {"normal": KEPT})
    alpha = relaxation.initial(scale=1.0, generator=generator())
    found, plain = (each.expected(alpha, 0.0)["normal"] for each in (relaxation, DirichletSample(SPACE)))
    assert torch.equal(found[OPEN], plain[OPEN])
    assert found[list(KEPT)].tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]


def test_a_node_may_keep_several_parents():
    space = spaces.get("nas-bench-1shot1-2")
    decisions = {name: {} for name in space.groups} | {"inputs 4": {0: (1, 3)}, "output": {0: (0, 2, 4)}}
    mixing, plain, _ = decided(Softmax(space), decisions)
    assert mixing.weights["inputs 4"].tolist() == [[0, 1, 0, 1]]
    assert mixing.weights["output"].tolist() == [[1, 0, 1, 0, 1]]
    assert mixing.active["inputs 4"] == ((1, 3),)
    for name in ("operations", "inputs 2", "inputs 3"):
        assert torch.equal(mixing.weights[name], plain.weights[name])
        assert mixing.active[name] == (tuple(range(plain.weights[name].shape[1])),) * len(plain.weights[name])


def test_weights_of_whole_edges_are_never_decided():
    mixing, plain, _ = decided(EdgeSoftmax(SPACE))
    assert torch.equal(mixing.weights[edges_of("normal")], plain.weights[edges_of("normal")])


def test_what_is_pruned_stays_so_in_open_rows():
    keeps = torch.tensor([[True, False, True]] * 5)
    mixing, plain, _ = decided(Masked(Softmax(SPACE), {"normal": keeps}))
    assert mixing.active["normal"] == ((0, 2), (2,), (0, 2), (), (0,))
    assert torch.equal(mixing.weights["normal"][OPEN], plain.weights["normal"][OPEN])


def test_more_may_be_decided_at_any_time():
    decisions = {"normal": {}}
    relaxation = Decided(Softmax(SPACE), decisions)
    alpha = relaxation.initial(scale=1.0, generator=generator())
    plain = Softmax(SPACE).expected(alpha, 0.0)["normal"]
    assert torch.equal(relaxation(alpha, 0.0, generator()).weights["normal"], plain)
    decisions["normal"][2] = (1,)
    assert relaxation(alpha, 0.0, generator()).weights["normal"][2].tolist() == [0, 1, 0]


def test_what_is_not_kept_does_not_run():
    mixing, _, _ = decided(Softmax(SPACE))
    supernet, ran = Supernet(SPACE, channels=2, layers=3, classes=10), set()
    for _, row, edge in supernet.mixed_edges():
        for k, operation in enumerate(edge.operations):
            operation.register_forward_hook(lambda *_, place=(row, k): ran.add(place))
    supernet(torch.randn(2, 3, 32, 32), mixing.to(torch.device("cpu"), torch.float32))
    names = SPACE.normal.operations
    runs = {(row, k) for row in range(5) for k in KEPT.get(row, range(3)) if names[row][k] != "none"}
    assert ran == runs


def test_the_other_relaxation_starts_and_projects():
    other = TwoPaths(SPACE)
    relaxation = Decided(other, {"normal": KEPT})
    alpha = [each.initial(start=0.3, scale=1.0, generator=generator(2)) for each in (relaxation, other)]
    assert torch.equal(alpha[0]["normal"], alpha[1]["normal"])
    before = {"normal": alpha[0]["normal"].detach().clone()}
    for each, values in zip((relaxation, other), alpha, strict=True):
        with torch.no_grad():
            values["normal"][:, 1] += 1.0
        each.project(values, before)
    assert torch.equal(alpha[0]["normal"], alpha[1]["normal"])
    torch.testing.assert_close(alpha[0]["normal"].detach(), before["normal"])  # one moved alone: its share stays
