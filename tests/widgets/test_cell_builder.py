"""The cell builder: its state as text, the changes it makes, its controls."""

from __future__ import annotations

import time

import pytest
import torch

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.supernet import describe
from nasbook.widgets.cell_builder import CellBuilder
from nasbook.widgets.cell_building import (
    CHANNELS,
    LAYERS,
    NODES,
    REDUCTIONS,
    SPACES,
    CellBuilderState,
    compute,
    first,
    with_pair,
)


@pytest.fixture
def builder() -> CellBuilder:
    return CellBuilder()


def state(**changes: object) -> CellBuilderState:
    parts = {"space": "s2", "nodes": 2, "reduction": "fixed", "channels": 8, "layers": 5} | changes
    return first(**parts)  # type: ignore[arg-type]


def test_compute_counts_and_costs() -> None:
    result = compute(state())
    assert result.architectures == 48
    assert result.neighbours == len(spaces.get("s2", nodes=2, reduction="fixed").neighbours(state().genotype))
    published = spaces.published("DARTS_V2").genotype
    full = CellBuilderState("darts", 4, "searched", 36, 20, published)
    assert compute(full).params == 3_349_342
    assert compute(full).architectures == spaces.get("darts").size()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", SPACES)
def test_state_goes_out_and_comes_back(name: str, reduction: str, builder: CellBuilder) -> None:
    builder.restore(str(state(space=name, nodes=3, reduction=reduction)))
    text = builder.state()
    assert CellBuilderState.parse(text) == builder.value
    assert CellBuilder(text).state() == text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("space=s2", "space=s9", "'s9' does not exist"),
        ("space=s2", "space=nas-bench-201", "not nas-bench-201"),
        ("nodes=2", "nodes=7", "1 to 4 intermediate nodes"),
        ("nodes=2", "nodes=3", "not in space s2"),
        ("reduction=fixed", "reduction=free", "'searched' or 'fixed'"),
        ("channels=8", "channels=9", "8, 16, 36 channels"),
        ("layers=5", "layers=6", "5, 8, 20 cells"),
        ("genotype=Genotype(", "genotype=print(", "A genotype reads"),
        ("space=s2 ", "", "A state reads like"),
    ],
)
def test_what_is_no_state_is_refused(builder: CellBuilder, old: str, new: str, message: str) -> None:
    text = str(state())
    assert old in text
    before = builder.state()
    with pytest.raises(UsageError, match=message):
        builder.restore(text.replace(old, new))
    assert builder.state() == before


@pytest.mark.parametrize(
    ("control", "options"),
    [
        ("space", SPACES),
        ("nodes", NODES),
        ("reduction", REDUCTIONS),
        ("channels", CHANNELS),
        ("layers", LAYERS),
    ],
)
def test_every_choice_of_every_dropdown(builder: CellBuilder, control: str, options: tuple[object, ...]) -> None:
    for option in options:
        builder._choices[control].value = option
        assert getattr(builder.value, control) == option
        assert builder.value.search_space.check(builder.value.genotype) is None
        assert f"{builder.result().params:,} parameters" in builder._drawing.value
        assert "<svg" in builder._drawing.value


def test_the_toy_edge_allows_one_node_and_a_fixed_reduction(builder: CellBuilder) -> None:
    builder._choices["space"].value = "toy"
    assert (builder.value.nodes, builder.value.reduction) == (1, "fixed")
    builder._choices["nodes"].value = 3
    builder._choices["reduction"].value = "searched"
    assert (builder._choices["nodes"].value, builder._choices["reduction"].value) == (1, "fixed")


def test_a_space_keeps_an_architecture_that_it_has(builder: CellBuilder) -> None:
    before = builder.value.genotype
    builder._choices["space"].value = "s3"
    builder._choices["channels"].value = 16
    assert builder.value.genotype == before


def test_an_edge_is_changed_by_its_dropdowns(builder: CellBuilder) -> None:
    builder._kind.value = "reduce"
    normal = builder.value.genotype.normal
    source, operation = builder._pairs[3]
    operation.value = "sep_conv_3x3"
    assert builder.value.genotype.reduce[3] == ("sep_conv_3x3", source.value)
    source.value = 1
    assert builder.value.genotype.reduce[3] == ("sep_conv_3x3", 1)
    assert builder.value.genotype.normal == normal


def test_each_node_reads_from_two_places() -> None:
    cell = spaces.get("s1", nodes=2).normal
    pairs = (("skip_connect", 0), ("skip_connect", 1), ("dil_conv_5x5", 0), ("sep_conv_3x3", 1))
    assert with_pair(cell, pairs, 2, ("dil_conv_5x5", 1)) == (*pairs[:2], ("skip_connect", 1), ("skip_connect", 0))
    assert with_pair(cell, pairs, 2, ("dil_conv_3x3", 2)) == (*pairs[:2], ("dil_conv_3x3", 2), ("sep_conv_3x3", 1))
    for index in range(4):
        for source in range(2 + index // 2):
            assert cell.problem_with(with_pair(cell, pairs, index, ("skip_connect", source))) is None


def test_rows_show_the_edges_of_the_chosen_cell(builder: CellBuilder) -> None:
    def shown() -> int:
        return sum(source.layout.display != "none" for source, _ in builder._pairs)

    assert shown() == 4
    builder._choices["nodes"].value = 4
    assert shown() == 8
    builder._choices["reduction"].value = "fixed"
    builder._kind.value = "reduce"
    assert shown() == 0
    assert "FactorizedReduce" in builder._drawing.value


def test_random_cells_and_neighbour_steps(builder: CellBuilder) -> None:
    random, step, _ = builder.children[1].children
    random.click()
    drawn = builder.value.genotype
    step.click()
    assert builder.value.genotype in builder.value.search_space.neighbours(drawn)
    other = CellBuilder()
    other.random()
    assert other.value.genotype == drawn


def test_a_text_is_built_or_refused(builder: CellBuilder) -> None:
    _, _, use = builder.children[1].children
    builder.restore(str(state(space="darts", nodes=4, reduction="searched")))
    builder._text.value = " DARTS_V1 "
    use.click()
    assert builder.value.genotype == spaces.published("DARTS_V1").genotype
    before = builder.state()
    for text, message in (
        ("NASNet", "not in space darts"),
        ("__import__('os')", "A genotype reads"),
        ("", "A genotype reads"),
    ):
        builder._text.value = text
        use.click()
        assert message in builder._message.value
        assert builder.state() == before
    builder.random()
    assert builder._message.value == ""


def test_an_architecture_of_every_edge_is_built_and_changed(builder: CellBuilder) -> None:
    builder.restore(str(state(space="s3", nodes=4)))
    space = builder.value.search_space
    pairs = tuple((space.operations[edge % 3], source) for edge, (source, _) in enumerate(space.normal.edges))
    builder._text.value = str(space.genotype({"normal": pairs}))
    builder.children[1].children[2].click()
    assert builder.value.genotype.normal == pairs
    assert builder._message.value == ""
    shown = [box for box in builder._pairs if box[0].layout.display != "none"]
    assert [source.description for source, _ in shown] == [f"node {target} ←" for _, target in space.normal.edges]
    shown[1][1].value = "none"
    assert builder.value.genotype.normal == (pairs[0], ("none", 1), *pairs[2:])
    shown[4][0].value = 0  # the edges from 0 and 2 into node 3 change places in the list
    swapped = (pairs[0], ("none", 1), (pairs[2][0], 2), pairs[3], (pairs[4][0], 0), *pairs[5:])
    assert builder.value.genotype.normal == swapped
    builder.step()
    assert len(builder.value.genotype.normal) == len(pairs)
    assert CellBuilder(builder.state()).value == builder.value
    assert compute(builder.value).params == describe(builder.value.genotype, channels=8, layers=5, classes=10)["params"]


def test_every_control_is_labelled(builder: CellBuilder) -> None:
    for box in (*builder._choices.values(), builder._kind, *builder.children[1].children, builder._text):
        assert box.description
        assert box.tooltip
    for source, operation in builder._pairs[:4]:
        assert source.description.startswith("node")
        assert source.tooltip
        assert operation.tooltip


def test_without_a_kernel_there_is_a_picture_with_words(builder: CellBuilder, alt_of) -> None:
    bundle = builder._repr_mimebundle_()
    words = alt_of(bundle)
    assert words == bundle["text/plain"]
    assert "The normal cell has 2 nodes" in words
    assert "The reduction cell has 2 nodes" in words
    assert f"{builder.result().macs:,} multiply-adds" in words
    assert [axis.get_title(loc="left") for axis in builder.figure().axes] == ["normal cell", "reduction cell"]


def test_it_answers_within_a_tenth_of_a_second(builder: CellBuilder) -> None:
    builder.restore(str(state(space="darts", nodes=4, reduction="searched", channels=36, layers=20)))
    builder.random()  # an operation is measured when it is first met
    start = time.process_time()
    for _ in range(10):
        builder.step()
    assert (time.process_time() - start) / 10 < 0.1


def test_samples_follow_from_their_number() -> None:
    space = spaces.get("s1", nodes=2)
    drawn = [space.sample(torch.Generator().manual_seed(number)) for number in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
