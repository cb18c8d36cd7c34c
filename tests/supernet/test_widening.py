"""A wide operation computes what the narrow one did, channel by channel, and a wide supernet has all that it had."""

import pytest
import torch
from torch import nn

from nasbook import spaces
from nasbook.spaces.operations import NAMES, Normalising
from nasbook.supernet import EdgeSettings, MixedEdge, families, uniform
from nasbook.supernet.widening import Repeat, repeats, widen

CHANNELS, NARROW, WIDE = 24, 4, 2  # of 24 channels 6, then 12, pass through the operations
DETERMINISTIC = [name for name in NAMES if name not in ("none", "noise")]
LAYERS = {"s1": 4, "s4": 4, "nas-bench-201": 5, "nas-bench-1shot1-2": 3}


class OneEdge(nn.Module):
    """What of a supernet widening asks for, with one edge. Its pool shows which channels are repeated."""

    def __init__(self, name, stride, parts):
        super().__init__()
        names, normalising = (name, "max_pool_3x3"), Normalising(affine=True, running=True)
        self.edge = MixedEdge(names, CHANNELS, stride, normalising, settings=EdgeSettings(parts))

    def mixed_edges(self):
        yield "normal", 0, self.edge


def widened(name, stride, seed=0):
    """A narrow edge with weights and statistics of its own, the wide one, and how each tensor grew."""
    generator = torch.Generator().manual_seed(seed)
    narrow, wide = (OneEdge(name, stride, parts).double() for parts in (NARROW, WIDE))
    with torch.no_grad():
        for value in [*narrow.parameters(), *narrow.buffers()]:
            if value.dim():
                value.copy_(torch.rand(value.shape, generator=generator, dtype=torch.float64) + 0.1)
    how = repeats(narrow, wide, generator)
    widen(narrow, wide, how)
    return narrow.edge.operations[0], wide.edge.operations[0], how


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", DETERMINISTIC)
def test_an_operation_computes_what_it_did(name, stride):
    """op_wide(x[:, channels]) = op_narrow(x)[:, repeated]: in training, its statistics after it, and by those."""
    narrow, wide, how = widened(name, stride)
    channels = how["edge.operations.1.norm.running_mean"].outputs  # of the pool beside it, which mixes no channels
    norms = [key for key in how if key.startswith("edge.operations.0.") and key.endswith("running_mean")]
    repeated = how[norms[-1]].outputs if norms else channels
    assert len(channels) == len(repeated) == CHANNELS // WIDE
    counts = torch.bincount(channels)
    assert len(set(counts.tolist())) > 1  # some channels occur more often than others: no common factor undoes it
    generator = torch.Generator().manual_seed(1)
    batch = torch.randn(4, CHANNELS // NARROW, 8, 8, dtype=torch.float64, generator=generator)
    for training in (True, False):
        narrow.train(training), wide.train(training)
        torch.testing.assert_close(wide(batch[:, channels]), narrow(batch)[:, repeated])
        for key in norms:
            local = key.removeprefix("edge.operations.0.")
            old, new = narrow.state_dict(), wide.state_dict()
            for statistic in (local, local.replace("running_mean", "running_var")):
                torch.testing.assert_close(new[statistic], old[statistic][how[key].outputs])
            count = local.replace("running_mean", "num_batches_tracked")
            assert torch.equal(new[count], old[count])


@pytest.mark.parametrize("name", ["none", "noise"])
def test_what_holds_no_tensor_has_none_to_grow(name):
    assert {key.split(".")[2] for key in widened(name, 1)[2]} == {"1"}


def test_every_old_channel_comes_first_and_once_before_any_is_repeated():
    for seed in range(5):
        channels = widened("nor_conv_3x3", 1, seed)[2]["edge.operations.0.conv.weight"].outputs
        assert channels[:6].tolist() == list(range(6))
        assert set(channels.tolist()) == set(range(6))
    drawn = {tuple(widened("nor_conv_3x3", 1, seed)[2]["edge.operations.0.conv.weight"].outputs) for seed in range(5)}
    assert len(drawn) > 1


def test_a_repeat_by_hand():
    """Old input 0 occurs twice among the new ones: its column is halved, so that the sum stays."""
    grow = Repeat(outputs=torch.tensor([0, 1, 1]), inputs=torch.tensor([0, 1, 0]))
    assert grow(torch.tensor([[2.0, 3.0], [4.0, 5.0]])).tolist() == [[1, 3, 1], [2, 5, 2], [2, 5, 2]]
    assert Repeat(torch.tensor([0, 1, 0]))(torch.tensor([7.0, 8.0])).tolist() == [7, 8, 7]


@pytest.mark.parametrize("name", list(LAYERS))
def test_a_supernet_keeps_what_does_not_grow(name):
    nodes = {"nodes": 2} if families.of(spaces.get(name)) is families.FAMILIES["darts"] else {}
    space = spaces.get(name, **nodes)
    narrow, wide = (
        families.of(space).supernet(
            space, channels=8, classes=3, running=True, settings=EdgeSettings(parts), layers=LAYERS[name]
        )
        for parts in (4, 2)
    )
    images, mixing = torch.randn(4, 3, 8, 8), uniform(space)
    narrow(images, mixing)  # statistics of its own
    how = repeats(narrow, wide, torch.Generator().manual_seed(0))
    widen(narrow, wide, how)
    old, new = narrow.state_dict(), wide.state_dict()
    assert old.keys() == new.keys()
    inside = {id(module) for _, _, edge in wide.mixed_edges() for module in edge.operations.modules()}
    owner = {f"{path}.{key}": module for path, module in wide.named_modules() for key in module.state_dict()}
    for key, value in new.items():
        grows = id(owner[key]) in inside and value.dim() > 0
        assert (key in how) == grows, key
        assert torch.equal(value, how[key](old[key]) if grows else old[key]), key
        assert (value.shape == old[key].shape) != grows, key
    assert wide(images, mixing).isfinite().all()
