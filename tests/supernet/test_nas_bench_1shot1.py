"""The supernet of choice blocks: its wiring against a computation by hand, and nothing inactive is run."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces.operations import ConvBNReLU, Pool
from nasbook.supernet import Mixing, NodeSupernet, one_hot, uniform

NAMES = [f"nas-bench-1shot1-{number}" for number in (1, 2, 3)]
TEXT = (
    "1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-0,1 | 3: conv1x1-bn-relu<-0,2 | 4: conv3x3-bn-relu<-1,2 | out<-0,4)"
)


def small(name, **changes):
    space = spaces.get(name)
    return space, NodeSupernet(space, **{"channels": 2, "layers": 3, "classes": 3, **changes}).double()


def images(batch=4, side=6):
    return torch.randn(batch, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def random_mixing(space, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Mixing(
        {
            name: torch.softmax(torch.randn(group.shape, dtype=torch.float64, generator=generator), -1).requires_grad_()
            for name, group in space.groups.items()
        }
    )


def convolved(batch, weight):
    return F.batch_norm(F.conv2d(batch, weight, padding=weight.shape[-1] // 2), None, None, training=True).relu()


def by_hand(supernet, batch, weights, parents):
    """The supernet from its parameters, all of it run; `parents` says how many columns each group of inputs lacks."""
    w = dict(supernet.named_parameters())
    batch = F.conv2d(batch, w["stem.conv.weight"], padding=1)
    batch = F.batch_norm(batch, None, None, w["stem.norm.weight"], w["stem.norm.bias"], training=True).relu()
    a_stack = len(supernet.cells) // 3
    for index in range(len(supernet.cells)):
        if index in (a_stack, 2 * a_stack):
            batch = F.max_pool2d(F.pad(batch, (1, 1, 1, 1), value=-torch.inf), 2)
        states = []
        for node in range(1, parents + 1):
            reads = [convolved(batch, w[f"cells.{index}.projections.{node - 1}.conv.weight"]), *states]
            scales = weights[f"inputs {node}"][0] if f"inputs {node}" in weights else torch.ones(node).double()
            total = sum(scale * read for scale, read in zip(scales, reads, strict=True))
            pool, three, one = weights["operations"][node - 1]
            head = f"cells.{index}.operations.{node - 1}.operations"
            states.append(
                pool * F.max_pool2d(total, 3, 1, 1)
                + three * convolved(total, w[f"{head}.1.conv.weight"])
                + one * convolved(total, w[f"{head}.2.conv.weight"])
            )
        scales = weights["output"][0]
        joined = torch.cat([scale * state for scale, state in zip(scales[1:], states, strict=True)], dim=1)
        batch = joined + scales[0] * convolved(batch, w[f"cells.{index}.to_output.conv.weight"])
    batch = F.batch_norm(F.conv2d(batch.relu(), w["last.conv.weight"]), None, None, training=True)
    return batch.mean((2, 3)) @ w["classifier.weight"].T + w["classifier.bias"]


@pytest.mark.parametrize("name", NAMES)
def test_the_supernet_and_its_gradient_in_the_weights_against_a_computation_by_hand(name):
    space, supernet = small(name, layers=6)
    mixing = random_mixing(space)
    found, expected = supernet(images(), mixing), by_hand(supernet, images(), mixing.weights, len(space.keep))
    torch.testing.assert_close(found, expected)
    leaves = list(mixing.weights.values())
    gradients = torch.autograd.grad(found.square().sum(), leaves)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected.square().sum(), leaves))


@settings(max_examples=12)
@given(st.sampled_from(NAMES), st.integers(0, 999))
def test_one_architecture_equals_the_same_weights_with_everything_run(name, seed):
    space, supernet = small(name)
    cell = space.sample(torch.Generator().manual_seed(seed))
    mixing = one_hot(space, cell).to(torch.device("cpu"), torch.float64)
    for node, parents in zip(cell.nodes, cell.parents):
        if f"inputs {node}" in mixing.weights:
            assert mixing.weights[f"inputs {node}"].sum() == len(parents)
    assert mixing.weights["output"].sum() == len(cell.output)
    expected = by_hand(supernet, images(), mixing.weights, len(space.keep))
    torch.testing.assert_close(supernet(images(), mixing), expected)


def test_one_architecture_written_out():
    """Space 1: node 3 is a loose end, and only node 4 and the projected input are put out."""
    space, supernet = small(NAMES[0])
    block, batch = supernet.cells[0], images()[:, :2]
    mixing = one_hot(space, space.parse(TEXT)).to(torch.device("cpu"), torch.float64)
    project = [convolved(batch, projection.conv.weight) for projection in block.projections]
    one = convolved(project[0], block.operations[0].operations[1].conv.weight)
    two = F.max_pool2d(project[1] + one, 3, 1, 1)
    four = convolved(one + two, block.operations[3].operations[1].conv.weight)
    nothing = torch.zeros_like(four)
    expected = torch.cat([nothing, nothing, nothing, four], dim=1) + convolved(batch, block.to_output.conv.weight)
    seen = []
    block.register_forward_hook(lambda module, arguments, output: seen.append(output))
    block.register_forward_pre_hook(lambda module, arguments: (batch, *arguments[1:]))
    supernet(images(), mixing)
    torch.testing.assert_close(seen[0], expected)


def calls(supernet, mixing):
    """How often each convolution, projection and pool of the first cell runs."""
    counted = {
        name: 0
        for name, module in supernet.cells[0].named_modules()
        if isinstance(module, ConvBNReLU | Pool | nn.MaxPool2d)
    }
    hooks = [
        supernet.cells[0]
        .get_submodule(name)
        .register_forward_hook(
            lambda module, arguments, output, name=name: counted.__setitem__(name, counted[name] + 1)
        )
        for name in counted
    ]
    supernet(images(), mixing)
    for hook in hooks:
        hook.remove()
    return counted


def test_what_is_not_active_is_not_run():
    space, supernet = small(NAMES[0])
    counted = calls(supernet, one_hot(space, space.parse(TEXT)).to(torch.device("cpu"), torch.float64))
    # Node 3 is read by nobody, node 4 does not read the input.
    expected = {"projections.0", "projections.1", "to_output"}
    expected |= {"operations.0.operations.1", "operations.1.operations.0", "operations.3.operations.1"}
    assert {name for name, count in counted.items() if count} == expected
    assert set(counted.values()) == {0, 1}
    everything = calls(supernet, random_mixing(space))
    assert set(everything.values()) == {1}
    assert len(everything) == 4 + 1 + 4 * 3


@pytest.mark.parametrize("name", NAMES)
def test_the_weight_of_what_is_not_active_has_no_gradient_and_no_effect(name):
    space, supernet = small(name)
    mixing, active = random_mixing(space), space.chosen(space.sample(torch.Generator().manual_seed(1)))
    logits = supernet(images(), Mixing(mixing.weights, active))
    held = {name: torch.zeros(group.shape, dtype=torch.float64) for name, group in space.groups.items()}
    for group, rows in active.items():
        for row, columns in enumerate(rows):
            held[group][row, list(columns)] = 1.0
    masked = {group: held[group] * weights for group, weights in mixing.weights.items()}
    torch.testing.assert_close(logits, by_hand(supernet, images(), masked, len(space.keep)))
    gradients = torch.autograd.grad(logits.square().sum(), list(mixing.weights.values()), allow_unused=True)
    for group, gradient in zip(mixing.weights, gradients):
        assert gradient is None or not (gradient * (1 - held[group])).any()


def test_a_cell_of_which_nothing_runs_is_zero():
    space, supernet = small(NAMES[1])
    weights = random_mixing(space).weights
    nothing = {name: ((),) * group.shape[0] for name, group in space.groups.items()}
    seen = []
    supernet.cells[0].register_forward_hook(lambda module, arguments, output: seen.append(output))
    for silent in ("operations", "inputs 2", "output"):
        every = {name: (tuple(range(group.shape[1])),) * group.shape[0] for name, group in space.groups.items()}
        supernet(images(), Mixing(weights, every | {silent: nothing[silent]}))
    without_operations, without_inputs, without_output = seen
    projected = weights["output"][0, 0] * supernet.cells[0].to_output(supernet.stem(images()))
    torch.testing.assert_close(without_operations, projected)
    torch.testing.assert_close(without_inputs[:, 2:4], projected[:, 2:4])
    assert not without_output.any()


def test_weights_of_zero_that_are_left_out_change_nothing():
    space, supernet = small(NAMES[2])
    mixing = random_mixing(space).detach()
    for weights in mixing.weights.values():
        weights[:, 0] = 0.0
    torch.testing.assert_close(supernet(images(), mixing), supernet(images(), mixing.without_zeros()))


def test_sides_and_channels_at_paper_size():
    """32 pixels become 17 and 9 behind padded pools (the released code); 16, 32 and 64 channels a node."""
    space = spaces.get(NAMES[0])
    with torch.device("meta"):
        supernet = NodeSupernet(space, channels=16, layers=9, classes=10)
        shapes = []
        for block in supernet.cells:
            block.register_forward_hook(lambda module, arguments, output: shapes.append(tuple(output.shape[1:])))
        supernet(
            torch.empty(2, 3, 32, 32), Mixing({name: torch.empty(group.shape) for name, group in space.groups.items()})
        )
    assert shapes == [(64, 32, 32)] * 3 + [(128, 17, 17)] * 3 + [(256, 9, 9)] * 3


@pytest.mark.parametrize(
    ("name", "parameters", "norms"),
    [(NAMES[0], 1_101_402, 119), (NAMES[1], 1_101_402, 119), (NAMES[2], 1_509_594, 146)],
)
def test_the_released_parameters_are_counted(name, parameters, norms):
    """Counts of automl/nasbench-1shot1 (optimizers/darts/model_search.py) at 16 channels and 9 cells."""
    supernet = NodeSupernet(spaces.get(name), channels=16, layers=9, classes=10, running=True)
    assert sum(value.numel() for value in supernet.parameters()) == parameters
    assert sum(isinstance(module, nn.BatchNorm2d) for module in supernet.modules()) == norms


def test_all_norms_but_the_last_have_a_learned_scale_and_statistics_run_where_asked():
    space, supernet = small(NAMES[0], running=True)
    norms = {name: module for name, module in supernet.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert [name for name, module in norms.items() if not module.affine] == ["last.norm"]
    assert {module.momentum for module in norms.values()} == {0.1}  # PyTorch's convention: not 0.997
    mixing = random_mixing(space)
    assert not torch.allclose(supernet.train()(images(), mixing), supernet.eval()(images(), mixing))
    _, batches = small(NAMES[0])
    torch.testing.assert_close(batches.train()(images(), mixing), batches.eval()(images(), mixing))


def test_drop_path_acts_in_training_only():
    space, supernet = small(NAMES[0])
    plain = supernet(images(), uniform(space).to(torch.device("cpu"), torch.float64))
    mixing = uniform(space).to(torch.device("cpu"), torch.float64)
    assert not torch.allclose(supernet(images(), mixing, 0.5), plain)
    torch.testing.assert_close(supernet.eval()(images(), mixing, 0.5), plain)


def test_layers_that_cannot_be_shared_are_refused():
    with pytest.raises(UsageError, match=r"3 stacks of equally many cells: .*not 4 layers"):
        small(NAMES[0], layers=4)
