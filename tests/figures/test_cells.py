"""Cells as graphs: every edge is there, nothing covers anything, both renderers draw the same shapes."""

import time
import xml.etree.ElementTree as ElementTree
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from nasbook import spaces
from nasbook.figures import cell, cell_svg, cells, graph, layout, style
from nasbook.runtime.errors import UsageError
from nasbook.selection import every_edge
from nasbook.spaces import Genotype
from nasbook.spaces.nas_bench_201 import EDGES

TOPOLOGY = spaces.get("nas-bench-201")
PUBLISHED = [(name, kind) for name in spaces.published_names() for kind in ("normal", "reduce")]


@st.composite
def genotypes(draw):
    space = spaces.get(draw(st.sampled_from(["darts", "s1", "s2", "s3", "s4"])), nodes=draw(st.integers(1, 4)))
    return space.sample(torch.Generator().manual_seed(draw(st.integers(0, 2**31))))


def check_layout(drawing):
    """No node or label covers another, all lie on the canvas, and no curve runs under a node that is not its own."""
    boxes = drawing.boxes("node") + drawing.boxes("label")
    for first, second in combinations(boxes, 2):
        assert not first.overlaps(second), (first.key, second.key)
    for box in boxes:
        assert box.width / 2 <= box.x <= drawing.width - box.width / 2, box.key
        assert box.height / 2 <= box.y <= drawing.height - box.height / 2, box.key
    for curve in drawing.curves("edge"):
        points = curve.at(np.linspace(0.03, 0.97, 60))
        assert (points[:, 1] > 0).all(), curve.key
        assert (points[:, 1] < drawing.height).all(), curve.key
        for node in drawing.boxes("node"):
            assert not node.holds(points).any(), (curve.key, node.key)


@settings(max_examples=30)
@given(genotypes(), st.sampled_from(["normal", "reduce"]))
def test_any_genotype_is_laid_out_clearly(genotype, kind):
    drawing = cells.draw_cell(genotype, kind)
    check_layout(drawing)
    drawn = [graph.triple(curve) for curve in drawing.curves("edge")]
    assert sorted(drawn) == sorted(genotype.edges(kind))
    joined = {curve.key for curve in drawing.curves("join")}
    assert joined == {f"join-{node}" for node in genotype.concat(kind)}


@settings(max_examples=15)
@given(st.sampled_from(["darts", "darts7", "s1", "s3"]), st.integers(1, 4), st.integers(0, 2**31))
def test_a_cell_of_every_edge_is_laid_out_clearly(name, nodes, seed):
    space = spaces.get(name, nodes=nodes)
    generator = torch.Generator().manual_seed(seed)
    weights = {kind: torch.rand(group.shape, generator=generator) for kind, group in space.groups.items()}
    genotype = every_edge(space, weights)
    drawing = cells.draw_cell(genotype)
    check_layout(drawing)
    assert sorted(graph.triple(curve) for curve in drawing.curves("edge")) == sorted(genotype.edges("normal"))
    assert f"has {nodes} node" in drawing.alt
    mixed = cells.draw_cell(space, weights={kind: values / 10 for kind, values in weights.items()}, highlight=genotype)
    full = {graph.triple(curve) for curve in mixed.curves("edge") if curve.opacity == 1}
    assert full == set(genotype.edges("normal"))


@pytest.mark.parametrize(("name", "kind"), PUBLISHED)
def test_published_cells_are_laid_out_clearly(name, kind):
    genotype = spaces.published(name).genotype
    drawing = cells.draw_cell(genotype, kind)
    check_layout(drawing)
    assert len(drawing.curves("edge")) == len(genotype.cell(kind))


@settings(max_examples=15)
@given(genotypes())
def test_the_picture_and_the_svg_hold_every_operation(genotype):
    root = ElementTree.fromstring(cell_svg(genotype))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    for name, _ in genotype.normal:
        assert texts.count(style.operation(name).label) == genotype.count(name, "normal")
    assert root.attrib["aria-label"] == root[0].text == cells.draw_cell(genotype).alt


def test_the_picture_draws_edges_in_the_operations_colours():
    genotype = spaces.published("DARTS_V2").genotype
    ax = cell(genotype).axes[0]
    drawn = {patch.get_gid(): patch for patch in ax.patches}
    for source, target, name in genotype.edges("normal"):
        patch = drawn[f"edge-{source}-{target}-{name}"]
        assert to_hex(patch.get_edgecolor()) == style.operation(name).colour.lower()
        assert f"edge-{source}-{target}-{name}-head" in drawn
    assert [text.get_text() for text in ax.texts].count("sep 3×3") == genotype.count("sep_conv_3x3", "normal")


def test_words_of_a_genotype_say_all_its_edges():
    genotype = spaces.parse_genotype(
        "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=[2], reduce=[], reduce_concat=[])"
    )
    assert cell(genotype).alt == (
        "The normal cell has 1 node: node 2 sums skip of the cell before the last and sep 3×3 of the last cell. "
        "Its output joins node 2. It holds skip 1× and sep 3×3 1×."
    )
    assert "one FactorizedReduce" in cell(genotype, "reduce").alt


def test_twin_edges_stand_apart():
    drawing = cells.draw_cell(spaces.published("NASNet").genotype)
    twins = drawing.curves("edge-0-3-")
    middles = [curve.at(0.5) for curve in twins]
    assert len(twins) == 2
    assert np.linalg.norm(middles[0] - middles[1]) > 20


@pytest.mark.parametrize("name", [name for name in spaces.names() if spaces.family(name) in ("darts", TOPOLOGY.family)])
def test_a_space_shows_its_edges_and_its_operations(name):
    space = spaces.get(name)
    drawing, group = cells.draw_cell(space), space.groups["normal"]
    check_layout(drawing)
    ends = {graph.triple(curve)[:2] for curve in drawing.curves("edge")}
    assert ends == set(group.edges)
    legend = {box.text for box in drawing.boxes("legend")}
    assert legend >= {style.operation(each).label for edge in group.operations for each in edge}
    assert f"{group.size():,} different cells" in drawing.alt


@settings(max_examples=30)
@given(st.integers(0, 2**31))
def test_any_cell_of_nas_bench_201_is_laid_out_clearly(seed):
    architecture = TOPOLOGY.sample(torch.Generator().manual_seed(seed))
    drawing = cells.draw_cell(architecture)
    check_layout(drawing)
    drawn = [graph.triple(curve) for curve in drawing.curves("edge")]
    assert sorted(drawn) == sorted(architecture.edges())
    assert {box.key: box.text for box in drawing.boxes("node")} == {
        "node-0": "in",
        "node-1": "1",
        "node-2": "2",
        "node-3": "out",
    }
    assert not drawing.curves("join")  # the output is a node, and joins nothing
    assert cells.kinds(architecture) == ("normal",)


def test_nas_bench_201_in_words_and_as_a_mixture():
    architecture = spaces.read("|none~0|+|skip_connect~0|nor_conv_3x3~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|")
    words = cells.draw_cell(architecture).alt
    assert words == (
        "The normal cell has 3 nodes: node 1 sums nothing of the input; node 2 sums skip of the input and conv 3×3 of "
        "node 1; the output sums nothing of the input, avg 3×3 of node 1 and conv 1×1 of node 2. "
        "It holds none 2×, skip 1×, conv 3×3 1×, avg 3×3 1× and conv 1×1 1×."
    )
    weights = torch.softmax(torch.randn(6, 5, generator=torch.Generator().manual_seed(3)), -1)
    drawing = cells.draw_cell(TOPOLOGY, weights={"normal": weights}, highlight=architecture)
    check_layout(drawing)
    full = {graph.triple(curve) for curve in drawing.curves("edge") if curve.opacity == 1}
    assert full == set(architecture.edges())
    widths = {graph.triple(curve): curve.width for curve in drawing.curves("edge")}
    drawn = [[widths[source, target, name] for name in TOPOLOGY.operations] for source, target in EDGES]
    np.testing.assert_allclose(np.array(drawn) / np.sum(drawn, axis=1, keepdims=True), weights.numpy(), atol=1e-6)
    with pytest.raises(UsageError, match="A cell is normal, not 'reduce'"):
        cell(architecture, "reduce")


def test_nas_bench_1shot1_draws_architectures_not_spaces():
    space = spaces.get("nas-bench-1shot1-2")
    architecture = space.sample(torch.Generator().manual_seed(0))
    assert cells.kinds(architecture) == ("normal",)
    assert cell(architecture).alt == cells.draw_cell(architecture).alt
    with pytest.raises(UsageError, match="nas-bench-1shot1-2 is not drawn"):
        cell(space)


@pytest.fixture
def mixed():
    space = spaces.get("darts")
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.softmax(torch.randn(group.shape, generator=generator), -1) for name, group in space.groups.items()
    }
    return space, weights


def test_a_mixed_cell_is_as_thick_as_its_weights(mixed):
    space, weights = mixed
    drawing = cells.draw_cell(space, "reduce", weights=weights)
    widths = {graph.triple(curve): curve.width for curve in drawing.curves("edge")}
    names = space.reduce.operations[0]
    drawn = np.array([[widths[source, target, name] for name in names] for source, target in space.reduce.edges])
    np.testing.assert_allclose(drawn / drawn.sum(axis=1, keepdims=True), weights["reduce"].numpy(), atol=1e-6)


def test_ribbons_of_one_edge_do_not_overlap(mixed):
    space, weights = mixed
    drawing = cells.draw_cell(space, weights=weights)
    lanes = drawing.curves("edge-0-5-")
    nodes = {box.key: np.array([box.x, box.y]) for box in drawing.boxes("node")}
    along = nodes["node-5"] - nodes["node-0"]
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    gaps = np.diff([curve.at(0.5) @ across for curve in lanes])
    widths = np.array([curve.width for curve in lanes]) * 100 / 72
    np.testing.assert_allclose(gaps, (widths[1:] + widths[:-1]) / 2, atol=0.1)


def test_the_highlighted_architecture_stands_out(mixed):
    space, weights = mixed
    genotype = space.sample(torch.Generator().manual_seed(1))
    drawing = cells.draw_cell(space, weights=weights, highlight=genotype)
    full = {graph.triple(curve) for curve in drawing.curves("edge") if curve.opacity == 1}
    assert full == set(genotype.edges("normal"))
    assert len(drawing.boxes("label")) == len(genotype.normal)
    assert "Highlighted" in drawing.alt
    check_layout(drawing)


def test_words_of_a_mixed_cell_name_the_strongest(mixed):
    space, weights = mixed
    alt = cell(space, weights=weights).alt
    top = int(weights["normal"][0].argmax())
    assert f"0 to 2: {style.operation(space.operations[top]).label} {float(weights['normal'][0, top]):.2f}" in alt


def test_wrong_kinds_and_shapes_are_refused():
    space = spaces.get("s2", nodes=2, reduction="fixed")
    with pytest.raises(UsageError, match="normal or reduce, not 'odd'"):
        cell(space, "odd")
    with pytest.raises(UsageError, match=r"shape \(5, 2\), not \(2, 2\)"):
        cell(space, weights={"normal": [[0.5, 0.5]] * 2})
    with pytest.raises(UsageError, match="no weights of the normal cell"):
        cell(space, weights={})


def test_cells_draw_on_axes_of_others():
    figure, axes = style.figure("wide", columns=2)
    genotype = spaces.published("DARTS_V1").genotype
    for ax, kind in zip(axes, ("normal", "reduce"), strict=True):
        assert cell(genotype, kind, ax=ax).figure is figure
        assert ax.patches


@pytest.mark.parametrize("name", ["DARTS_V2", "NASNet"])
def test_a_picture_of_a_cell_is_small(name):
    assert len(cell(spaces.published(name).genotype).png()) < 60_000


def test_the_svg_is_fast_enough_for_a_widget(mixed):
    space, weights = mixed
    genotype = space.sample(torch.Generator().manual_seed(2))
    cell_svg(space, weights=weights)
    start = time.perf_counter()
    cell_svg(space, weights=weights, highlight=genotype)
    assert time.perf_counter() - start < 1.0


def test_names_are_escaped_and_labels_stay_clear():
    spots = layout.label_spots([], [], [])
    assert spots == []
    drawing = cells.drawing.Drawing(10, 10, (cells.Box("a<b", 5, 5, 4, 4, "x<y&z"),), 'says "a" < b')
    root = ElementTree.fromstring(cells.drawing.svg(drawing))
    assert root[0].text == root.attrib["aria-label"] == 'says "a" < b'


def test_a_genotype_is_hashable_and_drawn_once():
    genotype = Genotype((("skip_connect", 0), ("skip_connect", 1)), (2,), (), ())
    assert cells.draw_cell(genotype) is cells.draw_cell(genotype)
