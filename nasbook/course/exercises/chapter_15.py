"""The exercises of chapter 15, selection by perturbation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect, expect_close

Measure = Callable[[Tensor], float]
_EDGES = ((3, 2, 0), (4, 5, 2), (2, 3, 1))  # edges, operations, the edge that is scored
_TIES = ((50.0, 31.0, 40.0), (22.5, 20.0, 20.0, 60.0), (10.0, 10.0), (70.0, 80.0, 75.0, 71.0, 60.0))
_NODES = ((5, 3, (2, 3, 4), 2), (7, 2, (1, 3, 5, 6), 2), (4, 4, (0, 1, 3), 1))  # edges, operations, into a node, kept


class _Supernet:
    """Something to measure, which keeps what it was asked."""

    def __init__(self, edges: int, operations: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.worth = torch.randn(edges, operations, generator=generator, dtype=torch.float64)
        self.weights = torch.randn(edges, operations, generator=generator, dtype=torch.float64).softmax(1)
        self.asked: list[Tensor] = []

    def accuracy(self, weights: Tensor) -> float:
        """An accuracy in percent that is not linear in the weights."""
        level = (self.worth * weights).sum() + (weights.sum(1) - 1).square().sum() - weights.square().sum()
        return float(100 * torch.sigmoid(level))

    def __call__(self, weights: Tensor) -> float:
        self.asked.append(weights.detach().clone())
        return self.accuracy(weights)


def check_scores(attempt: Callable[[Measure, Tensor, int], Any]) -> None:
    """(measure, weights (E, K), edge) -> K accuracies, each without one operation of the edge."""
    for place, (edges, operations, edge) in enumerate(_EDGES):
        supernet = _Supernet(edges, operations, 1500 + place)
        mine = supernet.weights.clone()
        got = attempt(supernet, mine, edge)
        expect(
            torch.equal(mine, supernet.weights),
            "Your function changes the weights that it was handed: the next edge would be scored without them. Work "
            "on a clone, and a fresh one for each operation.",
        )
        right = [supernet.accuracy(_without(supernet.weights, edge, (each,))) for each in range(operations)]
        _name_the_fault(_numbers(got, operations), right, supernet, edge)


def _name_the_fault(got: Tensor, right: Sequence[float], supernet: _Supernet, edge: int) -> None:
    """Say which of the typical wrong scores these are."""
    weights, operations = supernet.weights, supernet.weights.shape[1]
    removed = [_without(weights, edge, (each,)) for each in range(operations)]
    scaled = [each / each.sum(1, keepdim=True) for each in removed]
    expect(
        not _same(got, [supernet.accuracy(each) for each in scaled]),
        "You share the removed weight among the others. Leave them as they are: the row then sums to less than one.",
    )
    alone = [_without(weights, edge, [k for k in range(operations) if k != each]) for each in range(operations)]
    hot = [(each > 0).to(weights) * (each.sum(1, keepdim=True) < 1) + each * _others(weights, edge) for each in alone]
    expect(
        not _same(got, [supernet.accuracy(each) for each in alone])
        and not _same(got, [supernet.accuracy(each) for each in hot]),
        "You score each operation alone on the edge; what is asked for is the supernet without it.",
    )
    growing = [_without(weights, edge, range(each + 1)) for each in range(operations)]
    expect(
        operations < 2 or not _same(got, [supernet.accuracy(each) for each in growing]),
        "The operations before are missing too: put each back before the next is taken out.",
    )
    before = supernet.accuracy(weights)
    expect(
        not _same(got, [before - each for each in right]),
        "These are the drops; return the accuracies themselves.",
    )
    expect_close(got, torch.tensor(right, dtype=torch.float64), "The accuracy without each operation")


def _others(weights: Tensor, edge: int) -> Tensor:
    """(E, 1): one for every edge but this."""
    mask = torch.ones_like(weights[:, :1])
    mask[edge] = 0.0
    return mask


def check_pick(attempt: Callable[[list[float]], Any]) -> None:
    """accuracies -> the place of what is kept."""
    for accuracies in _TIES:
        got = attempt(list(accuracies))
        lowest = min(accuracies)
        places = [place for place, value in enumerate(accuracies) if value == lowest]
        if isinstance(got, Tensor) and got.numel() == 1:
            got = got.item()
        if isinstance(got, bool) or not isinstance(got, int):
            raise WrongAnswer("Return the place of the operation in the list, a whole number from 0.")
        expect(0 <= got < len(accuracies), f"There are {len(accuracies)} operations here, and no number {got}.")
        expect(
            got in places or accuracies[got] != max(accuracies),
            "That is the operation that the supernet misses least: without it the accuracy stays highest.",
        )
        expect(got in places, "Without another operation the supernet does worse than without yours.")
        expect(got == places[0], "Two operations are missed alike; the released code then keeps the first.")


def check_batch_statistics(attempt: Callable[[nn.Module, Tensor, Tensor], Any]) -> None:
    """(network, images, labels) -> accuracy in percent by the batch's own statistics, nothing changed."""
    for place, training in enumerate((False, True)):
        network, images, labels = _network(1530 + place)
        network.train(training)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        right, stale = (_accuracy(network, images, labels, batch=each) for each in (True, False))
        network.load_state_dict(before)
        network.train(training)
        got = attempt(network, images, labels)
        expect(
            all(torch.equal(value, before[name]) for name, value in network.state_dict().items()),
            "After your measurement the running statistics are others: the next one would begin from another supernet. "
            "Save the buffers before, and put them back.",
        )
        expect(
            network.training == training,
            f"The network was in {'training' if training else 'evaluation'} mode and is no longer; set it back.",
        )
        expect(
            not isinstance(got, Tensor) or not got.requires_grad,
            "Nothing is learned here: measure under torch.no_grad().",
        )
        value = float(got) if isinstance(got, Tensor) and got.numel() == 1 else got
        expect(
            not _same_number(value, stale),
            "That is the accuracy by the running statistics, which fit no one mixture of operations.",
        )
        expect(not _same_number(value, right / 100), "Return a percentage.")
        expect_close(value, right, "The accuracy in percent", tolerance=1e-4)


def check_edges(attempt: Callable[[Measure, Tensor, list[int], int], Any]) -> None:
    """(measure, weights (E, K), edges into a node, keep) -> the edges that stay."""
    for place, (edges, operations, into, keep) in enumerate(_NODES):
        supernet = _Supernet(edges, operations, 1541 + place)
        one_hot = torch.zeros_like(supernet.weights)
        one_hot[torch.arange(edges), supernet.weights.argmax(1)] = 1.0
        mine = one_hot.clone()
        got = attempt(supernet, mine, list(into), keep)
        expect(torch.equal(mine, one_hot), "Your function changes the weights that it was handed; work on a clone.")
        without = {edge: supernet.accuracy(_without(one_hot, edge, range(operations))) for edge in into}
        right = sorted(into, key=lambda edge: without[edge])
        if not isinstance(got, list | tuple | set) or len(got) != keep or not set(got) <= set(into):
            raise WrongAnswer(f"Return {keep} of the edges {list(into)} as a list of whole numbers.")
        expect(
            len(into) == keep or set(got) != set(right[::-1][:keep]) or set(got) == set(right[:keep]),
            "These are the edges that the supernet misses least: without them the accuracy stays highest.",
        )
        expect(
            set(got) == set(right[:keep]),
            "Another edge is missed more. Take out whole edges, one at a time, with all the others there.",
        )


def _network(seed: int) -> tuple[nn.Module, Tensor, Tensor]:
    """A network whose running statistics are far from those of its images."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)).double()
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    for name, buffer in network.named_buffers():
        if "running" in name:
            buffer.copy_(torch.rand(buffer.shape, generator=generator, dtype=torch.float64) * 4 + 0.5)
    images = torch.randn(64, 4, generator=generator, dtype=torch.float64)
    return network, images, torch.randint(0, 3, (64,), generator=generator)


def _accuracy(network: nn.Module, images: Tensor, labels: Tensor, *, batch: bool) -> float:
    network.train(batch)
    with torch.no_grad():
        return 100.0 * float((network(images).argmax(1) == labels).double().mean())


def _without(weights: Tensor, edge: int, columns: Sequence[int] | range) -> Tensor:
    less = weights.clone()
    less[edge, list(columns)] = 0.0
    return less


def _numbers(got: Any, count: int) -> Tensor:
    """An answer as a tensor (K,)."""
    if isinstance(got, Tensor) and got.shape == (count,):
        return got.detach().double()
    if not isinstance(got, list | tuple) or len(got) != count:
        raise WrongAnswer(f"Return a list of {count} accuracies here, one for each operation.")
    return torch.tensor([float(each) for each in got], dtype=torch.float64)


def _same(got: Tensor, other: Sequence[float]) -> bool:
    return torch.allclose(got, torch.tensor(list(other), dtype=torch.float64), rtol=1e-6, atol=1e-6)


def _same_number(got: Any, other: float) -> bool:
    return isinstance(got, int | float) and not isinstance(got, bool) and abs(got - other) < 1e-4


EXERCISES = (
    Exercise("15.1", "Score an edge", "easy", 10, check_scores, "equation (15.1)"),
    Exercise("15.2", "Pick, also where two are equal", "easy", 5, check_pick, "the algorithm"),
    Exercise("15.3", "Measure by the statistics of the batch", "medium", 20, check_batch_statistics, "What breaks"),
    Exercise("15.4", "The edges of a node", "medium", 15, check_edges, "the algorithm"),
)
