"""The exercises of chapter 12, making it fit."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from nasbook.course.exercises.checking import Exercise, expect, expect_close
from nasbook.spaces.operations import Normalising
from nasbook.supernet import EdgeSettings, MixedEdge

Point = tuple[int, float]  # K, MiB
Operation = Callable[[Tensor], Tensor]

# Base and slope of a line, the two measured K, and a budget. No budget is met exactly; the first is almost enough for
# one more.
_LINES = ((100.0, 30.0, (2, 4), 1020.0), (40.0, 7.5, (1, 8), 101.0), (500.0, 20.0, (3, 5), 400.0))
_NAMES = ("skip_connect", "avg_pool_3x3", "max_pool_3x3")  # nothing in them is learnt
_PAIRS = ((0, 2), (3, 1), (1, 4))


def check_largest_that_fits(attempt: Callable[[Point, Point, float], Any]) -> None:
    """((K, MiB), (K, MiB), budget) -> the largest whole K with base + slope * K within the budget."""
    for base, slope, (one, other), budget in _LINES:
        points = [(count, base + slope * count) for count in (one, other)]
        right = max(0, math.floor((budget - base) / slope))
        got = attempt(points[0], points[1], budget)
        expect(got is not None, "Your function returns nothing; is a return missing?")
        expect(isinstance(got, numbers.Real) and float(got).is_integer(), f"K is a whole number, not {got!r}.")
        expect(got >= 0, "Not even K = 0 fits here: return 0, not a negative number.")
        expect(
            got == right or got != math.floor(budget * one / points[0][1]),
            "You scaled one measurement in proportion. The base is needed whatever K is: take it off the budget first.",
        )
        expect(got != right + 1, "One too many: the next whole K above the budget does not fit. Round down.")
        expect(got == right, f"With {points[0]}, {points[1]} and a budget of {budget:g} MiB the answer is not {got:g}.")


def check_partial_edge(attempt: Callable[[Tensor, Sequence[Operation], Tensor, int], Any]) -> None:
    """(images, operations, weights, parts) -> the output of an edge with partial channels, equation (12.2)."""
    generator = torch.Generator().manual_seed(1202)
    for channels, parts in ((8, 4), (12, 2), (6, 1)):
        edge = MixedEdge(
            _NAMES, channels, 1, Normalising(affine=False), pool_norm=False, settings=EdgeSettings(parts)
        ).double()
        images = torch.randn(2, channels, 5, 4, generator=generator, dtype=torch.float64)
        weights = torch.softmax(torch.randn(len(_NAMES), generator=generator, dtype=torch.float64), dim=0)
        right = edge(images, weights)
        assert right is not None
        got = attempt(images.clone(), list(edge.operations), weights, parts)
        expect(isinstance(got, Tensor), "Return a tensor (B, C, H, W); is a return missing?")
        expect(
            got.shape == images.shape, f"The output should have shape {tuple(images.shape)}, not {tuple(got.shape)}."
        )
        _expect_precision(got, images)
        if not torch.allclose(got, right):
            _name_the_fault(got, images, edge, weights, parts)
        expect_close(got, right, f"The output with {channels} channels and {parts} parts")


def _name_the_fault(got: Tensor, images: Tensor, edge: MixedEdge, weights: Tensor, parts: int) -> None:
    """Say which of the typical wrong edges this is."""
    width = images.shape[1] // parts

    def mix(part: Tensor) -> Tensor:
        return torch.stack([weight * run(part) for weight, run in zip(weights, edge.operations, strict=True)]).sum(0)

    def shuffled(stacked: Tensor, groups: int) -> Tensor:
        return torch.nn.functional.channel_shuffle(stacked, groups)

    mixed, rest = mix(images[:, :width]), images[:, width:]
    stacked = torch.cat([mixed, rest], dim=1)
    last, others = mix(images[:, -width:]), images[:, :-width]
    of_the_last = "You sent the last C / parts channels through the operations: take the first."
    for channels in ([last, others], [others, last]):
        expect(not torch.allclose(got, shuffled(torch.cat(channels, dim=1), parts)), of_the_last)
    wrong = {
        "The channels are not dealt anew: the shuffle is missing.": stacked,
        "You deal from C / parts stacks of `parts` channels; take `parts` stacks of C / parts.": shuffled(
            stacked, width
        ),
        "You put the bypass first: the channels that went through the operations come first.": shuffled(
            torch.cat([rest, mixed], dim=1), parts
        ),
        "All channels went through the operations: only the first C / parts should.": mix(images),
    }
    for message, output in wrong.items():
        expect(got.shape != output.shape or not torch.allclose(got, output), message)


def _expect_precision(got: Tensor, given: Tensor) -> None:
    kind = str(given.dtype).removeprefix("torch.")
    yours = str(got.dtype).removeprefix("torch.")
    expect(
        got.dtype == given.dtype,
        f"Your result is {yours}, the inputs are {kind}: make new tensors from the inputs, as with torch.zeros_like.",
    )


def check_pair_gradient(attempt: Callable[[Tensor, tuple[int, int], Tensor], Any]) -> None:
    """(alpha, pair, dL/dg of the pair) -> the gradient of equation (12.4) within the pair, zeros elsewhere."""
    generator = torch.Generator().manual_seed(1203)
    for pair in _PAIRS:
        alpha = torch.randn(5, generator=generator, dtype=torch.float64)
        gates = torch.randn(2, generator=generator, dtype=torch.float64)
        got = attempt(alpha.clone(), pair, gates.clone())
        expect(isinstance(got, Tensor), "Return a tensor (K,); is a return missing?")
        expect(got.shape == alpha.shape, f"The gradient has one number for each of the {len(alpha)} operations.")
        _expect_precision(got, alpha)
        others = [place for place in range(len(alpha)) if place not in pair]
        expect(bool((got[others] == 0).all()), "An operation that was not drawn has gradient 0.")
        _name_the_slip(got, alpha, pair, gates)
        expect_close(got, _right(alpha, pair, gates), f"The gradient for the pair {pair}")


def _name_the_slip(got: Tensor, alpha: Tensor, pair: tuple[int, int], gates: Tensor) -> None:
    """Say which of the typical wrong gradients this is."""
    drawn = list(pair)
    full, among = torch.softmax(alpha, 0)[drawn], torch.softmax(alpha[drawn], 0)
    turned = (
        "The sign is turned: this is the step of descent, or the pair's order was changed and not that of its gates."
    )
    of_all = "Your p is from the softmax of all operations: take that of the pair alone, which sums to 1."
    difference = gates - gates.flip(0)
    wrong = (
        (turned, -_right(alpha, pair, gates)[drawn]),
        (of_all, full * (gates - (full * gates).sum())),
        (of_all, full.prod() * difference),
        ("Each alpha moves both probabilities: the other gate's gradient is missing.", among * (1 - among) * gates),
    )
    for message, values in wrong:
        expect(not torch.allclose(got[drawn], values), message)


def _right(alpha: Tensor, pair: tuple[int, int], gates: Tensor) -> Tensor:
    leaf = alpha.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((torch.softmax(leaf[list(pair)], 0) * gates).sum(), leaf)
    return gradient


EXERCISES = (
    Exercise("12.1", "Two measurements tell what fits", "easy", 10, check_largest_that_fits, "equation (12.1)"),
    Exercise("12.2", "An edge with partial channels", "medium", 20, check_partial_edge, "equation (12.2)"),
    Exercise("12.3", "The gradient through two gates", "medium", 20, check_pair_gradient, "equation (12.4)"),
)
