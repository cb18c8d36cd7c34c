"""Selection by hand: a reader makes each decision, sees what it costs, and takes it back."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import torch

from nasbook.runtime.errors import UsageError
from nasbook.search import Search
from nasbook.selection.choices import Choice
from nasbook.selection.perturbation import PerturbationSelection, most_missed
from nasbook.selection.records import favourite
from nasbook.selection.scoring import Score, score
from nasbook.spaces import Architecture

Kept = tuple[int, ...]


class SelectionByHand:
    """The decisions of `PerturbationSelection` on a live supernet, each made by whoever asks.

    After a decision the supernet takes some steps, as in the selection by perturbation; taking a decision back restores
    the weights that it had before, so that the same picks always give the same numbers.

    Args:
        search: trained; from here on it belongs to this selection.
        images: of alpha's half that the supernet is scored on; all of them where it has fewer.
        tuning_steps: between two stops; its numbers' own without.
    """

    def __init__(self, search: Search, *, images: int = 512, tuning_steps: int | None = None) -> None:
        self.search = search
        if images < len(search.alpha_half):
            search.alpha_half = search.alpha_half.subset(torch.arange(images))
        self.tuning_steps = search.numbers.tuning_steps if tuning_steps is None else tuning_steps
        self._selection = PerturbationSelection(search)
        self._places = [(stop, choice) for stop, row in enumerate(self._selection.stops) for choice in row]
        self.picks: tuple[int, ...] = ()
        self.made: list[dict[str, Any]] = []
        self._before: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._seen: dict[str, Any] | None = None

    @property
    def choices(self) -> list[Choice]:
        """All choices, in their order."""
        return [choice for _, choice in self._places]

    def options(self, place: int) -> list[Kept]:
        """What may be kept at a choice: places of its options, as many together as are kept.

        Args:
            place: of the choice.
        """
        choice = self.choices[place]
        return list(combinations(range(len(choice.options)), choice.keep))

    def next(self) -> dict[str, Any] | None:
        """The scores of the choice that comes next: the record of a decision without `kept` and `after`.

        Besides: `by_perturbation` and `by_weight`, the names of what either would keep (None: all weigh alike).
        """
        if len(self.picks) == len(self._places):
            return None
        if self._seen is None:
            choice = self.choices[len(self.picks)]
            seen = self._selection.look(choice)
            found = [Score(loss, accuracy) for loss, accuracy in zip(seen["losses"], seen["accuracies"], strict=True)]
            missed = most_missed(found, keep=choice.keep, criterion=self.search.numbers.selection_criterion)
            first = favourite(seen)
            seen["by_perturbation"] = [seen["options"][place] for place in sorted(missed)]
            seen["by_weight"] = None if first is None or choice.keep > 1 else [first]
            self._seen = seen
        return self._seen

    def go_to(self, picks: Sequence[int]) -> None:
        """Make or take back decisions until exactly these are made.

        Args:
            picks: for each choice in turn the place of what is kept among its `options`.

        Raises:
            UsageError: there are not so many choices, or a choice has not so many options; nothing changes then.
        """
        wanted = tuple(picks)
        self.check(wanted)
        while self.picks != wanted[: len(self.picks)]:
            self._undo()
        for pick in wanted[len(self.picks) :]:
            self._keep(pick)

    def check(self, picks: Sequence[int]) -> None:
        """Refuse picks that there are not.

        Raises:
            UsageError: there are not so many choices, or a choice has not so many options.
        """
        if len(picks) > len(self._places):
            raise UsageError(f"There are {len(self._places)} decisions to make, not {len(picks)}.")
        for place, pick in enumerate(picks):
            count = len(self.options(place))
            if not 0 <= pick < count:
                raise UsageError(f"Decision {place + 1} keeps one of {count}, numbered from 0, not {pick}.")

    def architecture(self) -> Architecture:
        """What the decisions made so far point at, undecided rows by their largest weights."""
        return self._selection.architecture()

    def _keep(self, pick: int) -> None:
        seen = self.next()
        assert seen is not None
        stop, choice = self._places[len(self.picks)]
        kept = self.options(len(self.picks))[pick]
        self._before.append(copy.deepcopy((self.search.state_dict(), dict(self._selection.decisions))))
        others = {name: self._after(choice, seen[name]) for name in ("by_perturbation", "by_weight")}
        names = [choice.options[place].name for place in kept]
        made = {**seen, "kept": names, "after": self._selection.keep(choice, kept)}
        made["after_by_perturbation"], made["after_by_weight"] = others["by_perturbation"], others["by_weight"]
        self.made.append(made)
        self.picks, self._seen = (*self.picks, pick), None
        more = len(self.picks) < len(self._places)
        if more and self.tuning_steps and self._places[len(self.picks)][0] != stop:
            self.search.train(self.tuning_steps, lambda step, steps: None)

    def _after(self, choice: Choice, names: Sequence[str] | None) -> float | None:
        """The supernet's accuracy if these options were kept; nothing is decided."""
        if names is None:
            return None
        weights = self._selection.weights()
        group = weights[choice.group].clone()
        for option in choice.options:
            columns = list(option.columns)
            if option.name not in names:
                group[option.row, columns] = 0.0
            elif choice.kind == "operation":
                group[option.row, columns] = 1.0
        return score(self.search, {**weights, choice.group: group}).accuracy

    def _undo(self) -> None:
        state, decisions = self._before.pop()
        self.search.load_state_dict(state)
        for name, rows in self._selection.decisions.items():  # the relaxation reads these very tables
            rows.clear()
            rows.update(decisions[name])
        self._selection.close_rows()
        self.made.pop()
        self.picks, self._seen = self.picks[:-1], None
