"""The checks of chapter 07: right answers pass, typical wrong ones are told what is wrong."""

import pytest
import torch

from nasbook import spaces
from nasbook.analysis.collapse import control_cells
from nasbook.analysis.counts import PARAMETER_FREE
from nasbook.course.exercises import NotAttempted, chapter_07, find_exercise, judge
from nasbook.experiment import Outcome


def verdict(number, attempt):
    return judge(find_exercise(f"07.{number}"), attempt)


def unwritten(*_):
    raise NotAttempted


@pytest.mark.parametrize("number", [1, 2])
def test_stubs_are_not_attempted(number):
    assert verdict(number, unwritten)[0] == "not attempted"


def test_an_outcome_that_is_not_there_is_not_attempted():
    assert verdict(3, ...)[0] == "not attempted"


def share(genotype, empty, *, pairs=None, times=1.0):
    kept = genotype.normal if pairs is None else pairs
    return times * sum(name in empty for name, _ in kept) / len(kept)


def test_the_share_passes():
    assert verdict(1, share)[0] == "right"


def test_the_names_without_weights_are_the_packages_own():
    assert set(chapter_07.EMPTY) == PARAMETER_FREE - {"none", "maxpool3x3"}


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda genotype, empty: share(genotype, empty, times=100), "percent"),
        (lambda genotype, empty: share(genotype, empty, times=len(genotype.normal)), "a count"),
        (lambda genotype, empty: share(genotype, empty, pairs=(*genotype.normal, *genotype.reduce)), "normal cell"),
        (lambda genotype, empty: share(genotype, ("skip_connect",)), "is off by"),
        (lambda genotype, empty: 1 - share(genotype, empty), "is off by"),
        (lambda genotype, empty: 1.0, "is off by"),
        (lambda genotype, empty: None, "is a return missing?"),
    ],
)
def test_wrong_shares_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def control(space, operation, *, first=True, fallback=0):
    pairs = {}
    for name, cell in space.groups.items():
        pairs[name] = ()
        for node in cell.nodes:
            edges = list(cell.into(node))
            if first:
                edges.sort(key=lambda edge: operation not in cell.choices(edge))
            for edge in edges[: cell.keep]:
                names = cell.choices(edge)
                pairs[name] += ((operation if operation in names else names[fallback], cell.edges[edge][0]),)
    return space.genotype(pairs)


def test_the_control_passes_whatever_fills_the_rest():
    assert verdict(2, control)[0] == "right"
    assert verdict(2, lambda space, operation: control(space, operation, fallback=-1))[0] == "right"


def test_the_studys_own_control_cells_hold_as_much():
    space = spaces.get("s2", nodes=4)
    cells = control_cells(space, 1)
    assert cells["convolutions"].canonical() == control(space, "sep_conv_3x3").canonical()
    assert cells["empty"].canonical() == control(space, "skip_connect").canonical()


def everywhere(space, operation):
    """The operation on every kept edge, whether the edge offers it or not."""
    pairs = {
        name: tuple((operation, cell.edges[edge][0]) for node in cell.nodes for edge in cell.into(node)[:2])
        for name, cell in space.groups.items()
    }
    return space.genotype(pairs)


def one_edge_twice(space, operation):
    return space.genotype({name: ((operation, 0),) * (2 * len(cell.nodes)) for name, cell in space.groups.items()})


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (everywhere, "In space s1 with 4 nodes: The genotype is not in space s1"),
        (one_edge_twice, "feeds node 2 twice"),
        (lambda space, operation: control(space, operation, first=False), "an architecture can hold"),
        (lambda space, operation: control(space, "sep_conv_3x3"), "an architecture can hold skip_connect"),
        (lambda space, operation: control(space, operation).normal, "Return a genotype"),
        (lambda space, operation: space.sample(torch.Generator().manual_seed(0)), "an architecture can hold"),
    ],
)
def test_wrong_controls_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def outcome(*, skips=1, weight=0.4, **changes):
    space = spaces.get("s2", nodes=2, reduction="fixed")
    names = ["skip_connect"] * skips + ["sep_conv_3x3"] * (4 - skips)
    genotype = space.genotype({"normal": tuple(zip(names, (0, 1, 0, 1)))})
    result = {"method": "darts", "space": "s2", "valid_accuracy": 60.0, "genotype": str(genotype)} | changes
    last = {"weights": {"normal": [[weight, 1 - weight]] * space.edges}}
    return Outcome(result, [last], [])


def test_a_search_in_which_convolutions_won_passes():
    assert verdict(3, outcome())[0] == "right"
    assert verdict(3, outcome(skips=0, method="darts-2nd"))[0] == "right"
    assert verdict(3, outcome(skips=2, weight=0.44, valid_accuracy=50.0))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (outcome().result, "what experiment.search returns"),
        (Outcome({"test_accuracy": 60.0}, [], []), "the outcome of a training"),
        (outcome(space="s3"), "this one searched s3"),
        (outcome(method="rsps"), "Save DARTS itself"),
        (outcome(valid_accuracy=38.0), "reached 38.0 %"),
        (outcome(weight=0.55), "the weight 0.55"),
        (outcome(weight=0.48), "below 0.45"),
        (outcome(skips=3), "keeps 3 skip connections"),
    ],
)
def test_other_searches_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence
