"""The supernet against a second, independent computation, and as a function of its weights."""

import pytest
import torch
from torch.func import functional_call
from torch.nn import functional as F

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces.operations import NAMES, Normalising
from nasbook.supernet import EdgeSettings, MixedEdge, Mixing, Supernet, edges_of, families, one_hot, uniform


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


CONSTANT = Normalising(affine=False, running=False)
NODES = "nas-bench-1shot1-1"


def normalised(batch):
    return (batch - batch.mean((0, 2, 3), keepdim=True)) / (batch.var((0, 2, 3), False, keepdim=True) + 1e-5).sqrt()


def interleaved(batch, groups):
    """The channels in the order 0, C/K, 2C/K, ..., 1, C/K + 1, ...: what a shuffle of K groups makes of them."""
    width = batch.shape[1] // groups
    return batch[:, [group * width + channel for channel in range(width) for group in range(groups)]]


def bypassed(batch, stride):
    """What channels that no operation sees become: as they are, or the largest of each 2x2 block."""
    if stride == 1:
        return batch
    height, width = batch.shape[2] // 2, batch.shape[3] // 2
    return batch.reshape(*batch.shape[:2], height, 2, width, 2).amax((3, 5))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("channels", "parts"), [(8, 4), (8, 2), (6, 3)])
def test_partial_channels_by_hand(channels, parts, stride):
    """Xu et al. 2020, equation 2: the first C / K channels alone reach the operations."""
    names, width = ("none", "max_pool_3x3", "nor_conv_3x3"), channels // parts
    edge = MixedEdge(names, channels, stride, CONSTANT, settings=EdgeSettings(parts)).double()
    generator = torch.Generator().manual_seed(0)
    batch = torch.randn(4, channels, 8, 8, dtype=torch.float64, generator=generator)
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    part, kernel = batch[:, :width], edge.operations[2].conv.weight
    assert kernel.shape == (width, width, 3, 3)
    pooled = normalised(F.max_pool2d(part, 3, stride, padding=1))
    mixed = 0.5 * pooled + 0.3 * normalised(F.conv2d(part.clamp_min(0), kernel, stride=stride, padding=1))
    expected = interleaved(torch.cat([mixed, bypassed(batch[:, width:], stride)], dim=1), parts)
    torch.testing.assert_close(edge(batch, weights), expected)


def test_all_channels_are_the_plain_edge():
    names = ("skip_connect", "sep_conv_3x3")
    plain, edge = MixedEdge(names, 6, 1, CONSTANT), MixedEdge(names, 6, 1, CONSTANT, settings=EdgeSettings(partial=1))
    edge.load_state_dict(plain.state_dict())
    batch, weights = torch.randn(2, 6, 8, 8), torch.tensor([0.3, 0.7])
    by_sum = 0.3 * batch + 0.7 * plain.operations[1](batch)
    assert torch.equal(edge(batch, weights), plain(batch, weights))
    torch.testing.assert_close(edge(batch, weights), by_sum)


def test_channels_that_cannot_be_divided_are_refused():
    with pytest.raises(UsageError, match=r"^6 channels cannot be divided into 4 equal parts\.$"):
        MixedEdge(("skip_connect",), 6, 1, CONSTANT, settings=EdgeSettings(4))


@pytest.mark.parametrize("parts", [1, 2])
def test_edge_weights_multiply_whole_edges(parts):
    """Every cell against sums by hand, the channels that bypass the operations included (equation 3)."""
    space, supernet = small("s2", settings=EdgeSettings(parts))
    mixing = random_mixing(space)
    scales = {edges_of(name): torch.rand(1, 5, dtype=torch.float64) for name in space.groups}
    mixing = Mixing({**mixing.weights, **scales})
    seen = []
    for cell in supernet.cells:
        cell.register_forward_hook(lambda cell, inputs, output: seen.append((cell, inputs[:2], output)))
    supernet(images(), mixing)
    assert {cell.group for cell, _, _ in seen} == {"normal", "reduce"}
    for cell, inputs, output in seen:
        states = cell.preprocess(*inputs)
        for node in (2, 3):
            total = 0
            for index, (source, target) in enumerate(cell.graph.edges):
                if target == node:
                    edge, width = cell.edges[index], states[0].shape[1] // parts
                    weights = mixing.weights[cell.group][index]
                    mixed = sum(weights[k] * edge.operations[k](states[source][:, :width]) for k in (0, 1))
                    beside = bypassed(states[source][:, width:], edge.stride)
                    whole = interleaved(torch.cat([mixed, beside], dim=1), parts)
                    total = total + scales[edges_of(cell.group)][0, index] * whole
            states.append(total)
        torch.testing.assert_close(output, torch.cat(states[2:], dim=1))


@pytest.mark.parametrize("active", [(), (0,)])
def test_an_edge_of_which_nothing_runs_adds_nothing(active):
    """Not even the channels that would bypass its operations; `none` alone is nothing too."""
    names = ("none", "skip_connect")
    edge = MixedEdge(names, 4, 1, CONSTANT, settings=EdgeSettings(2))
    assert edge(torch.randn(2, 4, 8, 8), torch.tensor([0.5, 0.5]), active) is None
    space, supernet = small("s3", settings=EdgeSettings(2))
    every = {name: [(1, 2)] * 5 for name in space.groups}
    mixing = random_mixing(space)
    mixing = Mixing({**mixing.weights, **{edges_of(name): torch.ones(1, 5).double() for name in space.groups}})
    silent = {name: (active, *rows[1:]) for name, rows in every.items()}
    heavy = {edges_of(name): torch.tensor([[0.0, 1, 1, 1, 1]]).double() for name in space.groups}
    without = supernet(images(), Mixing(mixing.weights, silent))
    torch.testing.assert_close(without, supernet(images(), Mixing({**mixing.weights, **heavy})))
    assert not torch.allclose(without, supernet(images(), mixing))


def sampled(space, seed=0):
    """Weights one and zero with a gradient, and what runs: one operation an edge, as GDAS draws it."""
    generator = torch.Generator().manual_seed(seed)
    mixing = one_hot(space, space.sample(generator)).map(lambda values: values.double().requires_grad_())
    return Mixing(mixing.weights, mixing.active)


@pytest.mark.parametrize("name", ["s3", "darts"])
def test_counting_what_is_not_sampled_as_ones_changes_no_score(name):
    space, nothing = small(name)
    _, ones = small(name, settings=EdgeSettings(unsampled="ones"))
    ones.load_state_dict(nothing.state_dict())
    mixing = sampled(space)
    assert torch.equal(ones(images(), mixing), nothing(images(), mixing))


@pytest.mark.parametrize("unsampled", ["nothing", "ones"])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_gradient_of_an_unsampled_weight(unsampled, stride):
    """GDAS's released code: the sum of dL/dy over all elements, as if the operation put out ones; else none."""
    names = ("none", "max_pool_3x3", "sep_conv_3x3")
    edge = MixedEdge(names, 4, stride, CONSTANT, settings=EdgeSettings(unsampled=unsampled)).double()
    batch = torch.randn(2, 4, 8, 8, dtype=torch.float64)
    weights = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
    output = edge(batch, weights, (1,))
    slope = torch.randn_like(output)  # dL/dy
    (gradient,) = torch.autograd.grad((slope * output).sum(), weights)
    summed = slope.sum() if unsampled == "ones" else torch.zeros(()).double()
    expected = torch.stack([summed, (slope * edge.operations[1](batch)).sum(), summed])
    torch.testing.assert_close(gradient, expected)


def test_what_is_not_sampled_counts_as_ones_where_none_is_sampled_too():
    edge = MixedEdge(("none", "skip_connect"), 4, 2, CONSTANT, settings=EdgeSettings(unsampled="ones")).double()
    batch = torch.randn(2, 4, 8, 8, dtype=torch.float64)
    weights = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    output = edge(batch, weights, (0,))
    assert torch.equal(output, torch.zeros(2, 4, 4, 4, dtype=torch.float64))
    assert torch.autograd.grad(output.sum(), weights)[0].tolist() == [0.0, 2 * 4 * 4 * 4]


def test_in_a_supernet_the_cells_that_share_a_weight_add_up():
    space, supernet = small("s2", settings=EdgeSettings(unsampled="ones"))
    mixing, outputs = sampled(space), []
    for group, row, edge in supernet.mixed_edges():
        edge.register_forward_hook(lambda *arguments, at=(group, row): outputs.append((at, arguments[2])))
    loss = supernet(images(), mixing).square().sum()
    edges = [output for _, output in outputs]
    slopes = torch.autograd.grad(loss, edges, retain_graph=True, allow_unused=True)
    for name, weights in mixing.weights.items():
        expected = torch.zeros_like(weights)
        for ((group, row), _), slope in zip(outputs, slopes, strict=True):
            if group == name:
                expected[row] += slope.sum()
        (found,) = torch.autograd.grad(loss, weights, retain_graph=True)
        idle = weights.detach() == 0
        torch.testing.assert_close(found[idle], expected[idle])
        assert idle.any()


@pytest.mark.parametrize("name", ["s2", "nas-bench-201", NODES])
def test_mixed_edges_say_whose_weights_they_have(name):
    space = spaces.get(name)
    supernet = families.of(space).supernet(space, channels=4, layers=5 if name != NODES else 3, classes=3)
    places = list(supernet.mixed_edges())
    assert {id(edge) for _, _, edge in places} == {id(m) for m in supernet.modules() if isinstance(m, MixedEdge)}
    for group, row, edge in places:
        assert space.groups[group].operations[row] == edge.names
    rows = {(group, row) for group, row, _ in places}
    assert rows == {(group, row) for group in dict(rows) for row in range(space.groups[group].shape[0])}
