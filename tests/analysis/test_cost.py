"""Seconds and saved activations of a step."""

import weakref
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasbook import sizes, spaces
from nasbook.analysis import cost
from nasbook.runtime.errors import UsageError
from nasbook.supernet import EdgeSettings, Supernet

SMALL = replace(sizes.get("class").search, batch=4, layers=3, nodes=1, channels=4)


def test_saved_activations_of_a_network_worked_out_by_hand():
    network = nn.Sequential(nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 128))
    images = torch.randn(1024, 256)
    # The first layer keeps its input (a view of the images: one storage), the ReLU its output, which is also what the
    # second layer keeps. Weights are not counted.
    expected = (1024 * 256 + 1024 * 512) * 4 / 2**20
    assert cost.saved_mib(lambda: network(images.view(1024, 256)), network.parameters()) == pytest.approx(expected)


def test_nothing_is_saved_without_gradients():
    network = nn.Linear(8, 8)
    with torch.no_grad():
        assert cost.saved_mib(lambda: network(torch.randn(4, 8)), network.parameters()) == 0


def test_counting_does_not_change_the_gradient():
    space = cost.repeated("sep_conv_3x3", 2, nodes=1)
    supernet = Supernet(space, channels=4, layers=3, classes=10)
    images, mixing = torch.randn(4, 3, 8, 8), cost.uniform(space)
    supernet(images, mixing).sum().backward()
    plain = [value.grad.clone() for value in supernet.parameters()]
    supernet.zero_grad()
    held = []
    cost.saved_mib(lambda: held.append(supernet(images, mixing)), supernet.parameters())
    held[0].sum().backward()
    assert all(torch.equal(value.grad, grad) for value, grad in zip(supernet.parameters(), plain, strict=True))


def test_memory_grows_by_one_operation_at_a_time_and_a_path_does_not_grow():
    costs = cost.against_operations((1, 2, 3, 4), numbers=SMALL, repeats=1)
    full, path = costs[0::2], costs[1::2]
    assert [(each.candidates, each.active) for each in full] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert [(each.candidates, each.active) for each in path] == [(1, 1), (2, 1), (3, 1), (4, 1)]
    steps = [after.saved_mib - before.saved_mib for before, after in pairwise(full)]
    assert steps == pytest.approx([steps[0]] * 3, rel=1e-3)
    assert path[3].saved_mib == pytest.approx(full[0].saved_mib, rel=1e-3)
    assert all(each.seconds > 0 for each in costs)
    assert cost.ratios(full, "saved_mib")[0] == 1.0


def test_fewer_operations_or_fewer_channels_keep_less():
    modes = tuple(cost.MODES.values())
    costs = cost.against_operations((1, 2, 4), numbers=SMALL, modes=modes, both_gradients=True, repeats=1)
    whole, partial, two, one = (costs[place::4] for place in range(4))
    assert [each.active for each in costs] == [1, 1, 1, 1, 2, 2, 2, 1, 4, 4, 2, 1]
    assert two[2].saved_mib == pytest.approx(whole[1].saved_mib, rel=1e-3)
    assert one[2].saved_mib == pytest.approx(whole[0].saved_mib, rel=1e-3)
    added = [each[2].saved_mib - each[1].saved_mib for each in (whole, partial)]
    assert added[1] == pytest.approx(added[0] / 4, rel=1e-3)  # an operation on a quarter of the channels
    with pytest.raises(UsageError, match="cannot be divided"):
        cost.against_operations((1,), numbers=replace(SMALL, channels=6), modes=modes, repeats=1)


def test_a_gradient_in_the_weights_keeps_the_outputs():
    """Three operations on two edges of the one normal cell, on images halved by the stem, in four bytes a number."""
    inner, joint = (
        cost.against_operations((3,), numbers=SMALL, modes=(cost.Mode(),), both_gradients=both, repeats=1)[0].saved_mib
        for both in (False, True)
    )
    kept = 3 * 2 * SMALL.batch * SMALL.channels * 8 * 8 * 4 / cost.MIB
    assert joint - inner == pytest.approx(kept, rel=0.01)


@pytest.mark.parametrize("space", ["darts", "s4"])
@pytest.mark.parametrize("partial", [1, 4])
def test_tensors_without_numbers_are_counted_alike(space, partial):
    def counted(device):
        chosen = spaces.get(space, nodes=2)
        with torch.device(device):
            supernet = Supernet(chosen, channels=8, layers=4, classes=10, settings=EdgeSettings(partial))
            images, labels = torch.zeros(4, 3, 16, 16), torch.zeros(4, dtype=torch.long)
        mixing = cost.uniform(chosen).map(lambda weights: weights.to(device).requires_grad_())
        return cost.saved_mib(lambda: F.cross_entropy(supernet(images, mixing), labels), supernet.parameters())

    assert counted("meta") == counted("cpu")


def test_a_path_gives_gradients_to_its_operations_alone():
    space = cost.repeated("sep_conv_3x3", 3, nodes=1)
    supernet = Supernet(space, channels=4, layers=3, classes=10)
    F.cross_entropy(supernet(torch.randn(4, 3, 8, 8), cost.first_paths(space, 1)), torch.zeros(4).long()).backward()
    first = [parameter.grad is not None for parameter in supernet.cells[0].edges[0].operations[0].parameters()]
    others = [parameter.grad is not None for parameter in supernet.cells[0].edges[0].operations[1].parameters()]
    assert all(first)
    assert not any(others)


def test_the_fastest_round_counts_and_the_first_is_not_timed(monkeypatch):
    durations = iter([9.0, 9.0, 3.0, 1.0, 2.0, 4.0])
    now = [0.0]
    monkeypatch.setattr(cost.time, "perf_counter", lambda: now[0])

    def step():
        now[0] += next(durations)

    assert cost.fastest([step, step], 2, torch.device("cpu")) == [2.0, 1.0]


@pytest.mark.parametrize(("counts", "repeats"), [((), 1), ((0, 1), 1), ((1,), 0)])
def test_what_cannot_be_measured_is_refused(counts, repeats):
    with pytest.raises(UsageError, match="at least"):
        cost.against_operations(counts, numbers=SMALL, repeats=repeats)


def test_counting_leaves_no_activation_behind():
    """ReLU saves its own output: a hook that hands it back as it is would tie the graph to itself."""
    layer, images, outputs = nn.Sequential(nn.Linear(4, 4), nn.ReLU()), torch.randn(8, 4), []

    def forward():
        output = layer(images)
        outputs.append(weakref.ref(output))
        return output

    assert cost.saved_mib(forward, layer.parameters()) > 0
    assert outputs[0]() is None
