"""Search spaces: published lists and counts, sampling, neighbours."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype

DARTS_FAMILY = [name for name in spaces.names() if spaces.family(name) == "darts"]
# The lists of S1 a second time, by edge and in full names (Zela et al. 2020, appendix; the authors' released code).
S1_NORMAL = {
    (0, 2): {"skip_connect", "dil_conv_3x3"},
    (1, 2): {"skip_connect", "dil_conv_5x5"},
    (0, 3): {"skip_connect", "dil_conv_5x5"},
    (1, 3): {"skip_connect", "sep_conv_3x3"},
    (2, 3): {"skip_connect", "dil_conv_3x3"},
    (0, 4): {"max_pool_3x3", "skip_connect"},
    (1, 4): {"skip_connect", "sep_conv_3x3"},
    (2, 4): {"skip_connect", "sep_conv_3x3"},
    (3, 4): {"skip_connect", "dil_conv_3x3"},
    (0, 5): {"skip_connect", "sep_conv_3x3"},
    (1, 5): {"max_pool_3x3", "skip_connect"},
    (2, 5): {"skip_connect", "dil_conv_3x3"},
    (3, 5): {"dil_conv_3x3", "dil_conv_5x5"},
    (4, 5): {"dil_conv_3x3", "dil_conv_5x5"},
}
S1_REDUCE = {
    (0, 2): {"max_pool_3x3", "avg_pool_3x3"},
    (1, 2): {"max_pool_3x3", "dil_conv_3x3"},
    (0, 3): {"max_pool_3x3", "avg_pool_3x3"},
    (1, 3): {"max_pool_3x3", "avg_pool_3x3"},
    (2, 3): {"skip_connect", "dil_conv_5x5"},
    (0, 4): {"max_pool_3x3", "avg_pool_3x3"},
    (1, 4): {"max_pool_3x3", "sep_conv_3x3"},
    (2, 4): {"skip_connect", "dil_conv_3x3"},
    (3, 4): {"skip_connect", "dil_conv_5x5"},
    (0, 5): {"max_pool_3x3", "avg_pool_3x3"},
    (1, 5): {"max_pool_3x3", "avg_pool_3x3"},
    (2, 5): {"skip_connect", "dil_conv_5x5"},
    (3, 5): {"skip_connect", "dil_conv_5x5"},
    (4, 5): {"skip_connect", "dil_conv_5x5"},
}


@pytest.mark.parametrize(("kind", "lists"), [("normal", S1_NORMAL), ("reduce", S1_REDUCE)])
def test_s1_has_the_published_list_on_every_edge(kind, lists):
    cell = spaces.get("s1").groups[kind]
    assert {edge: set(names) for edge, names in zip(cell.edges, cell.operations)} == lists


def test_published_architectures_of_s1_lie_in_s1():
    for name in ("SDARTS_RS_s1", "SDARTS_ADV_s1", "DARTS_PT_s1", "DARTS_PT_fixed_alpha_s1", "DARTS_s1_collapsed"):
        spaces.get("s1").check(spaces.read(name))


def test_edges_are_grouped_by_target_with_sources_ascending():
    edges = spaces.get("darts").normal.edges
    assert len(edges) == 14
    assert edges == tuple(sorted(edges, key=lambda edge: (edge[1], edge[0])))


@pytest.mark.parametrize(("name", "entries"), [("s1", 56), ("s2", 56), ("s3", 84), ("s4", 56), ("darts", 224)])
def test_alpha_is_as_large_as_in_the_published_logs(name, entries):
    """Side of the published Hessians: 56, 84 (RobustDARTS logs) and 224."""
    assert sum(edges * ops for edges, ops in (cell.shape for cell in spaces.get(name).groups.values())) == entries


def test_the_darts_space_has_the_size_that_the_paper_prints():
    """Liu et al. 2019, section 3.1: about 10^9 cells of each type, before isomorphism: prod_k (k+1)k/2 * 7^2."""
    by_formula = 1
    for node in range(1, 5):
        by_formula *= (node + 1) * node // 2 * 7**2
    assert spaces.get("darts").normal.size() == by_formula
    assert spaces.get("darts").size() == by_formula**2


@pytest.mark.parametrize("name", [name for name in DARTS_FAMILY if name != "darts"])
def test_size_equals_a_count_by_brute_force(name):
    space = spaces.get(name, nodes=2, reduction="fixed")
    cell = space.normal
    found = set()
    for choice in product(*[[None, *cell.choices(edge)] for edge in range(len(cell.edges))]):
        kept = [edge for edge, operation in enumerate(choice) if operation]
        if all(len([edge for edge in cell.into(node) if edge in kept]) == cell.keep for node in cell.nodes):
            found.add(choice)
    assert space.size() == len(found)


@given(st.sampled_from(DARTS_FAMILY), st.integers(1, 4), st.sampled_from(["searched", "fixed"]), st.integers(0, 999))
def test_samples_and_their_neighbours_belong_to_the_space(name, nodes, reduction, seed):
    space = spaces.get(name, nodes=nodes, reduction=reduction)
    genotype = space.sample(torch.Generator().manual_seed(seed))
    assert space.parse(str(genotype)) == genotype
    around = space.neighbours(genotype)
    assert len(set(around)) == len(around)
    assert genotype not in around
    for other in around:
        space.check(other)
        changed = sum(
            a != b for kind in ("normal", "reduce") for a, b in zip(genotype.cell(kind), other.cell(kind), strict=True)
        )
        assert changed == 1


def test_every_architecture_is_reached_through_neighbours():
    space = spaces.get("s1", nodes=2, reduction="fixed")
    start = space.sample(torch.Generator().manual_seed(0))
    seen, frontier = {start.canonical()}, [start]
    while frontier:
        for other in space.neighbours(frontier.pop()):
            if other.canonical() not in seen:
                seen.add(other.canonical())
                frontier.append(other)
    assert len(seen) == space.size()


def test_sampling_is_uniform():
    """Chi-square over 48 architectures; 99.9 % quantile of 47 degrees of freedom: wrong once in 1,000 seeds."""
    space = spaces.get("s1", nodes=2, reduction="fixed")
    generator = torch.Generator().manual_seed(1)
    counts: dict = {}
    draws = 4800
    for _ in range(draws):
        genotype = space.sample(generator)
        counts[genotype] = counts.get(genotype, 0) + 1
    assert len(counts) == 48
    expected = draws / 48
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 82.7


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: spaces.get("s9"), "there are darts, darts7, s1"),
        (lambda: spaces.get("s2", nodes=5), "1 to 4"),
        (lambda: spaces.get("s2", nodes=True), "whole number, not True"),
        (lambda: spaces.get("s2", reduction="none"), "'searched' or 'fixed'"),
        (lambda: spaces.get("s2").check(spaces.get("nas-bench-201").sample(torch.Generator())), "holds genotypes, not"),
        (lambda: spaces.get("s2").check(spaces.read("DARTS_V1")), "max_pool_3x3 on edge 0->2"),
        (lambda: spaces.get("darts", nodes=2).check(spaces.read("DARTS_V1")), "holds 8 edges where 4 are kept"),
        (lambda: spaces.get("darts", reduction="fixed").check(spaces.read("DARTS_V1")), "the reduction is fixed"),
    ],
)
def test_refusals(call, says):
    with pytest.raises(UsageError) as refusal:
        call()
    assert says in str(refusal.value)


def test_none_is_never_part_of_an_architecture():
    generator = torch.Generator().manual_seed(0)
    assert all(spaces.get("s3").sample(generator).count("none") == 0 for _ in range(50))


def test_a_cell_of_several_nodes_keeps_two_edges_each():
    with pytest.raises(UsageError, match="keeps 2 edges"):
        spaces.Cell(((0, 2), (1, 2), (0, 3)), (("skip_connect",),) * 3, keep=1)


def every_edge(space, seed):
    """A random architecture of every edge, `none` included, drawn operation by operation."""
    generator = torch.Generator().manual_seed(seed)
    return space.genotype(
        {
            kind: tuple(
                (names[int(torch.randint(len(names), (), generator=generator))], source)
                for (source, _), names in zip(cell.edges, cell.operations)
            )
            for kind, cell in space.groups.items()
        }
    )


@given(st.sampled_from(DARTS_FAMILY), st.integers(1, 4), st.sampled_from(["searched", "fixed"]), st.integers(0, 999))
def test_a_space_has_the_architectures_of_every_edge(name, nodes, reduction, seed):
    space = spaces.get(name, nodes=nodes, reduction=reduction)
    genotype = every_edge(space, seed)
    assert space.parse(str(genotype)) == genotype
    for kind, chosen in space.chosen(genotype).items():
        cell = space.groups[kind]
        held = [(*edge, names[index]) for edge, names, (index,) in zip(cell.edges, cell.operations, chosen)]
        assert held == list(genotype.edges(kind))


@pytest.mark.parametrize(("name", "nodes"), [("s1", 2), ("s3", 3), ("darts", 4)])
def test_neighbours_of_an_every_edge_architecture_change_one_operation(name, nodes):
    space = spaces.get(name, nodes=nodes)
    genotype = every_edge(space, 0)
    around = space.neighbours(genotype)
    assert len(set(around)) == len(around) == sum(cell.shape[0] * (cell.shape[1] - 1) for cell in space.groups.values())
    for other in around:
        space.check(other)
        both = [(a, b) for kind in space.groups for a, b in zip(genotype.edges(kind), other.edges(kind), strict=True)]
        assert [a[:2] for a, _ in both] == [b[:2] for _, b in both]
        assert sum(a[2] != b[2] for a, b in both) == 1


def test_of_one_node_only_none_tells_the_kinds_apart():
    space = spaces.get("s3", nodes=1, reduction="fixed")
    kept = space.genotype({"normal": (("skip_connect", 0), ("sep_conv_3x3", 1))})
    every = space.genotype({"normal": (("none", 0), ("sep_conv_3x3", 1))})
    space.check(every)
    assert all(other.count("none") == 0 for other in space.neighbours(kept))
    assert {other.normal for other in space.neighbours(every)} == {
        (("skip_connect", 0), ("sep_conv_3x3", 1)),
        (("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
        (("none", 0), ("none", 1)),
        (("none", 0), ("skip_connect", 1)),
    }


SKIPS = ("skip_connect",) * 6


@pytest.mark.parametrize(
    ("space", "names", "sources", "concat", "says"),
    [
        ("s2", ("none", *SKIPS[:4]), (0, 1, 0, 1, 2), (2, 3), "none on edge 0->2"),
        ("s3", ("none", *SKIPS[:3]), (0, 1, 0, 1), (2, 3), "none on edge 0->2"),
        ("s3", SKIPS, (0, 1, 0, 1, 0, 1), (2, 3, 4), "holds 6 edges where 4 are kept, or all 5"),
        ("s3", SKIPS[:4], (0, 1, 0, 0), (2, 3), "feeds node 3 twice from node 0 through skip_connect"),
    ],
)
def test_every_edge_refusals(space, names, sources, concat, says):
    genotype = Genotype(tuple(zip(names, sources, strict=True)), concat, (), ())
    with pytest.raises(UsageError) as refusal:
        spaces.get(space, nodes=2, reduction="fixed").check(genotype)
    assert says in str(refusal.value)


def test_fourteen_pairs_that_feed_seven_nodes_are_not_every_edge_of_four():
    space = spaces.get("s2", reduction="fixed")
    pairs = every_edge(space, 0).normal
    space.check(Genotype(pairs, (3, 5), (), ()))
    with pytest.raises(UsageError, match=r"has the edge .*, which this space does not have"):
        space.check(Genotype(pairs, (2, 3), (), ()))
