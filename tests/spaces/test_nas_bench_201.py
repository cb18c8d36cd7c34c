"""NAS-Bench-201: the published counts, architecture strings both ways, and what leads from the input to the output."""

import random
from itertools import product

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Topology, parse_topology
from nasbook.spaces.nas_bench_201 import EDGES, OPERATIONS

SPACE = spaces.get("nas-bench-201")
ALL = list(SPACE.architectures())
# Five convolutions around one skip.
GOOD = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
topologies = st.tuples(*[st.sampled_from(OPERATIONS)] * 6).map(Topology)


def test_published_counts():
    """15,625 strings; 6,466 unique, 12,751 where only skips are collapsed (counted with the released code's rule)."""
    assert len(set(ALL)) == len(ALL) == SPACE.size() == 5**6 == 15_625
    assert SPACE.unique() == len({each.unique_key() for each in ALL}) == 6_466
    assert len({each.unique_key(collapse_none=False) for each in ALL}) == 12_751
    assert sum(each.connected() for each in ALL) == 15_284
    assert sum(each.count("nor_conv_1x1") + each.count("nor_conv_3x3") == 0 for each in ALL) == 729 == 3**6


def test_the_order_of_the_edges_is_that_of_the_supernet():
    assert [f"{target}<-{source}" for source, target in EDGES] == ["1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2"]
    assert SPACE.groups["normal"].shape == (6, 5)
    assert SPACE.groups["normal"].rows == ("0→1", "0→2", "1→2", "0→3", "1→3", "2→3")


def test_the_list_shuffled_as_published_begins_with_the_published_string():
    """The benchmark shuffled this very list with the seed 88: index 0 is right only if the order of all is."""
    shuffled = [str(each) for each in ALL]
    random.Random(88).shuffle(shuffled)
    assert shuffled[0] == (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    )


@given(topologies)
def test_strings_come_back(architecture):
    text = str(architecture)
    assert SPACE.parse(text) == spaces.read(f" {text}\n") == architecture
    assert text.count("|") == 9
    for source, target, name in architecture.edges():
        assert text.split("+")[target - 1].split("|")[source + 1] == f"{name}~{source}"


@given(topologies, st.data())
def test_any_string_with_one_character_changed_is_refused_or_another(architecture, data):
    text = str(architecture)
    place = data.draw(st.integers(0, len(text) - 1))
    broken = text[:place] + data.draw(st.sampled_from("|+~ _0139xé\\'\"(")) + text[place + 1 :]
    try:
        assert str(parse_topology(broken)) == broken.strip()
    except UsageError:
        assert broken.strip() != text


@given(topologies, st.data())
def test_blanks_and_the_order_of_edges_do_not_matter(architecture, data):
    nodes = [data.draw(st.permutations(architecture.into(node))) for node in (1, 2, 3)]
    blank = data.draw(st.sampled_from(["", " ", "\t", "\r\n"]))
    text = f"{blank}+{blank}".join("|" + "".join(f"{name}{blank}~{j}{blank}|" for name, j in node) for node in nodes)
    around = data.draw(st.sampled_from(["%s", " %s\r\n", "Structure(4 nodes with %s)", "12:01 | INFO | cell: %s"]))
    assert parse_topology(around % text) == spaces.read(around % text) == architecture


@given(st.one_of(st.text(max_size=40), st.text("|+~0123none", max_size=60)))
@example("||+||+||")
@example("|" * 9)
@example("++")
@example("")
def test_other_text_is_refused_in_a_sentence(text):
    with pytest.raises(UsageError, match=r"nas-bench-201|op~0"):
        parse_topology(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.removesuffix("|"), r"Node 3 reads '\|skip_connect~0.*it needs 3 operations between bars"),
        ("|none~0|+|none~0|+|none~0|none~1|none~2|", "Node 2 reads .* it needs 2 operations"),
        ("|none~0|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", "Node 1 reads .* it needs 1 operation between"),
        ("|none~0|+|none~0|none~1|", "3 nodes joined by .*, not 2"),
        (
            "|none~0|+|none~1|none~1|+|none~0|none~1|none~2|",
            "edge into node 2 reads 'none~1'.* each source from 0 to 1",
        ),
        ("|none~0|+|none|none~1|+|none~0|none~1|none~2|", "edge into node 2 reads 'none'"),
        (
            "|zap~0|+|none~0|none~1|+|none~0|none~1|none~2|",
            "edge 0->1 holds 'zap'; .* none, skip_connect, nor_conv_1x1",
        ),
        ("|max_pool_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|", "holds 'max_pool_3x3'"),
        (7, "read from text, not from int"),
    ],
)
def test_what_is_wrong_is_said(text, says):
    with pytest.raises(UsageError, match=says):
        parse_topology(text)


def test_a_cell_has_six_edges():
    with pytest.raises(UsageError, match="6 operations, not 5"):
        Topology(("none",) * 5)


@given(topologies)
def test_connection_and_use_against_all_paths(architecture):
    """By listing the four paths from node 0 to node 3, instead of walking from node to node."""
    held = {(source, target): name for source, target, name in architecture.edges()}

    def runs(path):
        return all(held[edge] != "none" for edge in path)

    ways = {0: [((0, 1), (1, 2), (2, 3)), ((0, 1), (1, 3)), ((0, 2), (2, 3)), ((0, 3),)],
            1: [((1, 2), (2, 3)), ((1, 3),)], 2: [((2, 3),)], 3: [()]}  # fmt: skip
    assert architecture.connected() == any(map(runs, ways[0]))
    for (source, target), useful in zip(EDGES, architecture.useful(), strict=True):
        assert useful == (held[source, target] != "none" and any(map(runs, ways[target])))


def test_keys_are_equal_for_what_skips_and_zeros_make_equal():
    def key(text):
        return parse_topology(text).unique_key()

    conv, skip, none = "nor_conv_3x3", "skip_connect", "none"
    through_1 = f"|{skip}~0|+|{none}~0|{none}~1|+|{none}~0|{conv}~1|{none}~2|"
    through_2 = f"|{none}~0|+|{skip}~0|{none}~1|+|{none}~0|{none}~1|{conv}~2|"
    direct = f"|{none}~0|+|{none}~0|{none}~1|+|{conv}~0|{none}~1|{none}~2|"
    assert key(through_1) == key(direct)
    assert key(through_1) != key(direct.replace(conv, "nor_conv_1x1"))
    assert key(through_2) != key(direct)  # computes the same, but a sum of two zeros stays visible


@given(st.integers(0, 999))
def test_samples_and_their_neighbours_belong_to_the_space(seed):
    architecture = SPACE.sample(torch.Generator().manual_seed(seed))
    assert architecture.family == SPACE.family == "nas-bench-201"
    assert architecture.canonical() == architecture
    around = SPACE.neighbours(architecture)
    assert len(set(around)) == 6 * 4
    for other in around:
        SPACE.check(other)
        assert sum(a != b for a, b in zip(architecture.operations, other.operations, strict=True)) == 1


def test_sampling_is_uniform_on_every_edge():
    """Chi-square over 5 operations on each of 6 edges; 99.99 % quantile of 4 degrees of freedom."""
    generator = torch.Generator().manual_seed(0)
    drawn = [SPACE.sample(generator).operations for _ in range(3000)]
    for edge in range(6):
        counts = [sum(names[edge] == name for names in drawn) for name in OPERATIONS]
        assert sum((count - 600) ** 2 / 600 for count in counts) < 23.5
    assert len({names[:2] for names in drawn}) == 25


def test_columns_of_an_architecture():
    architecture = parse_topology(GOOD)
    assert SPACE.chosen(architecture) == {"normal": ((3,), (3,), (3,), (1,), (3,), (3,))}
    assert (architecture.count("nor_conv_3x3"), architecture.count("none")) == (5, 0)
    assert architecture.edges("reduce") == ()


def test_architectures_of_other_families_are_refused():
    with pytest.raises(UsageError, match="holds architectures like"):
        SPACE.chosen(spaces.read("DARTS_V2"))
    with pytest.raises(UsageError, match="one size"):
        spaces.get("nas-bench-201", nodes=2)
    with pytest.raises(UsageError, match="one size"):
        spaces.get("nas-bench-201", reduction="searched")


def test_the_space_in_words():
    assert str(SPACE).startswith("nas-bench-201: 15,625 architectures\n  0→1: none, skip_connect")
    assert len({str(Topology(names)) for names in product(OPERATIONS[:2], repeat=6)}) == 2**6
