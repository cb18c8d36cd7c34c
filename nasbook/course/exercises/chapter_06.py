"""The exercises of chapter 06, DARTS from end to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from nasbook import datasets, spaces
from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect, expect_close
from nasbook.experiment import Outcome

Kept = list[tuple[str, int]]

# The weights of the edges into one node, the operations of every edge, and (operation, edge) of the two kept edges.
_THREE = ("none", "skip_connect", "sep_conv_3x3")
_POOL = ("skip_connect", "none", "max_pool_3x3")
_KEEP: tuple[tuple[list[list[float]], tuple[str, ...], Kept], ...] = (
    ([[0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.3, 0.4, 0.3]], _THREE, [("sep_conv_3x3", 1), ("skip_connect", 0)]),
    # `none` is the largest everywhere: it never comes out, and does not score
    ([[0.8, 0.15, 0.05], [0.5, 0.2, 0.3], [0.6, 0.17, 0.23]], _THREE, [("sep_conv_3x3", 1), ("sep_conv_3x3", 2)]),
    # without the mass of `none` edge 0 would be the strongest
    ([[0.80, 0.18, 0.02], [0.10, 0.47, 0.43], [0.05, 0.48, 0.47]], _THREE, [("skip_connect", 2), ("skip_connect", 1)]),
    # the strongest two operations sit on one edge: still two edges are kept
    ([[0.02, 0.5, 0.48], [0.7, 0.2, 0.1], [0.6, 0.1, 0.3]], _THREE, [("skip_connect", 0), ("sep_conv_3x3", 2)]),
    # `none` is not the first of the list
    ([[0.3, 0.6, 0.1], [0.4, 0.1, 0.5]], _POOL, [("max_pool_3x3", 1), ("skip_connect", 0)]),
)


def check_keep_two(attempt: Callable[[Tensor, tuple[str, ...]], Kept]) -> None:
    """(weights of a node's edges (edges, operations), names) -> the two kept (operation, edge), strongest first."""
    for rows, names, right in _KEEP:
        got = attempt(torch.tensor(rows, dtype=torch.float64), names)
        expect(isinstance(got, list | tuple), "Return a list of two (operation, edge) pairs.")
        pairs = [tuple(pair) for pair in got]
        expect(len(pairs) == 2, f"A node keeps two edges, yours keeps {len(pairs)}.")
        expect(all(name in names for name, _ in pairs), "The first of each pair must be the name of an operation.")
        expect("none" not in [name for name, _ in pairs], "An architecture never holds none.")
        expect(len({edge for _, edge in pairs}) == 2, "The two operations sit on one edge; keep two edges.")
        expect(set(pairs) != set(right) or pairs == right, "Both pairs are right, but the stronger should come first.")
        if pairs != right:
            raise WrongAnswer(
                f"For the weights {rows} of {', '.join(names)} another pair of edges is the strongest: score each edge "
                "by its largest weight apart from none, as it stands after the softmax."
            )


def check_between(attempt: Callable[[Mapping[str, Tensor], Mapping[str, Tensor], float], Mapping[str, Tensor]]) -> None:
    """(weights, one-hot weights, t) -> the weights at share t of the straight line from the first to the second."""
    space = spaces.get("s3", nodes=2)
    generator = torch.Generator().manual_seed(606)
    shape = space.normal.shape
    mixed = {name: torch.rand(shape, generator=generator).double().softmax(-1) for name in space.groups}
    choice = {name: torch.randint(shape[1], (shape[0],), generator=generator) for name in space.groups}
    discrete = {name: torch.nn.functional.one_hot(index, shape[1]).double() for name, index in choice.items()}
    before = {name: value.clone() for name, value in mixed.items()}
    for share in (0.0, 1.0, 0.25):
        got = attempt(mixed, discrete, share)
        expect(isinstance(got, Mapping), "Return a dictionary with one tensor a group.")
        expect(set(got) == set(mixed), f"The groups should be {' and '.join(mixed)}.")
        for name in mixed:
            right = mixed[name] + share * (discrete[name] - mixed[name])
            expect_close(got[name], right, f"The {name} group at t = {share:g}")
    expect(
        all(torch.equal(mixed[name], value) for name, value in before.items()),
        "Your function changes the weights that it is handed; make new tensors.",
    )


def check_own_search(attempt: Any) -> None:
    """The outcome of a search, with retraining, on a data set that the book does not have."""
    expect(isinstance(attempt, Outcome), "Hand over what experiment.search returns.")
    result = attempt.result
    own = str(result.get("data"))
    expect(own not in datasets.names(), f"{own} comes with the book: search on images of your own.")
    expect("test_accuracy" in result, "Train the architecture from scratch too, so that it can be tested.")
    expect(len(attempt.history) >= 2, "One epoch moves alpha hardly at all; search for two at least.")


EXERCISES = (
    Exercise("06.1", "Keep two edges", "easy", 10, check_keep_two, 'the section "Derive the cell"'),
    Exercise("06.2", "From the mixture to one architecture", "medium", 20, check_between, "equation (6.2)"),
    Exercise("06.3", "Search on your own images", "hard", 30, check_own_search, 'the section "Search"'),
)
