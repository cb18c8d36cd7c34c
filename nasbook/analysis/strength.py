"""Does the weight that alpha gives an operation say how strong the operation is? (Wang et al. 2021, section 3.)

An operation is strong if the supernet does well once its edge holds nothing else. That is measured here: from a copy of
a trained search an edge is fixed to each of its operations in turn, the supernet is trained on a little as in selection
by perturbation, and its accuracy on alpha's half is read. Beside it stand the operation's weight, by which magnitude
selects, and the accuracy without the operation, by which perturbation selects.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from nasbook.analysis.ranks import spearman
from nasbook.relaxation import Decisions
from nasbook.runtime.errors import UsageError
from nasbook.search import Search
from nasbook.search.building import weights_optimizer
from nasbook.selection import PerturbationSelection
from nasbook.selection.choices import Option, all_candidates
from nasbook.selection.scoring import score, scores
from nasbook.spaces import Space

Rows = Mapping[str, Mapping[int, tuple[int, ...]]]  # for each group the decided rows, and what each of them keeps
REPEAT_SEED = 6000  # another order of the images has its seed from here


@dataclass(frozen=True)
class Strength:
    """What is known of the operations of one edge, each list one entry an operation; accuracies in percent.

    Args:
        group, where: of the edge, in the space and in words.
        operations: that the edge may keep.
        weights: that the search gave them.
        without: the supernet when the operation alone is taken out; the lower, the more it is missed.
        tuned: the supernet when the edge holds nothing else, trained on a little; the mean over `repeats`.
        repeats: for each order of the images the accuracies that `tuned` is the mean of.
    """

    group: str
    where: str
    operations: tuple[str, ...]
    weights: tuple[float, ...]
    without: tuple[float, ...]
    tuned: tuple[float, ...]
    repeats: tuple[tuple[float, ...], ...]

    @property
    def missed(self) -> tuple[float, ...]:
        """How much each operation is missed, as a score of which more is better: minus the accuracy without it."""
        return tuple(-accuracy for accuracy in self.without)

    def correlation(self, scores: Sequence[float]) -> float:
        """Spearman's rank correlation of a score of the operations with their accuracies after tuning.

        Zero where either is the same for all operations, and so orders nothing.
        """
        return _order(scores, self.tuned)

    def regret(self, scores: Sequence[float]) -> float:
        """How many points the operation of the highest score lies below the best one; of equals the earlier counts."""
        return max(self.tuned) - self.tuned[_first_best(scores)]

    def picks_best(self, scores: Sequence[float]) -> bool:
        """Whether the operation of the highest score is the one of best accuracy after tuning."""
        return _first_best(scores) == _first_best(self.tuned)

    @property
    def repeatable(self) -> float:
        """The rank correlation of two measurements with each other.

        Raises:
            UsageError: it was measured only once.
        """
        if len(self.repeats) < 2:
            raise UsageError("A measurement agrees or disagrees with a second one: it takes two repeats.")
        return _order(*self.repeats[:2])


def strength(search: Search, group: str, row: int, *, repeats: int = 1) -> Strength:
    """Measure the operations of one edge in copies of a trained search, which itself stays as it is.

    Args:
        search: at the end of an epoch. `tuning_steps` and `tuning_lr` are its own; alpha of the other edges stays.
        group, row: the edge.
        repeats: how often each operation is measured, each time with another order of the images.

    Raises:
        UsageError: there is no such edge.
    """
    _check_row(search, group, row)
    names = search.space.groups[group].operations[row]
    columns = all_candidates(search.space, search.masks)[group][row]
    weights = expected(search)
    options = [Option(names[k], row, (k,)) for k in columns]
    without = scores(search, weights, group, options, scoring="one-by-one")
    found = [[tuned_accuracy(search, {group: {row: (k,)}}, repeat=each) for k in columns] for each in range(repeats)]
    return Strength(
        group,
        search.space.groups[group].rows[row],
        tuple(names[k] for k in columns),
        tuple(float(weights[group][row, k]) for k in columns),
        tuple(each.accuracy for each in without),
        tuple(sum(each) / repeats for each in zip(*found, strict=True)),
        tuple(tuple(each) for each in found),
    )


def random_edges(space: Space, count: int | None, *, seed: int) -> list[tuple[str, int]]:
    """So many edges (group, row) of a space, drawn at random and given in the space's order; None: all.

    Raises:
        UsageError: the space has not so many.
    """
    edges = [(name, row) for name, group in space.groups.items() for row in range(group.shape[0])]
    if count is None:
        return edges
    if not 1 <= count <= len(edges):
        raise UsageError(f"The space has {len(edges)} edges, so 1 to {len(edges)} can be drawn, not {count}.")
    drawn = torch.randperm(len(edges), generator=torch.Generator().manual_seed(seed))[:count]
    return [edges[place] for place in sorted(drawn.tolist())]


def branch(search: Search, decisions: Rows, *, learns: bool = False, repeat: int = 0) -> Search:
    """A copy of a search in which some rows are decided, ready to be trained on as in selection by perturbation.

    Args:
        search: stays as it is.
        decisions: for each group the decided rows and what each of them keeps.
        learns: whether alpha goes on learning where the method learns it.
        repeat: 0 goes on with the images in the order that the search would have taken; any other is another order.
    """
    numbers = replace(search.numbers, early_stop=0.0)  # whatever stopped the search
    if not learns:
        numbers = replace(numbers, cost_weight=0.0)
    fresh = Search(
        search.space,
        search.dataset,
        recipe=search.recipe if learns else replace(search.recipe, hypergradient="none"),
        numbers=numbers,
        derive=search.derive,
        seed=search.seed,
        device=search.device,
    )
    decided: Decisions = {name: dict(decisions.get(name, {})) for name in search.space.groups}
    state = {"epoch": 0, "decisions": decided, "search": copy.deepcopy(search.state_dict())}
    PerturbationSelection(fresh).load_state_dict(state)
    fresh.w_optimizer = weights_optimizer(fresh.supernet, replace(search.numbers, w_lr=search.numbers.tuning_lr))
    if repeat:
        fresh.stream.generator.manual_seed(REPEAT_SEED + repeat)
    return fresh


def tuned_accuracy(search: Search, decisions: Rows, *, repeat: int = 0) -> float:
    """Accuracy (percent, on alpha's half, by batch statistics) of a copy with decided rows after `tuning_steps`.

    Args:
        search, decisions, repeat: as in `branch`; alpha stays.
    """
    copied = branch(search, decisions, repeat=repeat)
    if copied.numbers.tuning_steps:
        copied.train(copied.numbers.tuning_steps, lambda step, steps: None)
    return score(copied, expected(copied)).accuracy


def expected(search: Search) -> dict[str, torch.Tensor]:
    """The operation weights (rows, columns) of each group at which a search stands, as constants."""
    with torch.no_grad():
        return dict(search.relaxation.expected(search.alpha, search.progress))


def _check_row(search: Search, group: str, row: int) -> None:
    groups = search.space.groups
    if group not in groups or not 0 <= row < groups[group].shape[0]:
        there = ", ".join(f"{name} (edges 0 to {each.shape[0] - 1})" for name, each in groups.items())
        raise UsageError(f"There is no edge {row} in {group!r}: the space has {there}.")


def _order(x: Sequence[float], y: Sequence[float]) -> float:
    if len(set(x)) == 1 or len(set(y)) == 1:
        return 0.0
    return spearman(x, y, resamples=0).value


def _first_best(values: Sequence[float]) -> int:
    return list(values).index(max(values))
