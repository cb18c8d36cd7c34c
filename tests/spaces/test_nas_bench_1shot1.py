"""The three spaces of NAS-Bench-1Shot1: published shapes, counts, sampling, neighbours and refusals."""

from itertools import combinations, product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces.nas_bench_101 import OPERATIONS

NAMES = [f"nas-bench-1shot1-{number}" for number in (1, 2, 3)]
# Parents of nodes 1, 2, ... and of the output, as in the released code.
PARENTS = dict(zip(NAMES, [((1, 2, 2, 2), 2), ((1, 1, 2, 2), 3), ((1, 1, 1, 2, 2), 2)]))


@pytest.mark.parametrize(
    ("name", "parameters", "lengths", "size"),
    [(NAMES[0], 24, (3, 4), 14_580), (NAMES[1], 26, (2, 3, 4), 29_160), (NAMES[2], 35, (2, 3, 4, 5), 1_312_200)],
)
def test_groups_and_counts(name, parameters, lengths, size):
    space = spaces.get(name)
    shapes = {group: each.shape for group, each in space.groups.items()}
    nodes = len(PARENTS[name][0])
    assert sum(rows * columns for rows, columns in shapes.values()) == parameters
    assert (shapes.pop("operations"), shapes.pop("output")) == ((nodes, 3), (1, nodes + 1))
    assert tuple(shapes.values()) == tuple((1, length) for length in lengths)
    assert space.size() == size
    assert (space.edges, space.operations, space.family) == (9, OPERATIONS, "nas-bench-1shot1")
    for group in space.groups.values():
        assert (len(group.rows), {len(names) for names in group.operations}) == (group.shape[0], {group.shape[1]})
    assert space.groups["output"].operations[0][0] == "input"
    assert f"{size:,}" in str(space)


@pytest.mark.parametrize("name", NAMES)
def test_all_wirings_by_brute_force_belong_to_the_space_and_nothing_else_does(name):
    """Every way of giving nodes and output their numbers of parents is an architecture, and the counts agree."""
    space, (keep, keep_output) = spaces.get(name), PARENTS[name]
    first = space.sample(torch.Generator().manual_seed(0))
    found = set()
    for parents in product(*(combinations(range(node + 1), count) for node, count in enumerate(keep))):
        for output in combinations(range(len(keep) + 1), keep_output):
            cell = spaces.NodeCell(first.operations, parents, output)
            assert space.architecture(space.chosen(cell)) == cell
            found.add(cell)
    assert len(found) * 3 ** len(keep) == space.size()


@given(st.sampled_from(NAMES), st.integers(0, 9999))
def test_samples_and_their_neighbours_belong_to_the_space(name, seed):
    space = spaces.get(name)
    cell = space.sample(torch.Generator().manual_seed(seed))
    space.check(cell)
    assert space.parse(str(cell)) == cell == space.architecture(space.chosen(cell))
    around = space.neighbours(cell)
    assert len(set(around)) == len(around)
    # Two other operations a node, and each parent exchanged for each node that is none.
    wiring = [(parents, len(space.keep) + 1 if node is None else node) for node, parents in cell.wiring()]
    expected = 2 * len(cell.operations) + sum(len(kept) * (choices - len(kept)) for kept, choices in wiring)
    assert len(around) == expected
    for other in around:
        space.check(other)
        assert cell in space.neighbours(other)
        changes = sum(one != two for one, two in zip(cell.operations, other.operations))
        changes += sum(len(set(one) - set(two)) for (_, one), (_, two) in zip(cell.wiring(), other.wiring()))
        assert changes == 1


def test_sampling_is_uniform():
    """5,000 draws of the output's parents in space 1: ten pairs, each as likely (chi-square, 9 degrees of freedom)."""
    space, generator = spaces.get(NAMES[0]), torch.Generator().manual_seed(0)
    drawn = [space.sample(generator) for _ in range(5000)]
    counts = [sum(cell.output == pair for cell in drawn) for pair in combinations(range(5), 2)]
    assert sum(counts) == 5000
    assert sum((count - 500) ** 2 / 500 for count in counts) < 27.9  # the 0.1 % point
    used = [sum(cell.operations[3] == name for cell in drawn) for name in OPERATIONS]
    assert all(abs(count - 5000 / 3) < 4 * (5000 * 2 / 9) ** 0.5 for count in used)


def test_chosen_columns_by_hand():
    cell = spaces.read(
        "1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-1 | 3: conv1x1-bn-relu<-1,2 | 4: maxpool3x3<-0,3 | out<-0,2,4)"
    )
    assert spaces.get(NAMES[1]).chosen(cell) == {
        "operations": ((1,), (0,), (2,), (0,)),
        "output": ((0, 2, 4),),
        "inputs 2": ((1,),),
        "inputs 3": ((1, 2),),
        "inputs 4": ((0, 3),),
    }
    with pytest.raises(UsageError, match="the number of parents of its node 2 is 1, not 2"):
        spaces.get(NAMES[0]).chosen(cell)
    with pytest.raises(UsageError, match="not in space nas-bench-1shot1-3: it has 4 nodes, not 5"):
        spaces.get(NAMES[2]).parse(str(cell))


def test_the_output_has_its_own_number_of_parents():
    cell = spaces.get(NAMES[0]).sample(torch.Generator().manual_seed(0))
    fewer = spaces.NodeCell(cell.operations, cell.parents, cell.output[:1])
    with pytest.raises(UsageError, match="the number of parents of its output is 1, not 2"):
        spaces.get(NAMES[0]).check(fewer)


@pytest.mark.parametrize("architecture", [spaces.read("DARTS_V2"), "1Shot1(1: maxpool3x3<-0 | out<-1)"])
def test_what_is_no_architecture_of_the_family_is_refused(architecture):
    with pytest.raises(UsageError, match="holds architectures like 1Shot1"):
        spaces.get(NAMES[0]).check(architecture)


def test_a_benchmark_has_one_size():
    for wrong in ({"nodes": 3}, {"reduction": "searched"}):
        with pytest.raises(UsageError, match="one size"):
            spaces.get(NAMES[0], **wrong)
    assert spaces.get(NAMES[0], reduction="fixed") is spaces.get(NAMES[0])
