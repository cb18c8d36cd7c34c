"""The softmax relaxations: simplex, limits, gradient, where alpha lives, and the weights of edges."""

import pytest
import torch
from scipy import special

from nasbook import datasets, sizes, spaces
from nasbook.relaxation import EdgeSoftmax, Softmax
from nasbook.search import Search, recipes
from nasbook.selection import magnitude
from nasbook.supernet import edges_of

SPACE = spaces.get("s3", nodes=2)
FIXED = spaces.get("s3", nodes=2, reduction="fixed")
BENCHMARK = spaces.get("nas-bench-201")


def initial(scale=1e-3, seed=0):
    return Softmax(SPACE).initial(scale=scale, generator=torch.Generator().manual_seed(seed))


def mix(alpha):
    return Softmax(SPACE)(alpha, 0.0, torch.Generator())


def test_initial_parameters_are_small_normal_numbers_by_group():
    alpha = initial()
    assert {name: tuple(value.shape) for name, value in alpha.items()} == {"normal": (5, 3), "reduce": (5, 3)}
    assert all(value.is_leaf and value.requires_grad and value.device.type == "cpu" for value in alpha.values())
    assert float(torch.cat(list(alpha.values())).detach().std()) == pytest.approx(1e-3, rel=0.5)
    assert torch.equal(alpha["normal"], initial()["normal"])


def test_weights_lie_on_the_simplex_and_all_operations_run():
    mixing = mix(initial(scale=3.0))
    for values in mixing.weights.values():
        assert (values > 0).all()
        torch.testing.assert_close(values.sum(-1), torch.ones(5, dtype=torch.float64))
    assert mixing.active is None


def test_one_hot_limit():
    alpha = {"normal": torch.tensor([[0.0, 1.0, 0.5]], dtype=torch.float64)}
    sharp = mix({"normal": 200 * alpha["normal"]}).weights["normal"]
    torch.testing.assert_close(sharp, torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64), atol=1e-12, rtol=0)


def test_gradient_is_the_softmax_jacobian():
    alpha = initial(scale=1.0)["normal"]
    weights = mix({"normal": alpha}).weights["normal"]
    (gradient,) = torch.autograd.grad(weights[0, 1], alpha)
    expected = torch.zeros(5, 3, dtype=torch.float64)
    row = weights[0].detach()
    expected[0] = row[1] * (torch.eye(3, dtype=torch.float64)[1] - row)
    torch.testing.assert_close(gradient, expected)


EDGES = edges_of("normal")


def edge_softmax(space, scale=1.0, seed=0):
    relaxation = EdgeSoftmax(space)
    alpha = relaxation.initial(scale=scale, generator=torch.Generator().manual_seed(seed))
    return relaxation(alpha, 0.0, torch.Generator()), alpha


@pytest.mark.parametrize(("space", "sizes"), [(FIXED, [2, 3]), (BENCHMARK, [1, 2, 3])], ids=["s3", "nas-bench-201"])
def test_edge_weights_are_a_softmax_over_the_edges_into_each_node(space, sizes):
    """Trap of PC-DARTS: not over all edges of the cell. Nodes by hand: their edges stand one after another."""
    mixing, alpha = edge_softmax(space)
    logits, weights = (values[EDGES].detach()[0].tolist() for values in (alpha, mixing.weights))
    for size in sizes:
        node, logits = logits[:size], logits[size:]
        assert weights[:size] == pytest.approx(special.softmax(node).tolist())
        weights = weights[size:]
    assert logits == []


def test_an_edge_gets_the_gradient_of_its_node_alone():
    """With q the weights of a node's edges: d q_e / d beta_f = q_e (delta_ef - q_f) within the node, else zero."""
    mixing, alpha = edge_softmax(FIXED)
    outer = torch.tensor([0.3, -1.0, 2.0, 0.1, 0.7], dtype=torch.float64)
    (found,) = torch.autograd.grad((mixing.edge_weights("normal") * outer).sum(), alpha[EDGES])
    assert (found != 0).all()
    q = mixing.weights[EDGES].detach()[0]
    for node in (slice(0, 2), slice(2, 5)):
        by_hand = q[node] * (outer[node] - (q[node] * outer[node]).sum())
        torch.testing.assert_close(found[0, node], by_hand)


def test_operations_are_weighed_as_without_edge_weights():
    mixing, alpha = edge_softmax(FIXED)
    plain = Softmax(FIXED)({"normal": alpha["normal"]}, 0.0, torch.Generator())
    assert torch.equal(mixing.weights["normal"], plain.weights["normal"])
    assert mixing.active is None
    assert torch.equal(EdgeSoftmax(FIXED).expected(alpha, 0.5)[EDGES], mixing.weights[EDGES])


def test_edge_parameters_are_leaves_that_start_small():
    _, alpha = edge_softmax(FIXED, scale=1e-3)
    assert alpha[EDGES].shape == (1, 5)
    assert alpha[EDGES].is_leaf
    assert 0 < float(alpha[EDGES].detach().abs().max()) < 1e-2
    searched = EdgeSoftmax(SPACE).initial(scale=1.0, generator=torch.Generator())
    assert set(searched) == {"normal", "reduce", "normal edges", "reduce edges"}


def test_parents_that_are_weighed_already_get_no_edge_weights():
    space = spaces.get("nas-bench-1shot1-1")
    mixing, alpha = edge_softmax(space)
    assert set(alpha) == set(mixing.weights) == set(space.groups)


def test_the_search_moves_edge_parameters_by_alpha_s_optimiser():
    """Trap of PC-DARTS: converted to a fresh tensor before their softmax, they would never get a gradient."""
    numbers = {"epochs": 2, "images": 128, "batch": 32, "channels": 4, "layers": 3, "frozen_epochs": 0}
    stage = Search(
        FIXED,
        datasets.load("street_numbers"),
        recipe=recipes.get("pc-darts"),
        numbers=sizes.override(sizes.get("class").of("darts", "pc-darts").search, numbers),
        derive=magnitude,
    )
    before = {name: value.detach().clone() for name, value in stage.alpha.items()}
    stage.step()
    held = {id(value) for group in stage.alpha_optimizer.param_groups for value in group["params"]}
    assert held == {id(value) for value in stage.alpha.values()}
    assert set(before) == {"normal", EDGES}
    assert all((stage.alpha[name].detach() != value).all() for name, value in before.items())
    assert (stage.alpha[EDGES].grad != 0).all()


def test_a_softmax_is_taken_once():
    """Trap: forgotten, rows would not sum to one; taken twice, they would be flatter than scipy's."""
    alpha = initial(scale=3.0)
    found = mix(alpha).weights["normal"].detach().numpy()
    assert found == pytest.approx(special.softmax(alpha["normal"].detach().numpy(), axis=-1))
    assert abs(found - special.softmax(found, axis=-1)).max() > 0.1
