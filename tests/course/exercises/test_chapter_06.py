"""The checks of chapter 06: right answers pass, typical wrong ones are told what is wrong."""

import pytest
import torch

from nasbook import spaces
from nasbook.course.exercises import find_exercise, judge
from nasbook.experiment import Outcome
from nasbook.selection import magnitude


def verdict(number, attempt):
    return judge(find_exercise(f"06.{number}"), attempt)


def keep(weights, operations, *, score=lambda row, place: row[place], allowed=None, most=2, order=True):
    """The rule, with one thing at a time that can be done wrong."""
    places = [place for place, name in enumerate(operations) if name != "none"] if allowed is None else allowed
    found = []
    for edge, row in enumerate(weights.tolist()):
        best = max(places, key=lambda place: row[place])
        found.append((score(row, best), operations[best], edge))
    return [(name, edge) for _, name, edge in sorted(found, reverse=order)[:most]]


def without_none(row, place):
    """The weight that an operation would have if `none` (the largest, or the first) took no part."""
    return row[place] / (1.0 - row[0])


def over_all_pairs(weights, operations):
    """The two best operations of the node, whichever edges they sit on."""
    pairs = [
        (weight, name, edge)
        for edge, row in enumerate(weights.tolist())
        for weight, name in zip(row, operations)
        if name != "none"
    ]
    return [(name, edge) for _, name, edge in sorted(pairs, reverse=True)[:2]]


def test_the_rule_passes_and_is_the_packages_own():
    assert verdict(1, keep)[0] == "right"
    space = spaces.get("s3", nodes=2, reduction="fixed")
    weights = torch.rand(space.normal.shape, generator=torch.Generator().manual_seed(3)).softmax(-1)
    kept = [pair for node in (2, 3) for pair in keep(weights[list(space.normal.into(node))], space.operations)]
    sources = [(name, space.normal.edges[edge + start][0]) for (name, edge), start in zip(kept, (0, 0, 2, 2))]
    assert tuple(sources) == magnitude(space, {"normal": weights}).normal


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda weights, operations: keep(weights, operations, allowed=range(len(operations))), "never holds none"),
        (lambda weights, operations: keep(weights, operations, score=without_none), "after the softmax"),
        (lambda weights, operations: keep(weights, operations, most=3), "keeps two edges"),
        (over_all_pairs, "sit on one edge"),
        (lambda weights, operations: keep(weights, operations, order=False)[:2], "another pair"),
        (lambda weights, operations: keep(weights, operations)[::-1], "stronger should come first"),
        (
            lambda weights, operations: [(edge, name) for name, edge in keep(weights, operations)],
            "name of an operation",
        ),
        (lambda weights, operations: None, "Return a list"),
    ],
)
def test_wrong_rules_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def between(weights, discrete, t):
    return {name: (1 - t) * weights[name] + t * discrete[name] for name in weights}


def in_place(weights, discrete, t):
    return {name: weights[name].mul_(1 - t).add_(t * discrete[name]) for name in weights}


def test_the_line_passes():
    assert verdict(2, between)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda weights, discrete, t: between(discrete, weights, t), "is off by"),
        (lambda weights, discrete, t: between(weights, discrete, t)["normal"], "Return a dictionary"),
        (lambda weights, discrete, t: {"normal": weights["normal"]}, "groups should be"),
        (lambda weights, discrete, t: weights, "at t = 1"),
        (lambda weights, discrete, t: {name: value[0] for name, value in weights.items()}, "should have shape"),
        (in_place, "changes the weights"),
    ],
)
def test_wrong_lines_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


RESULT = {"data": "my_photographs.npz", "test_accuracy": 55.0}


def test_a_search_on_own_images_passes():
    assert verdict(3, Outcome(RESULT, [{}, {}], []))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (RESULT, "what experiment.search returns"),
        (Outcome({**RESULT, "data": "digits"}, [{}, {}], []), "comes with the book"),
        (Outcome({"data": "my_photographs.npz"}, [{}, {}], []), "Train the architecture"),
        (Outcome(RESULT, [{}], []), "two at least"),
    ],
)
def test_other_searches_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert says in sentence
