"""What an operation costs against the networks of architectures, and against counts by hand."""

import pytest
import torch

from nasbook import spaces
from nasbook.spaces import Topology
from nasbook.supernet import EdgeSettings, Supernet, describe, families, operation_costs
from nasbook.supernet.operation_costs import COSTS, IMAGES, latency

SIDE, CLASSES = 16, 3
IMAGE = torch.zeros(IMAGES, 3, SIDE, SIDE)


def table(space, layers, *, channels=8, parts=1, cost="multiply-adds"):
    make = families.of(space).supernet
    supernet = make(space, channels=channels, layers=layers, classes=CLASSES, settings=EdgeSettings(parts))
    return operation_costs.operation_costs(supernet, space, IMAGE, cost)


def total(costs, chosen):
    return sum(
        costs[group][row, list(columns)].sum() for group, rows in chosen.items() for row, columns in enumerate(rows)
    )


@pytest.mark.parametrize(
    ("name", "layers", "nodes"), [("s1", 4, 2), ("s2", 6, 2), ("darts", 3, 1), ("nas-bench-201", 8, None)]
)
def test_neighbours_differ_by_the_cost_of_what_they_exchange(name, layers, nodes):
    """The networks' own multiply-adds, for every operation on every edge, summed over all cells that hold it."""
    space = spaces.get(name, nodes=nodes)
    costs, drawn = table(space, layers), torch.Generator().manual_seed(0)
    start = Topology(("skip_connect",) * 6) if nodes is None else space.sample(drawn)  # every edge leads somewhere
    measure = {"channels": 8, "layers": layers, "classes": CLASSES, "image": (3, SIDE, SIDE)}
    base, seen = describe(start, **measure)["macs"], set()
    for other in space.neighbours(start):
        if isinstance(other, Topology) and "none" in other.operations:
            continue  # what fed it may lead nowhere then, and is not run
        change = total(costs, space.chosen(other)) - total(costs, space.chosen(start))
        assert describe(other, **measure)["macs"] - base == change
        seen.add(float(change))
    assert len(seen) > 2


def test_by_hand_in_the_toy_space():
    """Three cells of 8, 16 and 32 channels, two of them reductions of one convolution; one edge, in the first."""
    space = spaces.get("toy")
    skip, pool, separable = table(space, 3)["normal"][0].tolist()
    assert (skip, pool) == (0, 0)
    assert separable == 2 * (9 * 8 + 8 * 8) * SIDE**2


def test_by_hand_in_a_reduction_cell_and_with_partial_channels():
    """Stride 2 from the cell's inputs: a skip is two 1x1 convolutions to half the channels each."""
    space = spaces.get("s2", nodes=2, reduction="searched")
    for parts in (1, 2, 4):
        costs = table(space, 3, parts=parts)
        assert set(costs) == {"normal", "reduce"}
        assert costs["normal"].dtype == torch.float64
        width, separable, skip = 8 // parts, 0, 0
        assert costs["normal"][:, 0].tolist() == [0] * 5
        assert costs["normal"][:, 1].tolist() == [2 * (9 * width + width**2) * SIDE**2] * 5
        for cell in (1, 2):  # both reductions
            wide, side = 2**cell * width, SIDE // 2**cell
            separable += 2 * (9 * wide + wide**2) * side**2
            skip += wide * wide * side**2
        assert costs["reduce"][:, 0].tolist() == [skip] * 4 + [0]
        assert costs["reduce"][:, 1].tolist() == [separable] * 5


def test_by_hand_in_nas_bench_1shot1():
    """One cell a stack, 8, 16 and 32 channels a node; 16 pixels become 9 and 5 behind padded pools."""
    space = spaces.get("nas-bench-1shot1-1")
    costs = table(space, 3)
    assert set(costs) == {"operations"}  # parents cost nothing by themselves
    area = sum((8 * 2**stack) ** 2 * side**2 for stack, side in enumerate((16, 9, 5)))
    expected = {"maxpool3x3": 0, "conv3x3-bn-relu": 9 * area, "conv1x1-bn-relu": area}
    for row, names in enumerate(space.groups["operations"].operations):
        assert costs["operations"][row].tolist() == [expected[name] for name in names]


def test_none_costs_nothing_by_either_measure_that_is_exact():
    costs = table(spaces.get("s3", nodes=2), 3)["normal"]
    assert costs[:, :2].tolist() == [[0, 0]] * 5
    assert (costs[:, 2] > 0).all()


def test_latencies_are_positive_and_add_up_over_cells(monkeypatch):
    """Each operation of each cell is timed by itself, on the channels that it gets."""
    shapes = []
    monkeypatch.setitem(COSTS, "latency", lambda operation, images: shapes.append(images.shape[1]) or 0.1)
    costs = table(spaces.get("s2", nodes=2, reduction="fixed"), 5, parts=2, cost="latency")
    assert costs["normal"].tolist() == [[0.1 + 0.1 + 0.1] * 2] * 5  # to the last bit of double precision
    assert shapes == [4] * 10 + [8] * 10 + [16] * 10
    monkeypatch.undo()
    with torch.no_grad():
        assert latency(torch.nn.Conv2d(3, 8, 3), IMAGE) > 0


def test_measuring_leaves_the_supernet_as_it_was():
    space = spaces.get("s1", nodes=2)
    supernet = Supernet(space, channels=4, layers=4, classes=CLASSES, running=True)
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    operation_costs.operation_costs(supernet, space, IMAGE, "multiply-adds")
    assert supernet.training
    assert all(torch.equal(before[name], value) for name, value in supernet.state_dict().items())
    assert not any(module._forward_pre_hooks for module in supernet.modules())
