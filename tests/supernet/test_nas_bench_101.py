"""Networks of NAS-Bench-101 cells: the benchmark's parameter counts, and the wiring against a computation by hand."""

import pytest
import torch
from torch.nn import functional as F

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces import NodeCell
from nasbook.spaces.nas_bench_101 import Cell101
from nasbook.supernet import Network101, describe, parameters
from nasbook.supernet.nas_bench_101 import check, vertex_channels

MAX, CONV3, CONV1 = "maxpool3x3", "conv3x3-bn-relu", "conv1x1-bn-relu"
TEXT = (
    "1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-0,1 | 3: conv1x1-bn-relu<-1,2 | 4: conv3x3-bn-relu<-0,3 | out<-2,4)"
)


def cell(edges, *operations):
    """A cell with these edges, as "source-target" pairs in one text."""
    count = len(operations) + 2
    pairs = {tuple(map(int, pair.split("-"))) for pair in edges.split()}
    matrix = tuple(tuple(int((row, column) in pairs) for column in range(count)) for row in range(count))
    return Cell101(matrix, ("input", *operations, "output"))


# Cells and counts as the benchmark lists them: the Inception-like cell of its README, and the first of its table.
INCEPTION = cell("0-1 0-2 0-3 0-5 1-6 2-6 3-4 4-6 5-6", CONV1, CONV3, CONV3, CONV3, MAX)
FIRST = cell("0-1 0-4 0-5 1-2 2-3 2-6 3-4 4-5 5-6", CONV3, MAX, CONV3, CONV3, CONV1)


@pytest.mark.parametrize(("listed", "count"), [(INCEPTION, 2_694_282), (FIRST, 8_555_530)])
def test_parameters_are_those_that_the_benchmark_lists(listed, count):
    with torch.device("meta"):
        assert parameters(Network101(listed, channels=128, layers=9, classes=10)) == count


def test_parameters_by_hand():
    """Space 1's cell at 12 channels, one cell a stack: two nodes to the output share the channels."""

    def convolution(kernel, inputs, outputs):
        return kernel**2 * inputs * outputs + 2 * outputs

    total = convolution(3, 3, 12) + 48 * 10 + 10
    for inputs, outputs in ((12, 12), (12, 24), (24, 48)):
        half = outputs // 2
        total += 3 * convolution(1, inputs, half)  # projections into nodes 1, 2 and 4
        total += 2 * convolution(3, half, half) + convolution(1, half, half)
    found = describe(spaces.read(TEXT), channels=12, layers=3, classes=10)
    assert found["params"] == total


def test_multiply_adds_by_hand():
    """32, 16 and 8 pixels wide in the three stacks; pools and batch normalisation are free."""
    chain = NodeCell((CONV3,), ((0,),), (1,))
    by_hand = 27 * 6 * 32**2 + 24 * 10
    for inputs, outputs, side in ((6, 6, 32), (6, 12, 16), (12, 24, 8)):
        by_hand += (inputs * outputs + 9 * outputs**2) * side**2
    assert describe(chain, channels=6, layers=3, classes=10)["macs"] == by_hand


@pytest.mark.parametrize(
    ("listed", "outputs", "channels"),
    [
        (INCEPTION, 128, (32, 32, 32, 32, 32)),
        (INCEPTION, 10, (3, 3, 2, 2, 2)),  # 10 = 3 + 3 + 2 + 2 for vertices 1, 2, 4 and 5; 3 is as wide as 4
        (FIRST, 7, (4, 4, 3, 3, 3)),
        (cell("0-1 1-2 0-2", CONV3), 5, (5,)),
    ],
)
def test_channels_of_the_vertices_by_hand(listed, outputs, channels):
    assert vertex_channels(listed, outputs) == channels


def conv_bn_relu(images, module):
    """In training mode, by batch statistics, from the module's parameters."""
    weight = module.conv.weight
    images = F.conv2d(images, weight, padding=weight.shape[-1] // 2)
    return F.batch_norm(images, None, None, module.norm.weight, module.norm.bias, training=True).relu()


def random_scales(network):
    with torch.no_grad():
        for name, value in network.named_parameters():
            if "norm" in name:
                value.copy_(torch.rand_like(value) + 0.5)


def test_the_network_against_a_computation_by_hand():
    """At 5 channels node 2 gets three and node 4 two, so node 1 has three, node 3 two, and one is cut off."""
    network = Network101(spaces.read(TEXT), channels=5, layers=6, classes=3).double()
    random_scales(network)
    batch = torch.randn(4, 3, 9, 9, dtype=torch.float64)
    images = conv_bn_relu(batch, network.stem)
    for index, block in enumerate(network.cells):
        if index in (2, 4):
            images = F.max_pool2d(F.pad(images, (0, 1, 0, 1), value=-torch.inf), 2)  # odd sides are padded behind
        projected = {vertex: conv_bn_relu(images, module) for vertex, module in block.projections.items()}
        assert set(projected) == {"1", "2", "4"}
        one = conv_bn_relu(projected["1"], block.operations[0])
        two = F.max_pool2d(projected["2"] + one, 3, 1, 1)
        width = block.channels[2]
        three = conv_bn_relu(one[:, :width] + two[:, :width], block.operations[2])
        four = conv_bn_relu(projected["4"] + three, block.operations[3])
        images = torch.cat([two, four], dim=1)
        assert (images.shape[1], block.channels[0] - width) == (5 * 2 ** (index // 2), index < 2)
    logits, nothing = network(batch)
    expected = images.mean((2, 3)) @ network.classifier.weight.T + network.classifier.bias
    torch.testing.assert_close(logits, expected)
    assert nothing is None


def test_the_projected_input_is_added_to_the_output():
    network = Network101(cell("0-1 1-2 0-2", CONV3), channels=4, layers=3, classes=2).double()
    images = torch.randn(3, 4, 6, 6, dtype=torch.float64)
    block = network.cells[0]
    inner = conv_bn_relu(conv_bn_relu(images, block.projections["1"]), block.operations[0])
    expected = conv_bn_relu(images, block.projections["2"]) + inner
    torch.testing.assert_close(block(images, 0.0), expected)
    alone = Network101(cell("0-2", CONV3), channels=4, layers=3, classes=2).cells[0].double()
    torch.testing.assert_close(alone(images, 0.0), conv_bn_relu(images, alone.projections["1"]))


def test_a_loose_end_costs_nothing():
    loose = spaces.read(TEXT.replace("out<-2,4", "out<-0,2"))
    network = Network101(loose, channels=8, layers=3, classes=3)
    short = NodeCell(loose.operations[:2], loose.parents[:2], loose.output)
    assert parameters(network) == parameters(Network101(short, channels=8, layers=3, classes=3))
    network(torch.randn(4, 3, 8, 8))[0].sum().backward()
    assert all(value.grad is not None for value in network.parameters())


def test_drop_path_acts_in_training_only():
    network = Network101(spaces.read(TEXT), channels=8, layers=3, classes=3)
    images = torch.randn(8, 3, 8, 8)
    plain = network(images)[0]
    assert not torch.allclose(network(images, 0.5)[0], plain)
    torch.testing.assert_close(network.eval()(images, 0.5), network(images))


def test_refusals():
    architecture = spaces.read(TEXT)
    for layers in (0, 2, 4, 8):
        with pytest.raises(UsageError, match=rf"3 stacks of equally many cells: .*not {layers} layers"):
            check((3, 32, 32), 1, layers)
    with pytest.raises(UsageError, match="3 stacks"):
        Network101(architecture, channels=8, layers=5, classes=3)
    with pytest.raises(UsageError, match="no auxiliary classifier"):
        Network101(architecture, channels=8, layers=3, classes=3, auxiliary=True)
    with pytest.raises(UsageError, match="joins 4 nodes: it needs at least as many channels, not 3"):
        Network101(INCEPTION, channels=3, layers=3, classes=3)
