"""What perturbation-based selection decides: every row and node once, in the order that is asked for."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook import spaces
from nasbook.selection.choices import Option, all_candidates, stops

ORDERS = ("random", "forward", "backward")
NAMES = ("darts", "s1", "s3", "nas-bench-201", "nas-bench-1shot1-2")


def planned(space, order="random", seed=0, masks=None):
    candidates = all_candidates(space, masks)
    return stops(space, candidates, order=order, generator=torch.Generator().manual_seed(seed))


def places(plan, group, kind="operation"):
    """The rows of a group in the order of their decisions; of nodes the words."""
    choices = [choice for stop in plan for choice in stop if (choice.group, choice.kind) == (group, kind)]
    return [choice.options[0].row if kind == "operation" else choice.where for choice in choices]


def test_the_published_schedule():
    """14 edges, then the 3 nodes that have more than two: 17 stops, at each of which both cells decide one."""
    plan = planned(spaces.get("s3"))
    assert len(plan) == 17
    for stop in plan:
        assert [choice.group for choice in stop] == ["normal", "reduce"]
        assert len({choice.kind for choice in stop}) == 1
    assert [stop[0].kind for stop in plan] == ["operation"] * 14 + ["edges"] * 3
    assert {choice.keep for stop in plan[14:] for choice in stop} == {2}
    assert sorted(len(choice.options) for choice, _ in plan[14:]) == [3, 4, 5]
    assert len(planned(spaces.get("nas-bench-201"))) == 6


@given(st.sampled_from(NAMES), st.sampled_from(ORDERS), st.integers(0, 1000))
def test_every_row_and_every_node_is_decided_once_and_rows_come_first(name, order, seed):
    space = spaces.get(name)
    plan = planned(space, order, seed)
    kinds = ["edges" if any(choice.kind == "edges" for choice in stop) else "operation" for stop in plan]
    assert kinds == sorted(kinds, reverse=True)
    for group, cell in space.groups.items():
        assert sorted(places(plan, group)) == list(range(cell.shape[0]))
        nodes = places(plan, group, "edges")
        full = [f"node {node}" for node in cell.nodes if len(cell.into(node)) > 2] if name[0] in "ds" else []
        assert sorted(nodes) == sorted(full)


@pytest.mark.parametrize("name", NAMES)
def test_forward_goes_from_the_input_to_the_output_and_backward_the_other_way(name):
    space = spaces.get(name)
    for group, cell in space.groups.items():
        rows = list(range(cell.shape[0]))
        assert places(planned(space, "forward"), group) == rows
        assert places(planned(space, "backward"), group) == rows[::-1]
    if name == "s3":
        nodes = ["node 3", "node 4", "node 5"]
        assert places(planned(space, "forward"), "reduce", "edges") == nodes
        assert places(planned(space, "backward"), "reduce", "edges") == nodes[::-1]


def test_a_random_order_follows_from_its_generator_and_differs_between_the_cells():
    space = spaces.get("s3")
    first, again, other = (places(planned(space, seed=seed), "normal") for seed in (0, 0, 1))
    assert first == again
    assert first not in (other, sorted(first), places(planned(space), "reduce"))


def test_each_place_in_the_random_order_is_as_likely_as_another():
    """Which of five edges comes first, over 1000 seeds: 200 each, give or take five deviations."""
    space = spaces.get("s3", nodes=2, reduction="fixed")
    firsts = [places(planned(space, seed=seed), "normal")[0] for seed in range(1000)]
    assert all(abs(firsts.count(row) - 200) < 5 * (1000 * 0.2 * 0.8) ** 0.5 for row in range(5))


def test_none_is_a_candidate_where_an_architecture_may_hold_it():
    for name, allowed in (("darts", False), ("s3", False), ("nas-bench-201", True)):
        space = spaces.get(name)
        for group, rows in all_candidates(space, None).items():
            for names, columns in zip(space.groups[group].operations, rows, strict=True):
                chosen = [names[k] for k in columns]
                assert ("none" in chosen) == allowed
                assert [name for name in chosen if name != "none"] == [name for name in names if name != "none"]


def test_every_edge_of_s1_chooses_among_its_own_two_operations():
    space = spaces.get("s1")
    for choice in (choice for stop in planned(space) for choice in stop if choice.kind == "operation"):
        row = choice.options[0].row
        assert choice.where == space.groups[choice.group].rows[row]
        assert tuple(option.name for option in choice.options) == space.groups[choice.group].operations[row]
        assert [(option.row, option.columns) for option in choice.options] == [(row, (0,)), (row, (1,))]


def test_an_edge_is_an_option_with_all_its_operations():
    plan = planned(spaces.get("s3", nodes=2, reduction="fixed"))
    (choice,) = plan[-1]
    assert (choice.kind, choice.where, choice.keep) == ("edges", "node 3", 2)
    edges = (("0→3", 2), ("1→3", 3), ("2→3", 4))
    assert choice.options == tuple(Option(words, edge, (0, 1, 2)) for words, edge in edges)


def test_in_nas_bench_1shot1_nodes_choose_as_many_parents_as_they_have():
    space = spaces.get("nas-bench-1shot1-2")
    choices = {(choice.group, choice.where): choice for stop in planned(space) for choice in stop}
    assert {group: choice.keep for (group, _), choice in choices.items()} == {
        "operations": 1,
        "output": 3,
        "inputs 2": 1,
        "inputs 3": 2,
        "inputs 4": 2,
    }
    assert len(choices) == 4 + 1 + 3
    (output,) = [choice for (group, _), choice in choices.items() if group == "output"]
    assert [option.name for option in output.options] == ["input", "node 1", "node 2", "node 3", "node 4"]


def test_what_is_pruned_is_no_option():
    space = spaces.get("s3", nodes=1, reduction="fixed")  # two edges of none, skip and convolution
    masks = {"normal": torch.tensor([[True, True, False], [True, False, True]])}
    assert all_candidates(space, masks) == {"normal": ((1,), (2,))}
    options = {choice.where: [each.name for each in choice.options] for (choice,) in planned(space, masks=masks)}
    assert options == {"0→2": ["skip_connect"], "1→2": ["sep_conv_3x3"]}
