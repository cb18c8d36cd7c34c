"""The exercises of chapter 07, DARTS fails in simple spaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nasbook import spaces
from nasbook.course.exercises.checking import Exercise, WrongAnswer, expect, expect_close
from nasbook.experiment import Outcome
from nasbook.runtime.errors import UsageError
from nasbook.spaces import Genotype, SearchSpace

EMPTY = ("skip_connect", "max_pool_3x3", "avg_pool_3x3", "noise")
_S1 = (("skip_connect", 0), ("dil_conv_5x5", 1), ("max_pool_3x3", 0), ("skip_connect", 2))
_S4 = (("noise", 0), ("sep_conv_3x3", 1), ("noise", 1), ("noise", 2))
# A genotype and the share of its normal cell's operations that have no weights, counted by hand.
_SHARES: tuple[tuple[Genotype, float], ...] = (
    (Genotype((("skip_connect", 0), ("skip_connect", 1)) * 2, (2, 3), (), ()), 1.0),
    (spaces.published("DARTS_V2").genotype, 0.25),
    (Genotype(_S1, (2, 3), (("sep_conv_3x3", 0), ("sep_conv_3x3", 1)) * 2, (2, 3)), 0.75),
    (Genotype(_S4, (2, 3), (), ()), 0.75),
    (Genotype((("sep_conv_3x3", 0), ("sep_conv_3x3", 1)), (2,), (("skip_connect", 0), ("max_pool_3x3", 1)), (2,)), 0.0),
)
_CONTROLS = (
    ("s2", 2, "fixed", ("skip_connect", "sep_conv_3x3")),
    ("s3", 3, "searched", ("skip_connect", "sep_conv_3x3")),
    ("s4", 4, "searched", ("noise",)),
    ("s1", 4, "searched", ("skip_connect", "dil_conv_3x3", "dil_conv_5x5", "avg_pool_3x3")),
)
SUPERNET = 50.0  # percent: with the book's own numbers a search does not reach it while convolutions lead
SKIP = 0.45  # a mean weight clearly below one half, where every search starts


def check_empty_share(attempt: Callable[[Genotype, Sequence[str]], float]) -> None:
    """(genotype, names without weights) -> the share of the normal cell's operations with such a name, from 0 to 1."""
    for genotype, right in _SHARES:
        got = attempt(genotype, EMPTY)
        both = (*genotype.normal, *genotype.reduce)
        everywhere = sum(name in EMPTY for name, _ in both) / len(both)
        count = right * len(genotype.normal)
        number = isinstance(got, int | float) and not isinstance(got, bool)
        if number and got != right:
            expect(got != count, "That is a count. A share is the count divided by the number of kept edges.")
            expect(got != 100 * right, "That is in percent. A share lies between 0 and 1.")
            expect(
                got != everywhere,
                "Count the normal cell only: in a reduction cell a skip connection has weights, as it must halve the "
                "images.",
            )
        expect_close(got, right, f"The share of the cell {_words(genotype)}")


def check_control(attempt: Callable[[SearchSpace, str], Genotype]) -> None:
    """(space, operation) -> an architecture of the space that holds the operation as often as any does."""
    for name, nodes, reduction, operations in _CONTROLS:
        space = spaces.get(name, nodes=nodes, reduction=reduction)
        where = f"space {name} with {nodes} nodes"
        for operation in operations:
            got = attempt(space, operation)
            expect(
                isinstance(got, Genotype),
                "Return a genotype: space.genotype({...}) makes one from the (operation, source) pairs of each group.",
            )
            try:
                space.check(got)
            except UsageError as error:
                raise WrongAnswer(f"In {where}: {error}") from None
            for group in space.groups:
                most, held = _most(space, group, operation), got.count(operation, group)
                expect(
                    held == most,
                    f"In {where} an architecture can hold {operation} on {most} kept edges of the {group} cell; yours "
                    f"does on {held}.",
                )


def check_saved(attempt: Any) -> None:
    """The outcome of a search in S2 with a trained supernet, in which convolutions won."""
    expect(isinstance(attempt, Outcome), "Hand over what experiment.search returns.")
    result = attempt.result
    expect("method" in result, "This is the outcome of a training: hand over that of a search.")
    expect(result["space"] == "s2", f"Search in s2; this one searched {result['space']}.")
    expect(
        str(result["method"]).startswith("darts"), f"Save DARTS itself; {result['method']} does not learn alpha by it."
    )
    expect(
        result["valid_accuracy"] >= SUPERNET,
        f"The supernet reached {result['valid_accuracy']:.1f} %. Below {SUPERNET:g} % a cell of convolutions is no "
        "rescue: every search passes through one before skip connections win.",
    )
    last = attempt.history[-1]["weights"]["normal"]
    names = spaces.get("s2").operations
    skip = sum(row[names.index("skip_connect")] for row in last) / len(last)
    expect(
        skip < SKIP,
        f"On average skip connections have the weight {skip:.2f}; where convolutions win clearly it is below {SKIP:g}.",
    )
    kept = attempt.genotype.normal
    skips = sum(name == "skip_connect" for name, _ in kept)
    expect(
        2 * skips <= len(kept), f"The cell keeps {skips} skip connections on {len(kept)} edges; at most half is saved."
    )


def _most(space: SearchSpace, group: str, operation: str) -> int:
    cell = space.groups[group]
    offers = [sum(operation in cell.choices(edge) for edge in cell.into(node)) for node in cell.nodes]
    return sum(min(cell.keep, each) for each in offers)


def _words(genotype: Genotype) -> str:
    return ", ".join(name for name, _ in genotype.normal)


EXERCISES = (
    Exercise("07.1", "How degenerate is a cell?", "easy", 10, check_empty_share, 'the section "What came out"'),
    Exercise("07.2", "A control for any space", "medium", 20, check_control, 'the section "Train it, with controls"'),
    Exercise("07.3", "Save it", "hard", 30, check_saved, 'the section "Is it over-fitting?"'),
)
