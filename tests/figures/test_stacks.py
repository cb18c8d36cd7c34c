"""The row of cells, and two paths through one supernet."""

import itertools
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nasbook import spaces
from nasbook.figures import graph, paths, paths_svg, stack, stacks
from nasbook.runtime.errors import UsageError
from nasbook.supernet.skeleton import kinds


@pytest.mark.parametrize("layers", [2, 5, 8, 14, 20])
def test_a_stack_shows_every_cell_in_its_place(layers):
    drawing = stacks.draw_stack(layers, image=32, channels=16)
    names = [box.key.split("-")[0] for box in drawing.boxes() if box.key.split("-")[0] in ("normal", "reduce")]
    assert names == kinds(layers)
    assert len(drawing.curves("skip")) == layers
    columns = [box for box in drawing.boxes() if box.key.split("-")[0] in ("image", "stem", "normal", "reduce", "pool")]
    for left, right in itertools.pairwise(columns):
        assert left.x + left.width / 2 < right.x - right.width / 2


@pytest.mark.parametrize(
    ("arguments", "first", "last"),
    [
        ({"layers": 20, "image": 32, "channels": 36}, "32×32 to 8×8", "36 to 144"),
        ({"layers": 14, "image": 224, "channels": 48, "stem_stride": 8}, "28×28 to 7×7", "48 to 192"),
        ({"layers": 5, "image": 16, "channels": 8, "stem_stride": 2}, "8×8 to 2×2", "8 to 32"),
    ],
)
def test_words_of_a_stack_give_its_sizes(arguments, first, last):
    picture = stack(**arguments)
    assert first in picture.alt
    assert last in picture.alt
    shown = [text.get_text() for text in picture.axes[0].texts]
    assert first.split(" to ")[1] in shown
    assert f"C = {last.split(' to ')[1]}" in shown


def test_a_stack_of_one_cell_is_refused():
    with pytest.raises(UsageError, match="at least 2 cells, not 1"):
        stack(1, image=32, channels=16)


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(0, 1000), st.integers(0, 1000))
def test_paths_mark_who_uses_what(nodes, first, second):
    space = spaces.get("s3", nodes=nodes)
    a, b = (space.sample(torch.Generator().manual_seed(seed)) for seed in (first, second))
    drawing = stacks.draw_paths(space, a, b)
    colours = {graph.triple(curve): curve.colour for curve in drawing.curves("edge")}
    only_a, only_b = set(a.edges("normal")) - set(b.edges("normal")), set(b.edges("normal")) - set(a.edges("normal"))
    both = set(a.edges("normal")) & set(b.edges("normal"))
    for user, triples in (("A", only_a), ("B", only_b), ("A+B", both)):
        assert {triple for triple, colour in colours.items() if colour == stacks.PATHS[user].colour} == triples
    assert len(drawing.boxes("label")) == len(only_a | only_b | both)
    assert f"share {len(both)} operation" in drawing.alt


def test_words_of_paths():
    space = spaces.get("s2", nodes=1, reduction="fixed")
    a = space.genotype({"normal": (("skip_connect", 0), ("sep_conv_3x3", 1))})
    b = space.genotype({"normal": (("skip_connect", 0), ("skip_connect", 1))})
    assert paths(space, a, b).alt == (
        "Two paths through the normal cell of one supernet share 1 operation: skip from the cell before the last to "
        "node 2. Path A alone uses sep 3×3 from the last cell to node 2. Path B alone uses skip from the last cell to "
        "node 2. Training either path changes the shared weights."
    )
    texts = [element.text for element in ElementTree.fromstring(paths_svg(space, a, b)).iter() if element.text]
    assert {"A+B: skip", "A: sep 3×3", "B: skip"} <= set(texts)


def test_paths_of_another_space_are_refused():
    space, other = spaces.get("s2", nodes=1, reduction="fixed"), spaces.get("s4", nodes=1, reduction="fixed")
    b = space.sample(torch.Generator().manual_seed(1))
    foreign = other.genotype({"normal": (("noise", 0), ("noise", 1))})
    with pytest.raises(UsageError, match="not in space s2"):
        paths(space, foreign, b)
    with pytest.raises(UsageError, match="no searched 'reduce' cell"):
        paths(space, b, b, "reduce")
