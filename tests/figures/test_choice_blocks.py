"""Drawings of NAS-Bench-1Shot1 cells: every node, operation and edge is there and in the words."""

from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from nasbook import spaces
from nasbook.figures import cell, cell_svg, choice_blocks, style

NAMES = [f"nas-bench-1shot1-{number}" for number in (1, 2, 3)]
CELL = spaces.read(
    "1Shot1(1: conv3x3-bn-relu<-0 | 2: maxpool3x3<-0,1 | 3: conv1x1-bn-relu<-1,2 | 4: conv3x3-bn-relu<-2 | out<-0,2,4)"
)
SVG = "{http://www.w3.org/2000/svg}"


@settings(max_examples=40)
@given(st.sampled_from(NAMES), st.integers(0, 99_999))
def test_any_cell_is_laid_out_clearly_and_completely(name, seed):
    shown = spaces.get(name).sample(torch.Generator().manual_seed(seed))
    drawing = choice_blocks.draw(shown, 800, 280)
    nodes, labels = drawing.boxes("node"), drawing.boxes("label")
    for first, second in combinations(nodes + labels, 2):
        assert not first.overlaps(second), (first.key, second.key)
    for box in nodes + labels:
        assert box.width / 2 <= box.x <= drawing.width - box.width / 2, box.key
        assert box.height / 2 <= box.y <= drawing.height - box.height / 2, box.key
    for curve in drawing.curves():
        points = curve.at(np.linspace(0.03, 0.97, 60))
        for box in nodes:
            assert not box.holds(points).any(), (curve.key, box.key)
    edges = {f"edge-{parent}-{node}" for node in shown.nodes for parent in shown.parents[node - 1]}
    joins = {f"join-{parent}" for parent in shown.output}
    assert sorted(curve.key for curve in drawing.curves()) == sorted(edges | joins)
    assert [box.text for box in labels] == [style.operation(each).label for each in shown.operations]
    pale = {int(box.key.split("-")[1]) for box in labels if box.opacity < 1}
    assert pale == set(shown.nodes) - shown.useful()
    assert pale == {int(box.key.split("-")[1]) for box in nodes if box.opacity < 1}
    assert pale == {int(curve.key.split("-")[2]) for curve in drawing.curves("edge") if curve.opacity < 1}


def test_words_of_a_cell_say_all_of_it():
    assert choice_blocks.describe(CELL) == (
        "The cell has 4 nodes: node 1 applies conv-bn 3×3 to the input; node 2 applies maxpool 3×3 to the sum of the "
        "input and node 1; node 3 applies conv-bn 1×1 to the sum of node 1 and node 2; node 4 applies conv-bn 3×3 to "
        "node 2. Its output joins nodes 2 and 4 and adds the projected input. "
        "Node 3 leads nowhere. It holds conv-bn 3×3 2×, maxpool 3×3 1× and conv-bn 1×1 1×."
    )
    one = spaces.read("1Shot1(1: maxpool3x3<-0 | out<-0)")
    assert "The cell has 1 node: node 1 applies maxpool 3×3 to the input. Its output is the projected input. " in (
        choice_blocks.describe(one)
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_and_the_svg(name):
    shown = spaces.get(name).sample(torch.Generator().manual_seed(5))
    picture = cell(shown)
    assert picture.alt == choice_blocks.describe(shown)
    drawn = {patch.get_gid(): patch for patch in picture.axes[0].patches}
    for node, operation in zip(shown.nodes, shown.operations):
        assert to_hex(drawn[f"label-{node}"].get_edgecolor()) == style.operation(operation).colour.lower()
    assert len(picture.png()) < 60_000
    root = ElementTree.fromstring(cell_svg(shown))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert texts == ["out", "in", *map(str, shown.nodes), *(style.operation(each).label for each in shown.operations)]
