"""Selection by magnitude: top-2 edges, `none` in the softmax but never chosen."""

from itertools import combinations

import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook import spaces
from nasbook.selection import every_edge, magnitude, top_pairs
from nasbook.supernet import Network, edges_of, one_hot


def weights_for(space, seed):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.softmax(3 * torch.randn(cell.shape, generator=generator), dim=-1)
        for name, cell in space.groups.items()
    }


@given(st.sampled_from(["darts", "s1", "s3", "toy"]), st.integers(0, 10_000))
def test_against_a_search_over_all_choices_of_a_node(name, seed):
    """Each node's pairs maximise the sum of kept scores among all pairs of edges and operations other than none."""
    space = spaces.get(name)
    weights = weights_for(space, seed)
    genotype = magnitude(space, weights)
    space.check(genotype)
    for kind, cell in space.groups.items():
        for node in cell.nodes:
            options = [
                [(float(weights[kind][edge, k]), edge, name) for k, name in enumerate(cell.operations[edge])]
                for edge in cell.into(node)
            ]
            legal = [[entry for entry in row if entry[2] != "none"] for row in options]
            best = max(
                combinations([max(row) for row in legal], min(cell.keep, len(legal))),
                key=lambda picked: sum(entry[0] for entry in picked),
            )
            expected = {(cell.edges[edge][0], node, name) for _, edge, name in best}
            assert {triple for triple in genotype.edges(kind) if triple[1] == node} == expected


def test_none_is_not_chosen_but_lowers_its_edge():
    space = spaces.get("s3", nodes=2, reduction="fixed")
    weights = torch.full((5, 3), 1 / 3)
    weights[2] = torch.tensor([0.9, 0.06, 0.04])  # 0->3 is nearly all none: the other two edges into node 3 are kept
    genotype = magnitude(space, {"normal": weights})
    assert genotype.count("none") == 0
    assert {source for source, target, _ in genotype.edges("normal") if target == 3} == {1, 2}


def test_edge_weights_count_in_which_edges_are_kept_and_not_in_which_operation():
    """Xu et al. 2020, section 3.3: an operation counts by its weight times that of its edge."""
    space = spaces.get("s2", nodes=2, reduction="fixed")
    weights = torch.tensor([[0.6, 0.4], [0.4, 0.6], [0.9, 0.1], [0.3, 0.7], [0.45, 0.55]])  # skip, convolution
    without = magnitude(space, {"normal": weights})
    assert {source for source, target, _ in without.edges("normal") if target == 3} == {0, 1}
    # 0.1 * 0.9 < 0.3 * 0.7 < 0.6 * 0.55: the edge of the surest operation goes
    edges = torch.tensor([[0.5, 0.5, 0.1, 0.3, 0.6]])
    kept = magnitude(space, {"normal": weights, edges_of("normal"): edges})
    assert {edge for edge in kept.edges("normal") if edge[1] == 3} == {(1, 3, "sep_conv_3x3"), (2, 3, "sep_conv_3x3")}


def test_in_nas_bench_201_every_edge_takes_its_largest_and_none_may_win():
    space = spaces.get("nas-bench-201")
    weights = torch.full((6, 5), 0.1)
    for edge, column in enumerate((0, 3, 1, 0, 4, 2)):
        weights[edge, column] = 0.6
    names = ("none", "nor_conv_3x3", "skip_connect", "none", "avg_pool_3x3", "nor_conv_1x1")
    assert magnitude(space, {"normal": weights}).operations == names
    assert magnitude(space, {"normal": torch.full((6, 5), 0.2)}).count("none") == 6  # of equals the earlier


def test_two_edges_are_kept_even_with_the_same_operation():
    space = spaces.get("s2", nodes=2, reduction="fixed")
    weights = torch.tensor([[0.9, 0.1]] * 5)
    genotype = magnitude(space, {"normal": weights})
    assert genotype.count("skip_connect") == 4
    assert {source for source, target, _ in genotype.edges("normal") if target == 3} == {0, 1}  # ties: the earlier edge


def test_the_strongest_edge_of_a_node_comes_first():
    space = spaces.get("s2", nodes=2, reduction="fixed")
    weights = torch.tensor([[0.6, 0.4], [0.2, 0.8], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]])
    assert magnitude(space, {"normal": weights}).normal[0] == ("sep_conv_3x3", 1)


def test_edges_are_looked_up_by_the_cell_not_the_node():
    """In S1 each edge has its own list: an index into another edge's list would name another operation."""
    space = spaces.get("s1")
    weights = {name: torch.full(cell.shape, 0.1) for name, cell in space.groups.items()}
    weights["normal"][13] = torch.tensor([0.2, 0.8])  # 4->5: dil_conv_3x3, dil_conv_5x5
    assert magnitude(space, weights).normal[6] == ("dil_conv_5x5", 4)


def test_in_nas_bench_1shot1_every_node_takes_as_many_strongest_parents_as_it_has():
    """Space 2, decoded by hand: one parent into node 2, two into nodes 3 and 4, three into the output."""
    weights = {
        "operations": torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]]),
        "output": torch.tensor([[0.25, 0.05, 0.3, 0.1, 0.3]]),
        "inputs 2": torch.tensor([[0.4, 0.6]]),
        "inputs 3": torch.tensor([[0.5, 0.2, 0.3]]),
        "inputs 4": torch.tensor([[0.1, 0.3, 0.3, 0.3]]),  # of equals the earlier
    }
    assert str(magnitude(spaces.get("nas-bench-1shot1-2"), weights)) == (
        "1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-1 | 3: conv1x1-bn-relu<-0,2 | 4: maxpool3x3<-1,2 | out<-0,2,4)"
    )


@given(st.sampled_from(["nas-bench-1shot1-1", "nas-bench-1shot1-2", "nas-bench-1shot1-3"]), st.integers(0, 10_000))
def test_in_nas_bench_1shot1_no_neighbour_has_more_weight(name, seed):
    space = spaces.get(name)
    weights = weights_for(space, seed)

    def total(cell):
        chosen = space.chosen(cell)
        return sum(
            weights[name][row, list(columns)].sum() for name in chosen for row, columns in enumerate(chosen[name])
        )

    cell = magnitude(space, weights)
    assert all(total(cell) >= total(other) for other in space.neighbours(cell))


@given(st.sampled_from(["darts", "s1", "s3", "toy"]), st.integers(1, 4), st.integers(0, 10_000))
def test_every_edge_keeps_its_largest_and_none_may_win(name, nodes, seed):
    space = spaces.get(name, nodes=nodes)
    weights = weights_for(space, seed)
    genotype = every_edge(space, weights)
    space.check(genotype)
    for kind, cell in space.groups.items():
        assert tuple((source, target) for source, target, _ in genotype.edges(kind)) == cell.edges
        for edge, (_, _, chosen) in enumerate(genotype.edges(kind)):
            held = weights[kind][edge, cell.operations[edge].index(chosen)]
            assert all(held >= weights[kind][edge, k] for k in range(cell.shape[1]))


def test_every_edge_takes_the_earlier_of_equals():
    space = spaces.get("s3", nodes=2, reduction="fixed")
    weights = {"normal": torch.full((5, 3), 1 / 3)}
    weights["normal"][4] = torch.tensor([0.2, 0.4, 0.4])
    assert every_edge(space, weights).normal == (*(("none", source) for source in (0, 1, 0, 1)), ("skip_connect", 2))


@given(st.sampled_from(["nas-bench-201", "nas-bench-1shot1-2", "toy"]), st.integers(0, 10_000))
def test_elsewhere_every_edge_is_the_rule_of_magnitude(name, seed):
    space = spaces.get(name)
    weights = weights_for(space, seed)
    assert every_edge(space, weights) == magnitude(space, weights)


@given(st.sampled_from(["darts", "s1", "s3", "toy"]), st.integers(1, 4), st.integers(0, 10_000))
def test_the_top_pairs_of_a_node_are_its_largest_weights_without_none(name, nodes, seed):
    space = spaces.get(name, nodes=nodes)
    weights = weights_for(space, seed)
    genotype = top_pairs(space, weights)
    space.check(genotype)
    for kind, cell in space.groups.items():
        for node in cell.nodes:
            every = sorted(
                (float(weights[kind][edge, k]), cell.edges[edge][0], operation)
                for edge in cell.into(node)
                for k, operation in enumerate(cell.operations[edge])
                if operation != "none"
            )
            kept = {(source, operation) for source, target, operation in genotype.edges(kind) if target == node}
            assert kept == {(source, operation) for _, source, operation in every[-cell.keep :]}


def test_both_pairs_of_a_node_may_be_on_one_edge():
    """A network and a one-hot supernet run both operations of such an edge."""
    space = spaces.get("s2", nodes=1, reduction="fixed")
    genotype = top_pairs(space, {"normal": torch.tensor([[0.6, 0.4], [0.3, 0.2]])})
    assert genotype.normal == (("skip_connect", 0), ("sep_conv_3x3", 0))
    assert space.chosen(genotype) == {"normal": ((0, 1), ())}
    assert one_hot(space, genotype).weights["normal"].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert space.parse(str(genotype)) == genotype
    network = Network(genotype, channels=2, layers=3, classes=3)
    network(torch.zeros(2, 3, 16, 16))


@given(st.sampled_from(["nas-bench-201", "nas-bench-1shot1-2"]), st.integers(0, 10_000))
def test_elsewhere_top_pairs_is_the_rule_of_magnitude(name, seed):
    space = spaces.get(name)
    weights = weights_for(space, seed)
    assert top_pairs(space, weights) == magnitude(space, weights)
