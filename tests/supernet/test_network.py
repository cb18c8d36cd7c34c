"""Discrete networks: published sizes, drop path, the auxiliary classifier, multiply-adds."""

import pytest
import torch
from torch import nn

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype
from nasbook.supernet import Network, Supernet, describe, loss_with_auxiliary, multiply_adds, one_hot, parameters
from nasbook.supernet.network import AuxiliaryHead, drop_path
from nasbook.supernet.skeleton import check_image, kinds

PRINTED = [name for name in spaces.published_names() if spaces.published(name).params_million is not None]


@pytest.mark.parametrize("name", PRINTED)
def test_parameters_are_those_that_the_source_prints(name):
    """At 36 channels and 20 layers, to the digits of the source (2 decimals; 1 for DARTS_V2 and PC_DARTS_cifar)."""
    entry = spaces.published(name)
    millions = describe(entry.genotype, channels=36, layers=20, classes=10)["params"] / 1e6
    digits = 1 if name in ("DARTS_V2", "PC_DARTS_cifar") else 2
    assert round(millions, digits) == pytest.approx(entry.params_million)


def test_darts_v2_has_3_349_342_parameters():
    """The number that the released code of DARTS logs for its evaluation network."""
    assert describe(spaces.read("DARTS_V2"), channels=36, layers=20, classes=10)["params"] == 3_349_342


IMAGENET = {"channels": 48, "layers": 14, "classes": 1000, "stem_stride": 8}


def test_the_imagenet_network_of_darts_v2_has_4_718_752_parameters():
    """Published as 4.7 M. Without normalisation, ReLU and pools it has 530 M multiply-adds; the paper says 574 M, and
    users of the released code count 523 M and 545 M (quark0/darts, issue 46)."""
    cost = describe(spaces.read("DARTS_V2"), image=(3, 224, 224), **IMAGENET)
    assert cost == {"params": 4_718_752, "macs": 529_911_552}


@pytest.mark.parametrize(
    ("name", "millions", "published"),
    [("DARTS_V2", 4.7, 574), ("PDARTS", 4.9, 557), ("PC_DARTS_cifar", 5.3, 586), ("PC_DARTS_image", 5.3, 597)],
)
def test_published_counts_on_imagenet(name, millions, published):
    """Liu et al. 2019, Chen et al. 2019 (P-DARTS) and Xu et al. 2020, in millions.

    Convolutions and the classifier alone are counted here. Papers also count normalisation, ReLU and pools, each by a
    rule of its own, so their multiply-adds are a few percent higher.
    """
    network = Network(spaces.read(name), image_channels=3, **IMAGENET).to("meta").eval()
    assert round(parameters(network) / 1e6, 1) == millions
    assert 0.92 * published < multiply_adds(network, (3, 224, 224)) / 1e6 < published


def test_the_imagenet_stem_and_its_auxiliary_classifier_train():
    """Sides 224 -> 56 and 28 at the first cell; the maps behind the second reduction are 7x7."""
    network = Network(spaces.read("DARTS_V2"), channels=4, layers=3, classes=3, stem_stride=8, auxiliary=True).train()
    images, labels = torch.randn(2, 3, 224, 224), torch.tensor([0, 2])
    earlier, later = network.stem(images)
    assert (earlier.shape, later.shape) == ((2, 4, 56, 56), (2, 4, 28, 28))
    norms = [module for module in network.auxiliary if isinstance(module, nn.BatchNorm2d)]
    assert [norm.num_features for norm in norms] == [128]  # as in the released code
    logits, auxiliary = network(images)
    assert logits.shape == auxiliary.shape == (2, 3)
    loss_with_auxiliary((logits, auxiliary), labels, 0.4).backward()
    assert all(value.grad is not None for value in network.parameters())
    with pytest.raises(UsageError, match="7x7"):
        network(torch.randn(2, 3, 256, 256))


def test_multiply_adds_against_a_count_by_hand():
    """Two cells, one skip and one separable convolution a node, counted from the formulas of each layer."""
    genotype = Genotype((("skip_connect", 0), ("sep_conv_3x3", 1)), (2,), (), ())
    found = describe(genotype, channels=4, layers=4, classes=10, image=(3, 8, 8))["macs"]
    stem = 3 * 12 * 9 * 64

    def separable(channels, pixels):
        return 2 * (channels * 9 + channels * channels) * pixels

    normal_first = (12 * 4 + 12 * 4) * 64 + separable(4, 64)
    first_reduction = 4 * 8 * 16
    second_reduction = 8 * 16 * 4
    # The last cell's earlier input (8 channels, 4x4) is halved, the later has 16 channels at 2x2.
    normal_last = 8 * 16 * 4 + 16 * 16 * 4 + separable(16, 4)
    assert kinds(4) == ["normal", "reduce", "reduce", "normal"]
    assert found == stem + normal_first + first_reduction + second_reduction + normal_last + 16 * 10


def test_a_network_equals_its_supernet_with_one_hot_weights():
    """Same weights, same function: only the learned scales (1 and 0 at the start) and pooling norms differ."""
    space = spaces.get("s2", nodes=2)
    genotype = space.sample(torch.Generator().manual_seed(5))
    supernet = Supernet(space, channels=4, layers=4, classes=3, running=False).double()
    network = Network(genotype, channels=4, layers=4, classes=3).double().train()
    for cell, plan, mixed in zip(network.cells, network.plans, supernet.cells):
        cell.preprocess.load_state_dict(mixed.preprocess.state_dict(), strict=False)
        for (source, target, name), operation in zip(genotype.edges(plan.kind), cell.operations):
            edge = mixed.graph.edges.index((source, target))
            chosen = mixed.edges[edge].operations[mixed.edges[edge].names.index(name)]
            operation.load_state_dict(chosen.state_dict(), strict=False)
    network.stem.load_state_dict(supernet.stem.state_dict(), strict=False)
    network.classifier.load_state_dict(supernet.classifier.state_dict())
    batch = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    mixing = one_hot(space, genotype).map(lambda values: values.double())
    torch.testing.assert_close(network(batch)[0], supernet(batch, mixing))


def test_drop_path_drops_whole_images_and_keeps_the_mean():
    torch.manual_seed(0)
    dropped = drop_path(torch.ones(4000, 2, 3, 3), 0.2)
    per_image = dropped.flatten(1)
    assert ((per_image == 0).all(1) | (per_image == 1.25).all(1)).all()
    # 4000 draws: the standard error of the kept share is 0.0063.
    assert abs(float((per_image[:, 0] > 0).double().mean()) - 0.8) < 0.025


def test_identity_skips_are_never_dropped():
    genotype = Genotype(
        (("skip_connect", 0), ("skip_connect", 1)), (2,), (("skip_connect", 0), ("skip_connect", 1)), (2,)
    )
    network = Network(genotype, channels=4, layers=2, classes=3).train()
    normal = Network(genotype, channels=4, layers=4, classes=3).train()
    cell = normal.cells[0]
    state = torch.randn(8, 12, 8, 8)
    torch.manual_seed(0)
    torch.testing.assert_close(cell(state, state, 0.9), cell(state, state, 0.0))
    # In a reduction a skip is a FactorizedReduce, which is dropped.
    reduction = network.cells[0]
    assert not torch.allclose(reduction(state, state, 0.9), reduction(state, state, 0.0))


def test_drop_path_is_for_training_only():
    network = Network(spaces.read("DARTS_V2"), channels=4, layers=3, classes=3).eval()
    batch = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(network(batch, 0.9), network(batch, 0.0))


def test_auxiliary_classifier():
    network = Network(spaces.read("DARTS_V2"), channels=4, layers=3, classes=3, auxiliary=True)
    plain = Network(spaces.read("DARTS_V2"), channels=4, layers=3, classes=3)
    assert parameters(network) == parameters(plain)
    batch, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 0])
    logits, auxiliary = network.train()(batch)
    assert auxiliary is not None
    total = loss_with_auxiliary((logits, auxiliary), labels, 0.4)
    parts = nn.functional.cross_entropy(logits, labels) + 0.4 * nn.functional.cross_entropy(auxiliary, labels)
    torch.testing.assert_close(total, parts)
    assert network.eval()(batch).shape == logits.shape


def test_auxiliary_classifier_layer_by_layer():
    """ReLU, 5x5 average of stride 3 (8x8 -> 2x2), 1x1 to 128, norm, ReLU, 2x2 to 768, norm, ReLU, linear."""
    head = AuxiliaryHead(6, 3).double().eval()
    maps = torch.randn(2, 6, 8, 8, dtype=torch.float64)
    first, second = (module for module in head if isinstance(module, nn.Conv2d))
    averages = [[maps.relu()[:, :, y : y + 5, x : x + 5].mean((2, 3)) for x in (0, 3)] for y in (0, 3)]
    state = torch.stack([torch.stack(row, dim=-1) for row in averages], dim=-2)  # (B, 6, 2, 2)
    scale = (1 + 1e-5) ** -0.5  # running statistics at their start
    state = (torch.einsum("oc,bcyx->boyx", first.weight[:, :, 0, 0], state) * scale).relu()
    state = (torch.einsum("ocyx,bcyx->bo", second.weight, state) * scale).relu()
    torch.testing.assert_close(head(maps), head[-1](state))
    assert (first.out_channels, second.out_channels) == (128, 768)


def test_auxiliary_classifier_reads_the_cell_at_two_thirds():
    """At 20 cells that is cell 13; at 4 it is cell 2, and the cells behind it change nothing."""
    network = Network(spaces.read("DARTS_V2"), channels=4, layers=4, classes=3, auxiliary=True).train()
    read = []
    network.auxiliary.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    made = []
    network.cells[2].register_forward_hook(lambda *passed: made.append(passed[-1]))
    network(torch.randn(2, 3, 32, 32))
    assert read[0] is made[0]
    assert kinds(4)[2] == "reduce"


def test_auxiliary_classifier_refuses_small_maps():
    network = Network(spaces.read("DARTS_V2"), channels=4, layers=3, classes=3, auxiliary=True)
    with pytest.raises(UsageError, match="8x8"):
        network.train()(torch.randn(2, 3, 16, 16))


def test_published_networks_with_five_nodes_run():
    for name in ("NASNet", "AmoebaNet", "ENASNet"):
        network = Network(spaces.read(name), channels=4, layers=3, classes=3).eval()
        assert network(torch.randn(2, 3, 16, 16)).shape == (2, 3)


def test_reductions_stand_at_a_third_and_two_thirds():
    assert [index for index, kind in enumerate(kinds(8)) if kind == "reduce"] == [2, 5]
    assert [index for index, kind in enumerate(kinds(20)) if kind == "reduce"] == [6, 13]


def test_images_that_cannot_be_halved_are_refused():
    with pytest.raises(UsageError, match="multiples of 8"):
        check_image((3, 12, 12), 2, 5)


# The released genotype of SNAS "moderate" with every edge, and by twos
# (SNAS-Series/SNAS-Series:SNAS/genotypes.py@dea7943b6639).
SNAS_MODERATE_EVERY_EDGE = spaces.parse_genotype(
    "Genotype(normal=[('dil_conv_5x5', 0), ('skip_connect', 1), ('sep_conv_3x3', 0), ('skip_connect', 1), ('none', 2), "
    "('skip_connect', 0), ('none', 3), ('none', 2), ('skip_connect', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 1), "
    "('none', 4), ('none', 3), ('none', 2)], normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('sep_conv_5x5', 0), ('none', 2), ('dil_conv_5x5', 1), ('none', 3), ('none', 2), "
    "('sep_conv_5x5', 0), ('sep_conv_5x5', 1), ('none', 4), ('none', 3), ('none', 2), ('sep_conv_5x5', 0), "
    "('sep_conv_5x5', 1)], reduce_concat=range(2, 6))"
)
SNAS_MODERATE = spaces.parse_genotype(
    "Genotype(normal=[('dil_conv_5x5', 0), ('skip_connect', 1), ('sep_conv_3x3', 0), ('skip_connect', 1), "
    "('skip_connect', 0), ('skip_connect', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 1)], normal_concat=range(2, 6), "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_5x5', 0), ('dil_conv_5x5', 1), ('sep_conv_5x5', 0), "
    "('sep_conv_5x5', 1), ('sep_conv_5x5', 0), ('sep_conv_5x5', 1)], reduce_concat=range(2, 6))"
)


def test_none_edges_cost_and_add_nothing():
    """The network of every edge is that of the published cell by twos, edge by edge, drop path included."""
    size = {"channels": 4, "layers": 4, "classes": 3}
    assert describe(SNAS_MODERATE_EVERY_EDGE, **size) == describe(SNAS_MODERATE, **size)
    every, twos = (Network(genotype, **size).double() for genotype in (SNAS_MODERATE_EVERY_EDGE, SNAS_MODERATE))
    for cell in every.cells:
        for (_, _, name), operation in zip(cell.edges, cell.operations, strict=True):
            assert (name == "none") <= (parameters(operation) == 0)
    twos.load_state_dict(dict(zip(twos.state_dict(), every.state_dict().values(), strict=True)))
    batch = torch.randn(4, 3, 16, 16, dtype=torch.float64)
    for probability in (0.0, 0.5):
        logits = []
        for network in (every, twos):
            torch.manual_seed(1)
            logits.append(network(batch, probability)[0])
        torch.testing.assert_close(*logits)


EVERY_EDGE = Genotype(
    (("skip_connect", 0), ("sep_conv_3x3", 1), ("none", 0), ("sep_conv_3x3", 1), ("skip_connect", 2)),
    (2, 3),
    (("sep_conv_3x3", 0), ("none", 1), ("none", 0), ("none", 1), ("none", 2)),
    (2, 3),
)


def test_a_cell_of_every_edge_is_a_sum_by_hand():
    network = Network(EVERY_EDGE, channels=4, layers=3, classes=3).double().eval()
    normal, reduction = network.cells[0], network.cells[1]
    state = torch.randn(2, 12, 8, 8, dtype=torch.float64)
    zero, one = normal.preprocess.first(state), normal.preprocess.second(state)
    two = zero + normal.operations[1](one)
    three = normal.operations[3](one) + two
    torch.testing.assert_close(normal(state, state, 0.0), torch.cat([two, three], dim=1))
    later = torch.randn(2, 8, 8, 8, dtype=torch.float64)
    halved = reduction(state, later, 0.0)
    assert halved.shape == (2, 16, 4, 4)
    torch.testing.assert_close(halved[:, :8], reduction.operations[0](reduction.preprocess.first(state)))
    assert (halved[:, 8:] == 0).all()  # all its edges are `none`


def test_a_network_of_every_edge_trains():
    network = Network(EVERY_EDGE, channels=4, layers=3, classes=3).train()
    batch, labels = torch.randn(6, 3, 8, 8), torch.tensor([0, 1, 2, 0, 1, 2])
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05)
    before = nn.functional.cross_entropy(network(batch)[0], labels)
    before.backward()
    optimiser.step()
    assert nn.functional.cross_entropy(network(batch)[0], labels) < before


def test_a_supernet_runs_an_architecture_of_every_edge():
    """One-hot weights against a sum by hand over the edges that are not `none`."""
    space = spaces.get("s3", nodes=2)
    supernet = Supernet(space, channels=4, layers=3, classes=3, running=False).double()
    batch = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    mixing = one_hot(space, EVERY_EDGE).map(lambda values: values.double())
    states = [supernet.stem(batch)] * 2
    for cell, plan in zip(supernet.cells, supernet.plans):
        nodes = [cell.preprocess.first(states[-2]), cell.preprocess.second(states[-1])]
        for target in (2, 3):
            total = nodes[0][:, :, ::2, ::2] * 0 if plan.kind == "reduce" else nodes[0] * 0
            for source, goal, name in EVERY_EDGE.edges(plan.kind):
                edge = cell.edges[space.normal.edges.index((source, goal))]
                if goal == target and name != "none":
                    total = total + edge.operations[edge.names.index(name)](nodes[source])
            nodes.append(total)
        states.append(torch.cat(nodes[2:], dim=1))
    torch.testing.assert_close(supernet(batch, mixing), supernet.classifier(states[-1].mean((2, 3))))
