"""Supernets and networks against the released codes: the same weights give the same logits."""

import pytest
import torch
from torch import nn

from nasbook import spaces
from nasbook.selection import magnitude
from nasbook.spaces.nas_bench_201 import parse_topology
from nasbook.supernet import Mixing, Network, multiply_adds, parameters
from nasbook.supernet.nas_bench_1shot1 import NodeSupernet
from nasbook.supernet.nas_bench_201 import TopologyNetwork

from .filled import KNOWN, alphas, check, fill, filled, images, softmax, supernet, wave

TOPOLOGIES = KNOWN["nas_bench_201"]["networks"]


def test_the_supernet_of_darts_and_its_genotype():
    known, net = KNOWN["darts_supernet"], supernet("darts", 8, 5)
    check(net(images(3), softmax(alphas())), known["train"])
    check(net.eval()(images(3), softmax(alphas())), known["evaluation"])
    found = magnitude(spaces.get("darts"), softmax(alphas()).weights)
    assert [list(pair) for pair in found.normal] == known["genotype_normal"]
    assert [list(pair) for pair in found.reduce] == known["genotype_reduce"]
    assert sum(each.numel() for each in supernet("darts", 16, 8).parameters()) == known["parameters_16_8"]


@pytest.mark.parametrize("name", KNOWN["evaluation_networks"])
def test_evaluation_networks(name):
    known, genotype = KNOWN["evaluation_networks"][name], spaces.published(name).genotype
    net = Network(genotype, channels=4, layers=6, classes=10, auxiliary=True).train()
    head = {id(each) for each in net.auxiliary.parameters()}
    fill(sorted(net.parameters(), key=lambda each: id(each) in head))  # the head comes last in the released code
    logits, auxiliary = net(images(3))
    check(logits, known["train"])
    check(auxiliary, known["auxiliary"])
    check(net.eval()(images(3)), known["evaluation"])
    assert parameters(Network(genotype, channels=36, layers=20, classes=10)) == known["parameters_36_20"]


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_networks_of_nas_bench_201(topology):
    architecture, known = parse_topology(topology), TOPOLOGIES[topology]
    logits, _ = filled(TopologyNetwork(architecture, channels=4, layers=5, classes=10))(images(3))
    check(logits, known["logits"])
    assert parameters(TopologyNetwork(architecture, channels=16, layers=17, classes=10)) == known["parameters"]


def test_multiply_adds_of_nas_bench_201():
    """The benchmark counts the classifier's bias too. Where a node leads nowhere, fewer operations run here."""
    topology = next(iter(TOPOLOGIES))  # every node leads to the output
    found = multiply_adds(TopologyNetwork(parse_topology(topology), channels=16, layers=17, classes=10), (3, 32, 32))
    assert found == pytest.approx(1e6 * TOPOLOGIES[topology]["mflops"], abs=20)


@pytest.mark.parametrize("number", KNOWN["nas_bench_1shot1"])
def test_supernets_of_nas_bench_1shot1(number):
    """At the start of a search every learned scale is one. Only the stem's is filled, and kernels and matrices are."""
    space = spaces.get(f"nas-bench-1shot1-{number}")
    net = NodeSupernet(space, channels=4, layers=9, classes=10, running=True).train()
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d) and module is not net.stem.norm]
    ones = {id(each) for norm in norms for each in norm.parameters()}
    fill(each for each in net.parameters() if id(each) not in ones)
    names = ["operations", "output", *(name for name in space.groups if name.startswith("inputs"))]
    phases = {name: 1.0 + place for place, name in enumerate(names)}
    mixing = Mixing({name: torch.softmax(wave(space.groups[name].shape, phases[name]), -1) for name in names})
    check(net(images(3), mixing), KNOWN["nas_bench_1shot1"][number]["logits"])
