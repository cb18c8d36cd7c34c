"""The supernet against a second, independent computation, and as a function of its weights."""

import pytest
import torch
from torch.func import functional_call

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces.operations import NAMES, Normalising
from nasbook.supernet import MixedEdge, Mixing, Supernet, one_hot, uniform


def small(name="s2", **changes):
    space = spaces.get(name, nodes=2)
    arguments = {"channels": 4, "layers": 4, "classes": 3} | changes
    return space, Supernet(space, **arguments).double()


def images(batch=4, side=8):
    return torch.randn(batch, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def random_mixing(space, seed=0, grad=False):
    generator = torch.Generator().manual_seed(seed)
    draw = {
        name: torch.rand(cell.shape, dtype=torch.float64, generator=generator).requires_grad_(grad)
        for name, cell in space.groups.items()
    }
    return Mixing(draw)


def plain_forward(supernet, batch, mixing):
    """The same network written as bare sums over nodes and operations, from its own modules."""
    states = [supernet.stem(batch)] * 2
    for cell, plan in zip(supernet.cells, supernet.plans):
        nodes = [cell.preprocess.first(states[-2]), cell.preprocess.second(states[-1])]
        weights = mixing.weights[plan.kind]
        for target in (2, 3):
            terms = [
                weights[index, k] * operation(nodes[source])
                for index, (source, goal) in enumerate(cell.graph.edges)
                if goal == target
                for k, operation in enumerate(cell.edges[index].operations)
            ]
            nodes.append(sum(terms))
        states.append(torch.cat(nodes[2:], dim=1))
    return supernet.classifier(states[-1].mean((2, 3)))


@pytest.mark.parametrize("name", ["darts", "s1", "s2", "s3"])
def test_forward_equals_the_plain_sum_over_operations(name):
    space, supernet = small(name)
    mixing = random_mixing(space)
    torch.testing.assert_close(supernet(images(), mixing), plain_forward(supernet, images(), mixing))


def test_gradient_in_the_weights_against_finite_differences():
    space, supernet = small()
    mixing = random_mixing(space, grad=True)
    loss = supernet(images(), mixing).square().sum()
    (gradient,) = torch.autograd.grad(loss, mixing.weights["normal"])
    step = 1e-6
    for edge, operation in [(0, 0), (2, 1), (4, 0)]:
        sides = []
        for sign in (1, -1):
            moved = {key: value.detach().clone() for key, value in mixing.weights.items()}
            moved["normal"][edge, operation] += sign * step
            sides.append(float(supernet(images(), Mixing(moved)).square().sum().detach()))
        assert float(gradient[edge, operation]) == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-5)


def test_second_derivatives_exist():
    space, supernet = small()
    mixing = random_mixing(space, grad=True)
    loss = supernet(images(), mixing).square().sum()
    first = torch.autograd.grad(loss, mixing.weights["normal"], create_graph=True)[0]
    second = torch.autograd.grad(first[0, 1], mixing.weights["normal"])[0]
    assert second.abs().max() > 0


def test_one_hot_runs_the_architecture_alone():
    """Weights one-hot with everything run give the same scores as running the chosen operations only."""
    space, supernet = small("s1")
    mixing = one_hot(space, space.sample(torch.Generator().manual_seed(3)))
    mixing = mixing.map(lambda values: values.double())
    everything = Mixing(mixing.weights)
    torch.testing.assert_close(supernet(images(), mixing), supernet(images(), everything))


def test_operations_that_do_not_run_are_not_called():
    space, supernet = small("darts")
    calls = []
    for module in supernet.modules():
        if isinstance(module, MixedEdge):
            for name, operation in zip(module.names, module.operations):
                operation.register_forward_hook(lambda *_, name=name: calls.append(name))
    genotype = space.sample(torch.Generator().manual_seed(0))
    supernet(images(), one_hot(space, genotype).map(lambda values: values.double()))
    expected = [name for plan in supernet.plans for name, _ in genotype.cell(plan.kind)]
    assert sorted(calls) == sorted(expected)
    calls.clear()
    supernet(images(), uniform(space).map(lambda values: values.double()))
    assert "none" not in calls  # it adds nothing, so it is never run
    assert len(calls) == 4 * 5 * 7


def test_without_zeros_runs_what_has_a_weight_and_gives_the_same_scores():
    space, supernet = small("s2")
    mixing = random_mixing(space)
    for weights in mixing.weights.values():
        weights[0, 1] = weights[3, 0] = weights[4, 0] = weights[4, 1] = 0.0
    sparse = mixing.without_zeros()
    assert sparse.active["normal"] == ((0,), (0, 1), (0, 1), (1,), ())
    torch.testing.assert_close(supernet(images(), sparse), supernet(images(), mixing))
    fewer = Mixing(mixing.weights, {name: ((1,),) * 5 for name in mixing.weights}).without_zeros()
    assert fewer.active["normal"] == ((), (1,), (1,), (1,), ())


def test_none_lowers_the_others_through_the_softmax_only():
    edge = MixedEdge(("none", "skip_connect"), 4, 1, Normalising(affine=False, running=False))
    batch = torch.randn(2, 4, 8, 8)
    weights = torch.tensor([0.25, 0.75], requires_grad=True)
    output = edge(batch, weights)
    torch.testing.assert_close(output, 0.75 * batch)
    (gradient,) = torch.autograd.grad(output.sum(), weights)
    assert gradient[0] == 0


def test_a_node_whose_edges_do_not_run_holds_zeros():
    space, supernet = small()
    weights = {name: torch.ones(cell.shape, dtype=torch.float64) for name, cell in space.groups.items()}
    nothing = {name: ((),) * cell.shape[0] for name, cell in space.groups.items()}
    logits = supernet(images(), Mixing(weights, nothing))
    torch.testing.assert_close(logits, supernet.classifier.bias.expand(4, 3))


def test_the_supernet_owns_no_architecture_parameters():
    space, supernet = small("darts")
    shapes = {tuple(parameter.shape) for parameter in supernet.parameters()}
    assert not shapes & {cell.shape for cell in space.groups.values()}
    assert all("alpha" not in name for name, _ in supernet.named_parameters())


def test_only_the_stem_has_a_learned_scale():
    _, supernet = small("darts")
    learned = [name for name, module in supernet.named_modules() if getattr(module, "affine", False)]
    assert learned == ["stem.1"]


def test_batch_statistics_are_used_in_both_modes_unless_running_is_asked_for():
    space, supernet = small()
    mixing = random_mixing(space)
    torch.testing.assert_close(supernet.train()(images(), mixing), supernet.eval()(images(), mixing))
    space, kept = small(running=True)
    kept.train()(images(), mixing)
    assert not torch.allclose(kept.train()(images(), mixing), kept.eval()(images(), mixing))


def test_nothing_is_stored_on_the_side():
    """The same arguments give the same scores, also through functional_call with other weights in between."""
    space, supernet = small("darts")
    first, second = random_mixing(space, 1), random_mixing(space, 2)
    before = supernet(images(), first)
    other = {name: value + 1 for name, value in supernet.named_parameters()}
    functional_call(supernet, other, (images(), second))
    torch.testing.assert_close(supernet(images(), first), before, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["toy", "s2"])
def test_fixed_reduction(name):
    space = spaces.get(name, nodes=1 if name == "toy" else 2, reduction="fixed")
    supernet = Supernet(space, channels=4, layers=5, classes=3, stem_stride=2)
    mixing = uniform(space)
    assert set(mixing.weights) == {"normal"}
    assert supernet(torch.randn(2, 3, 16, 16), mixing).shape == (2, 3)
    assert [plan.kind for plan in supernet.plans] == ["normal", "reduce", "normal", "reduce", "normal"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"layers": 1}, "at least 2 cells"),
        ({"layers": 2}, "at least 3 layers"),
        ({"channels": 3}, "even"),
        ({"channels": 0}, "even"),
    ],
)
def test_refusals(changes, says):
    with pytest.raises(UsageError, match=says):
        small(**changes)


def test_one_hot_refuses_a_foreign_architecture():
    with pytest.raises(UsageError, match="not in space s2"):
        one_hot(spaces.get("s2"), spaces.read("DARTS_V2"))


def test_every_operation_is_reached_by_some_space():
    named = {name for each in spaces.names() for name in spaces.get(each).operations}
    assert named <= set(NAMES)
