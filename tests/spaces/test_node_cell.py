"""The text of a NAS-Bench-1Shot1 architecture, the refusal of everything else, and its NAS-Bench-101 cell."""

import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.spaces import NodeCell, parse_node_cell
from nasbook.spaces.nas_bench_101 import OPERATIONS

TEXT = (
    "1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-0,1 | 3: conv1x1-bn-relu<-1,2 | 4: conv3x3-bn-relu<-0,3 | out<-2,4)"
)
CELL = NodeCell(
    ("conv3x3-bn-relu", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu"), ((0,), (0, 1), (1, 2), (0, 3)), (2, 4)
)


@st.composite
def node_cells(draw):
    """Any architecture that fits into NAS-Bench-101, of one of the three spaces or not."""
    count = draw(st.integers(1, 5))
    names = draw(st.lists(st.sampled_from(OPERATIONS), min_size=count, max_size=count))
    parents = [tuple(draw(st.sets(st.integers(0, node), min_size=1, max_size=3))) for node in range(count)]
    output = tuple(draw(st.sets(st.integers(0, count), min_size=1, max_size=3)))
    assume(sum(map(len, parents)) + len(output) <= 9)
    return NodeCell(tuple(names), tuple(parents), output)


@given(node_cells())
def test_text_round_trip(cell):
    assert parse_node_cell(str(cell)) == spaces.read(str(cell)) == cell
    assert hash(parse_node_cell(str(cell))) == hash(cell)
    assert cell.canonical() == cell
    assert sum(cell.count(name) for name in OPERATIONS) == len(cell.operations)


@given(node_cells(), st.randoms(use_true_random=False))
def test_the_order_of_parents_and_blanks_do_not_matter(cell, random):
    def shuffled(parents):
        return tuple(random.sample(parents, len(parents)))

    assert NodeCell(cell.operations, tuple(map(shuffled, cell.parents)), shuffled(cell.output)) == cell
    spaced = str(cell).replace(",", " , ").replace("<-", "  <- ").replace(" | ", "|")
    assert parse_node_cell(f" {spaced}\n") == cell


@given(node_cells())
def test_the_nas_bench_101_cell_holds_every_edge_and_prunes_to_the_useful_nodes(cell):
    made = cell.cell101()
    assert len(made.matrix) == len(made.operations) == 7
    assert made.edges == sum(map(len, cell.parents)) + len(cell.output) <= 9
    for node in cell.nodes:
        assert made.sources(node) == cell.parents[node - 1]
    assert made.sources(6) == cell.output
    dummies = range(len(cell.operations) + 1, 6)
    assert all(made.operations[vertex] == "conv1x1-bn-relu" and not any(made.matrix[vertex]) for vertex in dummies)
    assert made.pruned().operations[1:-1] == tuple(cell.operations[node - 1] for node in sorted(cell.useful()))


def test_one_cell_by_hand():
    assert parse_node_cell(TEXT) == CELL
    assert str(CELL) == TEXT
    assert CELL.cell101().matrix == (
        (0, 1, 1, 0, 1, 0, 0),
        (0, 0, 1, 1, 0, 0, 0),
        (0, 0, 0, 1, 0, 0, 1),
        (0, 0, 0, 0, 1, 0, 0),
        (0, 0, 0, 0, 0, 0, 1),
        (0, 0, 0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0, 0, 0),
    )
    assert CELL.useful() == {1, 2, 3, 4}
    assert CELL.count("conv3x3-bn-relu") == 2


def test_loose_ends_by_hand():
    cell = parse_node_cell(TEXT.replace("out<-2,4", "out<-0,2"))
    assert cell.useful() == {1, 2}
    assert cell.cell101().pruned().matrix == ((0, 1, 1, 1), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 0))


@given(st.text(max_size=120))
def test_any_other_text_is_refused_with_a_sentence(text):
    for tried in (text, f"1Shot1({text})"):
        with pytest.raises(UsageError) as refusal:
            parse_node_cell(tried)
        assert str(refusal.value).endswith(".")


@given(node_cells(), st.data())
def test_a_damaged_text_is_refused_or_still_an_architecture(cell, data):
    text = str(cell)
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.characters()) + text[place + 1 :]
    try:
        read = parse_node_cell(damaged)
    except UsageError:
        return
    assert parse_node_cell(str(read)) == read


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("1Shot1(", "1shot1(", "reads like 1Shot1("),
        ("4)", "4", "reads like 1Shot1("),
        ("1: conv3x3", "2: conv3x3", "should read 1: operation<-parents"),
        ("maxpool3x3<-0,1", "maxpool3x3", "should read 2: operation<-parents"),
        ("maxpool3x3<-0,1", "maxpool3x3<-", "should read 2: operation<-parents"),
        ("maxpool3x3<-0,1", "maxpool3x3<-0,-1", "should read 2: operation<-parents"),
        ("maxpool3x3<-0,1", "maxpool3x3<-٠,١", "should read 2: operation<-parents"),
        ("maxpool3x3", "avg_pool_3x3", "should read 2: operation<-parents"),
        ("maxpool3x3", "maxpool5x5", "not 'maxpool5x5'"),
        ("out<-2,4", "5: maxpool3x3<-0", "should read out<-parents"),
        ("maxpool3x3<-0,1", "maxpool3x3<-0,2", "Node 2 has the parent 2; allowed are 0 to 1"),
        ("out<-2,4", "out<-2,5", "The output has the parent 5; allowed are 0 to 4"),
        ("maxpool3x3<-0,1", "maxpool3x3<-1,1", "Node 2 names a parent twice: 1, 1"),
        ("out<-2,4", "out<-2,3,4", "at most 9 edges, not 10"),
        (" | out", " | 5: maxpool3x3<-0 | 6: maxpool3x3<-0 | out", "1 to 5 nodes"),
        (TEXT, "1Shot1(out<-0)", "1 to 5 nodes"),
    ],
)
def test_refusals_say_what_is_wrong(old, new, says):
    assert old in TEXT
    with pytest.raises(UsageError) as refusal:
        spaces.read(TEXT.replace(old, new)) if new != "1shot1(" else parse_node_cell(TEXT.replace(old, new))
    assert says in str(refusal.value)


def test_a_node_without_a_parent_is_refused():
    with pytest.raises(UsageError, match="Node 1 has no parent"):
        NodeCell(("maxpool3x3",), ((),), (1,))
    with pytest.raises(UsageError, match="each with one operation"):
        NodeCell(("maxpool3x3",), (), (1,))


def test_a_cell_survives_being_copied():
    assert pickle.loads(pickle.dumps(CELL)) == CELL
