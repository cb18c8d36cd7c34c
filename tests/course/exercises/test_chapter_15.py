"""The checks of chapter 15: right answers pass, typical wrong ones are told what is wrong."""

import pytest
import torch
from torch.func import functional_call

from nasbook.course.exercises import find_exercise, judge


def verdict(number, attempt):
    return judge(find_exercise(f"15.{number}"), attempt)


def without(weights, edge, columns, fill=0.0):
    less = weights.clone()
    less[edge, columns] = fill
    return less


def scores(measure, weights, edge):
    return [measure(without(weights, edge, each)) for each in range(weights.shape[1])]


def renormalised(measure, weights, edge):
    rows = [without(weights, edge, each) for each in range(weights.shape[1])]
    return [measure(row / row.sum(1, keepdim=True)) for row in rows]


def alone(measure, weights, edge, value=None):
    found = []
    for each in range(weights.shape[1]):
        row = without(weights, edge, slice(None))
        row[edge, each] = weights[edge, each] if value is None else value
        found.append(measure(row))
    return found


def cumulative(measure, weights, edge):
    less, found = weights.clone(), []
    for each in range(weights.shape[1]):
        less[edge, each] = 0.0
        found.append(measure(less))
    return found


def in_place(measure, weights, edge):
    found = scores(measure, weights, edge)
    weights[edge, 0] = 0.0
    return found


def test_scores_pass():
    assert verdict(1, scores)[0] == "right"
    assert verdict(1, lambda *args: torch.tensor(scores(*args), dtype=torch.float64))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (renormalised, "share the removed weight"),
        (alone, "alone on the edge"),
        (lambda *args: alone(*args, value=1.0), "alone on the edge"),
        (cumulative, "missing too"),
        (in_place, "changes the weights"),
        (lambda measure, weights, edge: [measure(weights) - each for each in scores(measure, weights, edge)], "drops"),
        (lambda measure, weights, edge: min(scores(measure, weights, edge)), "Return a list"),
        (lambda measure, weights, edge: [50.0] * weights.shape[1], "is off by"),
        (lambda measure, weights, edge: None, "Return a list"),
    ],
)
def test_wrong_scores_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


def test_picks_pass():
    assert verdict(2, lambda accuracies: accuracies.index(min(accuracies)))[0] == "right"
    assert verdict(2, lambda accuracies: torch.tensor(accuracies).argmin())[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda accuracies: accuracies.index(max(accuracies)), "misses least"),
        (lambda accuracies: len(accuracies) - 1 - accuracies[::-1].index(min(accuracies)), "keeps the first"),
        (min, "Return the place"),
        (lambda accuracies: 2 if len(accuracies) > 2 else 0, "does worse than without yours"),
        (lambda accuracies: 7, "no number 7"),
        (lambda accuracies: accuracies.index(min(accuracies)) == 1, "Return the place"),
    ],
)
def test_wrong_picks_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence


def percent(logits, labels):
    return 100.0 * float((logits.argmax(1) == labels).double().mean())


def saved_and_restored(network, images, labels):
    training, before = network.training, {name: each.clone() for name, each in network.named_buffers()}
    network.train()
    with torch.no_grad():
        found = percent(network(images), labels)
        for name, each in network.named_buffers():
            each.copy_(before[name])
    network.train(training)
    return found


def on_copies(network, images, labels):
    training, copies = network.training, {name: each.clone() for name, each in network.named_buffers()}
    network.train()
    with torch.no_grad():
        logits = functional_call(network, copies, (images,))
    network.train(training)
    return torch.tensor(percent(logits, labels))


def by_running_statistics(network, images, labels):
    training = network.training
    network.eval()
    found = percent(network(images), labels)
    network.train(training)
    return found


def statistics_left_moved(network, images, labels):
    training = network.training
    network.train()
    found = percent(network(images), labels)
    network.train(training)
    return found


def mode_left(network, images, labels):
    found = saved_and_restored(network, images, labels)
    network.train(not network.training)
    return found


@pytest.mark.parametrize("attempt", [saved_and_restored, on_copies])
def test_measurements_by_batch_statistics_pass(attempt):
    assert verdict(3, attempt)[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (by_running_statistics, "by the running statistics"),
        (statistics_left_moved, "running statistics are others"),
        (mode_left, "mode and is no longer"),
        (lambda *args: saved_and_restored(*args) / 100, "Return a percentage"),
        (lambda *args: saved_and_restored(*args) + 1, "is off by"),
        (lambda network, images, labels: network.eval()(images).sum(), "running statistics|no_grad|mode"),
        (lambda *args: None, "None"),
    ],
)
def test_other_measurements_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(3, attempt)
    assert kind == "wrong"
    assert any(each in sentence for each in says.split("|"))


def missed_most(measure, weights, edges, keep):
    found = {edge: measure(without(weights, edge, slice(None))) for edge in edges}
    return sorted(edges, key=lambda edge: found[edge])[:keep]


def missed_least(measure, weights, edges, keep):
    found = {edge: measure(without(weights, edge, slice(None))) for edge in edges}
    return sorted(edges, key=lambda edge: -found[edge])[:keep]


def changing(measure, weights, edges, keep):
    found = missed_most(measure, weights, edges, keep)
    for edge in set(edges) - set(found):
        weights[edge] = 0.0
    return found


def test_edges_pass():
    assert verdict(4, missed_most)[0] == "right"
    assert verdict(4, lambda *args: set(missed_most(*args)))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (missed_least, "misses least"),
        (changing, "changes the weights"),
        (lambda measure, weights, edges, keep: edges[:keep], "Another edge is missed more"),
        (lambda measure, weights, edges, keep: edges, "Return 2 of the edges"),
        (lambda measure, weights, edges, keep: list(range(keep)), "Return 2 of the edges"),
        (lambda measure, weights, edges, keep: None, "Return 2 of the edges"),
    ],
)
def test_other_edges_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(4, attempt)
    assert kind == "wrong"
    assert says in sentence
