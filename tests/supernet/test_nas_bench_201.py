"""NAS-Bench-201: published parameters and multiply-adds, and both networks against a computation by hand."""

import pytest
import torch
from torch.nn import functional as F

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Topology
from nasbook.spaces.nas_bench_201 import EDGES, OPERATIONS
from nasbook.supernet import (
    EdgeSettings,
    Mixing,
    TopologyNetwork,
    TopologySupernet,
    describe,
    edges_of,
    multiply_adds,
    one_hot,
    parameters,
    uniform,
)
from nasbook.supernet.nas_bench_201 import check

SPACE = spaces.get("nas-bench-201")
SKIPS = Topology(("skip_connect",) * 6)
CONVOLUTIONS = Topology(("nor_conv_3x3",) * 6)
NOTHING = Topology(("none",) * 6)


def costs(architecture, classes=10):
    return describe(architecture, channels=16, layers=17, classes=classes)


@pytest.mark.parametrize(
    ("classes", "smallest", "largest"),
    [(10, (0.073306, 7.78305), (1.531546, 220.11969)), (100, (0.079156, 7.7889), (1.537396, 220.12554))],
)
def test_the_smallest_and_the_largest_network_of_the_benchmark(classes, smallest, largest):
    """Its extremes in millions of parameters and multiply-adds; those count the classifier's bias as multiply-adds."""
    for architecture, (params, flops) in ((SKIPS, smallest), (CONVOLUTIONS, largest)):
        found = costs(architecture, classes)
        assert found["params"] == round(params * 1e6)
        assert found["macs"] + classes == round(flops * 1e6)


def test_two_convolutions_cost_what_the_benchmark_lists():
    """0.559386 M parameters and 78.56193 M multiply-adds: cells of two 3x3 convolutions and what is free."""
    text = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|skip_connect~2|"
    assert costs(spaces.read(text)) == {"params": 559_386, "macs": 78_561_930 - 10}


@pytest.mark.parametrize("name", ["nor_conv_1x1", "nor_conv_3x3"])
def test_what_one_convolution_adds_by_hand(name):
    taps = int(name[-1]) ** 2
    found = costs(Topology((*["skip_connect"] * 5, name)))
    stages = [(16, 32), (32, 16), (64, 8)]
    assert found["params"] == 73_306 + sum(5 * (taps * c * c + 2 * c) for c, _ in stages)
    assert found["macs"] == 7_783_040 + sum(5 * taps * c * c * side**2 for c, side in stages)


def test_what_leads_nowhere_is_counted_but_not_run():
    """The convolution into node 1 feeds nothing: the benchmark's parameters hold it, but it can change no result."""
    idle = spaces.read("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|")
    network = TopologyNetwork(idle, channels=4, layers=5, classes=3)
    assert parameters(network) == parameters(
        TopologyNetwork(
            spaces.read("|none~0|+|nor_conv_3x3~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"),
            channels=4,
            layers=5,
            classes=3,
        )
    )
    network(torch.randn(2, 3, 8, 8))[0].sum().backward()
    cell = network.stages.cells[0]
    assert [operation.conv.weight.grad is None for operation in (cell.operations[0], cell.operations[5])] == [
        True,
        False,
    ]
    fewer = TopologyNetwork(Topology(("none", *idle.operations[1:])), channels=4, layers=5, classes=3)
    assert multiply_adds(network, (3, 8, 8)) == multiply_adds(fewer, (3, 8, 8))


def normalised(images):
    mean, variance = images.mean((0, 2, 3), keepdim=True), images.var((0, 2, 3), keepdim=True, unbiased=False)
    return (images - mean) / (variance + 1e-5).sqrt()


def operation_by_hand(name, weight, images):
    if name == "none":
        return torch.zeros_like(images)
    if name == "skip_connect":
        return images
    if name == "avg_pool_3x3":
        ones = torch.ones_like(images)
        return F.avg_pool2d(images, 3, 1, 1) / F.avg_pool2d(ones, 3, 1, 1)
    return normalised(F.conv2d(images.relu(), weight, padding=int(name[-1]) // 2))


def network_by_hand(supernet, images, mixing):
    """The supernet's function from its weights: the published wiring, written out once more."""
    w = dict(supernet.stages.named_parameters())
    weights = mixing.weights["normal"]
    images = normalised(F.conv2d(images, w["stem.0.weight"], padding=1))
    for index in range(5):
        if index in (1, 3):
            inner = normalised(F.conv2d(images.relu(), w[f"cells.{index}.first.conv.weight"], stride=2, padding=1))
            inner = normalised(F.conv2d(inner.relu(), w[f"cells.{index}.second.conv.weight"], padding=1))
            images = inner + F.conv2d(F.avg_pool2d(images, 2), w[f"cells.{index}.shortcut.1.weight"])
            continue
        nodes = [images]
        for target in (1, 2, 3):
            total = torch.zeros_like(images)
            for edge, (source, end) in enumerate(EDGES):
                for column, name in enumerate(OPERATIONS):
                    weight = w.get(f"cells.{index}.edges.{edge}.operations.{column}.conv.weight")
                    if end == target:
                        total = total + weights[edge, column] * operation_by_hand(name, weight, nodes[source])
            nodes.append(total)
        images = nodes[3]
    pooled = normalised(images).relu().mean((2, 3))
    return pooled @ w["classifier.weight"].T + w["classifier.bias"]


def supernet_64(**changes):
    return TopologySupernet(SPACE, **{"channels": 2, "layers": 5, "classes": 3, **changes}).double()


def test_the_supernet_against_a_computation_by_hand():
    supernet, images = supernet_64(), torch.randn(3, 3, 8, 8, dtype=torch.float64)
    generator = torch.Generator().manual_seed(1)
    alpha = torch.randn(6, 5, generator=generator, dtype=torch.float64).requires_grad_()
    mixing = Mixing({"normal": alpha.softmax(-1)})
    logits, expected = supernet(images, mixing), network_by_hand(supernet, images, mixing)
    torch.testing.assert_close(logits, expected)
    read = [alpha, *(value for value in supernet.parameters() if value.dim() == 4)]
    for one, other in zip(
        torch.autograd.grad(logits.square().sum(), read, retain_graph=True),
        torch.autograd.grad(expected.square().sum(), read),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("seed", range(6))
def test_a_network_equals_its_supernet_with_one_hot_weights(seed):
    """Same weights, same function, by hand too: learned scales are 1 and 0 at the start."""
    architecture = SPACE.sample(torch.Generator().manual_seed(seed))
    supernet, images = supernet_64(), torch.randn(3, 3, 8, 8, dtype=torch.float64)
    network = TopologyNetwork(architecture, channels=2, layers=5, classes=3).double()
    weights = dict(supernet.stages.named_parameters())
    with torch.no_grad():
        for name, value in network.stages.named_parameters():
            words = name.split(".")
            if words[2:3] == ["operations"]:  # cells.0.operations.5.conv.weight <- cells.0.edges.5.operations.3. ...
                column = OPERATIONS.index(architecture.operations[int(words[3])])
                words[2:4] = ["edges", words[3], "operations", str(column)]
            source = ".".join(words)
            if source in weights:
                value.copy_(weights[source])
            else:
                assert words[-2] == "norm"  # only learned scales have no counterpart
    mixing = one_hot(SPACE, architecture).to(torch.device("cpu"), torch.float64)
    expected = network_by_hand(supernet, images, mixing)
    torch.testing.assert_close(supernet(images, mixing), expected)
    logits, auxiliary = network(images)
    torch.testing.assert_close(logits, expected)
    assert auxiliary is None


def test_a_cell_of_nothing_still_computes():
    images = torch.randn(2, 3, 8, 8)
    supernet = TopologySupernet(SPACE, channels=2, layers=5, classes=3)
    assert supernet(images, one_hot(SPACE, NOTHING)).shape == (2, 3)
    network = TopologyNetwork(NOTHING, channels=2, layers=5, classes=3)
    logits, _ = network(images)
    assert torch.equal(logits[0], logits[1])  # nothing of the images arrives
    logits.sum().backward()


def test_drop_path_spares_the_skips_of_a_network_alone_and_acts_in_training_only():
    images = torch.randn(8, 3, 8, 8)
    for architecture, changes in ((SKIPS, False), (CONVOLUTIONS, True)):
        network = TopologyNetwork(architecture, channels=2, layers=5, classes=3)
        assert torch.allclose(network(images, 0.5)[0], network(images)[0]) != changes
        network.eval()
        assert torch.equal(network(images, 0.5), network(images))
    supernet = TopologySupernet(SPACE, channels=2, layers=5, classes=3)
    assert not torch.allclose(supernet(images, uniform(SPACE), 0.5), supernet(images, uniform(SPACE)))
    skips = one_hot(SPACE, SKIPS)
    assert not torch.allclose(supernet(images, skips, 0.5), supernet(images, skips))
    supernet.eval()
    assert torch.equal(supernet(images, skips, 0.5), supernet(images, skips))


def test_normalisation_learns_a_scale_only_outside_the_supernets_cells():
    supernet = TopologySupernet(SPACE, channels=2, layers=5, classes=3, running=True)
    scales = {name for name, _ in supernet.stages.named_parameters() if "norm" in name or name.startswith("stem.1")}
    assert not any("edges" in name for name in scales)
    assert {name.split(".")[0] for name in scales} == {"stem", "cells", "norm"}
    assert any("running_mean" in name and "edges" in name for name, _ in supernet.named_buffers())
    assert not list(TopologySupernet(SPACE, channels=2, layers=5, classes=3).buffers())


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 6, 7, 16])
def test_other_numbers_of_layers_are_refused(layers):
    for make in (
        lambda: check((3, 32, 32), 1, layers),
        lambda: TopologySupernet(SPACE, channels=2, layers=layers, classes=3),
        lambda: TopologyNetwork(SKIPS, channels=2, layers=layers, classes=3),
    ):
        with pytest.raises(UsageError, match=r"3N \+ 2 layers .*, not " + str(layers)):
            make()


def test_other_refusals():
    check((3, 8, 8), 2, 8)
    with pytest.raises(UsageError, match="multiples of 4"):
        check((3, 6, 6), 1, 5)
    with pytest.raises(UsageError, match="at least 1, not 0"):
        TopologySupernet(SPACE, channels=0, layers=5, classes=3)
    with pytest.raises(UsageError, match="no auxiliary classifier"):
        TopologyNetwork(SKIPS, channels=2, layers=5, classes=3, auxiliary=True)


def test_edge_weights_multiply_whole_edges():
    """With partial channels: each cell by its edges' own outputs, scaled and summed; what does not run adds nothing."""
    supernet = TopologySupernet(SPACE, channels=4, layers=5, classes=3, settings=EdgeSettings(2)).double()
    weights = {"normal": torch.rand(6, 5, dtype=torch.float64), edges_of("normal"): torch.rand(1, 6).double()}
    active = {"normal": ((0, 1, 2, 3, 4), (1, 3), (2,), (0,), (3, 4), (1,))}
    seen = []
    for cell in supernet.stages.cells[::2]:
        cell.register_forward_hook(lambda cell, inputs, output: seen.append((cell, inputs[0], output)))
    supernet(torch.randn(2, 3, 8, 8, dtype=torch.float64), Mixing(weights, active))
    assert len(seen) == 3
    for cell, batch, output in seen:
        states = [batch]
        for target in (1, 2, 3):
            edges = [index for index, edge in enumerate(EDGES) if edge[1] == target and active["normal"][index] != (0,)]
            outputs = {
                index: cell.edges[index](states[EDGES[index][0]], weights["normal"][index], active["normal"][index])
                for index in edges
            }
            states.append(sum(weights[edges_of("normal")][0, index] * outputs[index] for index in edges))
        torch.testing.assert_close(output, states[3])
