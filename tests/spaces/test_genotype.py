"""Genotypes: the published text form, JSON, and the refusal of everything else."""

import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, parse_genotype
from nasbook.spaces.genotype import targets
from nasbook.spaces.operations import NAMES

EDGE = st.sampled_from(NAMES)


@st.composite
def cells(draw, *, smallest: int = 1):
    """A random cell: pairs in node order and the nodes that it puts out."""
    nodes = draw(st.integers(smallest, 6))
    pairs = tuple((draw(EDGE), draw(st.integers(0, node))) for node in range(1, nodes + 1) for _ in range(2))
    if not nodes:
        return (), ()
    concat = draw(st.sets(st.integers(2, 1 + nodes), min_size=1))
    return pairs, tuple(sorted(concat))


@st.composite
def genotypes(draw):
    normal, reduce = draw(cells()), draw(cells(smallest=0))
    return Genotype(*normal, *reduce)


@st.composite
def every_edge_cells(draw, *, smallest: int = 2):
    """A random cell that holds every edge, each node's in any order; its last node is put out."""
    nodes = draw(st.integers(smallest, 6))
    pairs = tuple((draw(EDGE), source) for node in range(2, 2 + nodes) for source in draw(st.permutations(range(node))))
    others = draw(st.sets(st.integers(2, nodes))) if nodes > 1 else set()
    return pairs, tuple(sorted({*others, nodes + 1}))


@st.composite
def every_edge_genotypes(draw):
    return Genotype(*draw(every_edge_cells()), *draw(st.one_of(every_edge_cells(), cells(smallest=0))))


@given(st.one_of(genotypes(), every_edge_genotypes()))
def test_text_and_json_round_trip(genotype):
    assert parse_genotype(str(genotype)) == genotype
    assert parse_genotype(genotype.to_json()) == genotype
    assert hash(parse_genotype(str(genotype))) == hash(genotype)


@given(genotypes())
def test_text_form_is_what_python_would_read(genotype):
    """The text is the published form: Python's own reading of it, with a record of four fields, gives the same."""
    from collections import namedtuple

    record = namedtuple("Genotype", "normal normal_concat reduce reduce_concat")
    read = eval(str(genotype), {"Genotype": record, "range": range, "__builtins__": {}})
    assert tuple(read.normal) == genotype.normal
    assert tuple(read.normal_concat) == genotype.normal_concat
    assert tuple(read.reduce) == genotype.reduce


@given(st.text(max_size=200))
def test_any_other_text_is_refused_with_a_sentence(text):
    with pytest.raises(UsageError) as refusal:
        parse_genotype(text)
    assert str(refusal.value).endswith(".")


@given(genotypes(), st.data())
def test_a_damaged_text_is_refused_or_still_a_genotype(genotype, data):
    text = str(genotype)
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.characters()) + text[place + 1 :]
    try:
        read = parse_genotype(damaged)
    except UsageError:
        return
    assert parse_genotype(str(read)) == read


GOOD = "normal=[('skip_connect', 0), ('skip_connect', 1)], normal_concat=[2], reduce=[], reduce_concat=[]"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"Genotype({GOOD}, extra=[])", "unknown field 'extra'"),
        ("Genotype(normal=[('skip_connect', 0)], normal_concat=[2])", "lacks the field 'reduce'"),
        (f"Genotype({GOOD})".replace("skip_connect", "conv_9x9"), "names the operation 'conv_9x9'"),
        (f"Genotype({GOOD})".replace("0)", "2)"), "feeds node 2 from node 2"),
        (f"Genotype({GOOD})".replace("0)", "-1)"), "from node -1"),
        (f"Genotype({GOOD})".replace("[2]", "[9]"), "names node 9"),
        (f"Genotype({GOOD})".replace("[2]", "[2, 2]"), "twice"),
        (f"Genotype({GOOD})".replace("[2]", "[]"), "puts out no node"),
        (f"Genotype({GOOD})".replace("[2]", "range(2, 99999999999)"), "plain list or a range"),
        (f"Genotype({GOOD})".replace("[2]", "open('x')"), "plain list or a range"),
        (f"Genotype({GOOD})".replace("0)", "True)"), "('operation', source) pairs"),
        (f"__import__('os').system('true') or Genotype({GOOD})", "A genotype reads"),
        ("Genotype(normal=[], normal_concat=[], reduce=[], reduce_concat=[])", "at least one"),
        ('{"normal": 3, "normal_concat": [], "reduce": [], "reduce_concat": []}', "must list"),
        ("{broken", "not a JSON object"),
        ("(" * 10_000, "A genotype reads"),
    ],
)
def test_refusals_say_what_is_wrong(text, says):
    with pytest.raises(UsageError, match=None) as refusal:
        parse_genotype(text)
    assert says in str(refusal.value)


def test_a_value_that_is_not_text_is_refused():
    with pytest.raises(UsageError, match="not from bytes"):
        parse_genotype(pickle.dumps("x"))


def test_canonical_ignores_the_order_within_a_node():
    one = parse_genotype(f"Genotype({GOOD})".replace("('skip_connect', 0)", "('sep_conv_3x3', 1)"))
    one = Genotype((("sep_conv_3x3", 1), ("skip_connect", 0)), (2,), (), ())
    other = Genotype((("skip_connect", 0), ("sep_conv_3x3", 1)), (2,), (), ())
    assert one != other
    assert one.canonical() == other.canonical()


@pytest.mark.parametrize("name", spaces.published_names())
def test_published_cells_round_trip(name):
    genotype = spaces.published(name).genotype
    assert spaces.read(name) == genotype
    assert parse_genotype(str(genotype)) == genotype


def test_darts_cells_are_those_of_the_paper():
    v2 = spaces.read("DARTS_V2")
    assert v2.edges("normal")[:2] == ((0, 2, "sep_conv_3x3"), (1, 2, "sep_conv_3x3"))
    assert v2.count("max_pool_3x3") == 5
    spaces.get("darts").check(v2)
    assert spaces.read("DARTS_s1_collapsed").count("skip_connect", "normal") == 7


def test_an_unknown_published_name_lists_the_known():
    with pytest.raises(UsageError, match="DARTS_V2"):
        spaces.read("DARTS_V3")


def test_parsing_does_not_touch_random_numbers():
    state = torch.get_rng_state()
    parse_genotype(f"Genotype({GOOD})")
    assert torch.equal(torch.get_rng_state(), state)


# The released genotype of SNAS "mild" with all edges, each node's strongest first
# (SNAS-Series/SNAS-Series:SNAS/genotypes.py@dea7943b6639).
SNAS_MILD_EVERY_EDGE = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('dil_conv_3x3', 1), ('none', 2), "
    "('skip_connect', 0), ('skip_connect', 1), ('none', 3), ('none', 2), ('skip_connect', 0), ('sep_conv_3x3', 1), "
    "('none', 4), ('none', 3), ('none', 2)], normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('none', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('none', 0), ('max_pool_3x3', 1), "
    "('skip_connect', 2), ('none', 3), ('max_pool_3x3', 0), ('dil_conv_5x5', 2), ('none', 1), ('none', 3), "
    "('none', 4)], reduce_concat=range(2, 6))"
)


def test_the_published_every_edge_form_reads_as_the_same_architecture_by_twos():
    """What its edges other than `none` are is the published SNAS cell."""
    genotype = parse_genotype(SNAS_MILD_EVERY_EDGE)
    assert str(genotype) == SNAS_MILD_EVERY_EDGE
    by_twos = spaces.read("SNAS")
    for kind in ("normal", "reduce"):
        assert genotype.nodes(kind) == by_twos.nodes(kind) == 4
        assert {edge for edge in genotype.edges(kind) if edge[2] != "none"} == set(by_twos.edges(kind))
        assert [edge[:2] for edge in genotype.canonical().edges(kind)] == list(spaces.get("darts").normal.edges)


@given(every_edge_cells())
def test_every_edge_is_there_once(cell):
    genotype = Genotype(*cell, (), ())
    edges = [(source, target) for source, target, _ in genotype.edges("normal")]
    assert len(set(edges)) == len(edges)
    assert set(edges) == {
        (source, target) for target in range(2, 2 + genotype.nodes("normal")) for source in range(target)
    }
    assert sorted(edges, key=lambda edge: edge[1]) == edges
    assert tuple((name, source) for source, _, name in genotype.edges("normal")) == genotype.normal
    ordered = genotype.canonical()
    assert set(ordered.edges("normal")) == set(genotype.edges("normal"))
    assert ordered.canonical() == ordered


def flat(nodes):
    return tuple(("skip_connect", source) for target in range(2, 2 + nodes) for source in range(target))


@pytest.mark.parametrize(
    ("pairs", "concat", "fed"),
    [
        (flat(1), (2,), (2, 2)),  # one reading
        (flat(1)[1:], (2,), (2,)),
        (flat(2), (2, 3), (2, 2, 3, 3, 3)),
        (flat(2), (3,), (2, 2, 3, 3, 3)),
        (flat(3), (4, 2, 3), (2, 2, 3, 3, 3, 4, 4, 4, 4)),
        (flat(4), (2, 3, 4, 5), (2,) * 2 + (3,) * 3 + (4,) * 4 + (5,) * 5),
        (flat(4), tuple(range(2, 9)), (2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8)),  # puts out seven nodes
        (flat(4), (2, 3), (2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8)),  # every edge needs its last node put out
        (flat(4)[:8], (2, 3, 4, 5), (2, 2, 3, 3, 4, 4, 5, 5)),
    ],
)
def test_the_number_of_pairs_and_the_last_output_say_which_node_a_pair_feeds(pairs, concat, fed):
    assert targets(pairs, concat) == fed
    genotype = Genotype(pairs, concat, (), ())
    assert tuple(target for _, target, _ in genotype.edges("normal")) == fed
    assert genotype.nodes("normal") == len(set(fed))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("('none', 2), ('skip_connect', 0), ", "('skip_connect', 0), ", "lists 13 pairs; it must list two to a node"),
        ("('none', 2), ", "('none', 1), ", "node 3 takes each of the nodes 0 to 2 once, not 0, 1, 1"),
        ("('none', 2), ", "('none', 3), ", "feeds node 3 from node 3"),
        ("('none', 2), ", "('nothing', 2), ", "names the operation 'nothing'"),
        ("range(2, 6), reduce=", "[2, 3, 5, 5], reduce=", "twice"),
        ("range(2, 6), reduce=", "[0, 5], reduce=", "names node 0; the normal cell has the nodes 2 to 5"),
    ],
)
def test_a_damaged_every_edge_cell_is_refused(old, new, says):
    damaged = SNAS_MILD_EVERY_EDGE.replace(old, new, 1)
    assert damaged != SNAS_MILD_EVERY_EDGE
    with pytest.raises(UsageError) as refusal:
        parse_genotype(damaged)
    assert says in str(refusal.value)
    assert str(refusal.value).endswith(".")
