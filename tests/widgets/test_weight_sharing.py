"""Two paths of one supernet: what the widget computes, its state, its buttons, and its static picture."""

import pytest
import torch

from nasbook import spaces, strategies
from nasbook.analysis import weight_sharing
from nasbook.runtime.errors import UsageError
from nasbook.widgets.weight_sharing import (
    PathScores,
    PathsState,
    WeightSharingPaths,
    compute,
    stored_scores,
)


@pytest.fixture
def scores():
    space = spaces.get("s2", nodes=2, reduction="fixed")
    genotypes = tuple(strategies.architectures(space))
    generator = torch.Generator().manual_seed(0)
    apart, shared = (tuple((20 + 40 * torch.rand(48, generator=generator)).tolist()) for _ in range(2))
    return PathScores(space, genotypes, apart, shared)


def test_compute_counts_as_the_supernet_of_a_class_size_search_does(scores):
    supernet = weight_sharing.population().supernet
    for state in (PathsState(0, 47), PathsState(15, 33), PathsState(12, 12)):
        found = compute(scores, state)
        assert found.shares == weight_sharing.shares(supernet, scores.genotypes[state.a], scores.genotypes[state.b])
        assert found.apart == (scores.apart[state.a], scores.apart[state.b])
        assert found.shared == (scores.shared[state.a], scores.shared[state.b])


@pytest.mark.parametrize(
    ("apart", "shared", "words"),
    [
        ((50.0, 40.0), (45.0, 35.0), "in the right order: trained apart, A is better by 10.0 points"),
        ((40.0, 50.5), (45.0, 35.0), "in the wrong order: trained apart, B is better by 10.5 points"),
        ((40.0, 40.0), (45.0, 35.0), "does not tell A and B apart"),
    ],
)
def test_the_verdict_on_the_order(scores, apart, shared, words):
    known = PathScores(scores.space, scores.genotypes, apart + scores.apart[2:], shared + scores.shared[2:])
    assert words in compute(known, PathsState(0, 1)).verdict
    assert "same architecture" in compute(known, PathsState(1, 1)).verdict


def test_a_state_goes_out_and_in(scores):
    shown = WeightSharingPaths(scores, state="A=3 B=17")
    assert (shown.a, shown.b, shown.state()) == (3, 17, "A=3 B=17")
    other = WeightSharingPaths(scores)
    other.restore(shown.state())
    assert other.state() == "A=3 B=17"


@pytest.mark.parametrize("text", ["", "A=1", "A=1 C=2", "A=x B=2", "A=1 B=2 B=3", "A=48 B=0", "A=0 B=-1"])
def test_a_state_of_another_form_is_refused_and_changes_nothing(scores, text):
    shown = WeightSharingPaths(scores, state="A=3 B=17")
    with pytest.raises(UsageError):
        shown.restore(text)
    with pytest.raises(UsageError):
        WeightSharingPaths(scores, state=text)
    with pytest.raises(UsageError):
        shown.a = 48
    assert shown.state() == "A=3 B=17"


def test_the_buttons_say_every_architecture_and_set_every_architecture(scores):
    shown = WeightSharingPaths(scores)
    for number, genotype in enumerate(scores.genotypes):
        shown.a = number
        assert shown._paths["a"].read() == genotype.normal
    buttons = shown._paths["b"]
    shown.restore("A=0 B=0")
    for field in (*buttons.operations[2], *buttons.operations[3]):
        field.value = "sep_conv_3x3"
    buttons.sources[3].value = (1, 2)
    assert shown.b == 47
    assert shown.a == 0
    assert shown.result().b.normal == (
        ("sep_conv_3x3", 0),
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 2),
    )
    assert [field.description for field in buttons.operations[3]] == ["1 → 3", "2 → 3"]


def test_every_control_says_what_it_is(scores):
    shown = WeightSharingPaths(scores)
    for buttons in shown._paths.values():
        for field in (buttons.sources[3], *buttons.operations[2], *buttons.operations[3]):
            assert field.description
            assert field.tooltip
    for button in shown.children[2].children:
        assert button.description
        assert button.tooltip


def test_step_and_swap(scores):
    shown = WeightSharingPaths(scores, state="A=5 B=47")
    step, swap = shown.children[2].children
    step.click()
    assert shown.state() == "A=5 B=0"
    swap.click()
    assert shown.state() == "A=0 B=5"


def test_what_is_drawn_follows_the_state(scores):
    shown = WeightSharingPaths(scores, state="A=0 B=0")
    assert "same architecture" in shown._drawing.value
    shown.b = 47
    result = shown.result()
    assert f"{result.shares.b:,}" in shown._drawing.value
    assert f"{scores.apart[47]:.1f}" in shown._drawing.value
    assert f"{scores.shared[47]:.1f}" in shown._drawing.value
    assert "<svg" in shown._drawing.value


def test_without_a_kernel_there_is_a_picture_and_its_words(scores, alt_of):
    shown = WeightSharingPaths(scores, state="A=0 B=47")
    data = shown._repr_mimebundle_()
    words = alt_of(data)
    assert data["text/plain"] == words
    assert f"{scores.apart[0]:.1f} % trained apart" in words
    assert "belong to every path" in words


def test_the_stored_scores_cover_the_space_and_the_task_has_an_answer():
    scores = stored_scores()
    assert len(scores.genotypes) == len(scores.apart) == len(scores.shared) == scores.space.size() == 48
    table = strategies.tabulated("s2_2nodes_fixed")
    assert scores.apart[7] == table(scores.genotypes[7])
    assert scores.number(scores.genotypes[11].normal) == 11
    wrong = [
        (a, b)
        for a in range(48)
        for b in range(48)
        if scores.apart[a] - scores.apart[b] >= 5 and scores.shared[a] < scores.shared[b]
    ]
    assert wrong
