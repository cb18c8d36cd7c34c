"""The PT stepper: replay a recorded selection, or make each decision by hand on a live supernet and see what it costs.

SelectionStepper(outcome.decisions, space)                 a recorded selection by perturbation
SelectionStepper(outcome.decisions, space, live=search)    the same, and a trained search to decide on by hand
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import torch
import traitlets

from nasbook.figures import cells, style
from nasbook.figures import selection as pictures
from nasbook.figures.picture import Picture, together
from nasbook.figures.words import listed
from nasbook.runtime.errors import UsageError
from nasbook.search import Search
from nasbook.selection.by_hand import SelectionByHand
from nasbook.selection.records import Record, decisions
from nasbook.spaces import SearchSpace, TopologySpace
from nasbook.widgets.base import Stateful
from nasbook.widgets.page import row, side_by_side
from nasbook.widgets.selection_stepper_drawing import bars_svg, cell_svg, course_svg
from nasbook.widgets.state import NamedState, names

MODES = {"replay": "replay the recorded decisions", "hand": "decide by hand"}
NOTHING = "-"  # no pick yet
TASK = (
    "Replay: at which decision does perturbation overrule the largest weight, and what does the supernet lose there? "
    "Then decide by hand, and try to end with a more accurate supernet than perturbation does."
)


@dataclass(frozen=True)
class StepperState(NamedState):
    """What the widget shows.

    Args:
        mode: "replay" or "hand".
        decided: in the replay, how many decisions are made.
        picks: by hand, what each decision keeps: places among its options with points between them, "-" for none yet.
    """

    mode: str = "replay"
    decided: int = 0
    picks: str = NOTHING

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"The mode is {' or '.join(MODES)}, not {self.mode!r}.")
        if self.decided < 0:
            raise UsageError(f"At least 0 decisions are made, not {self.decided}.")
        places(self.picks)


def places(picks: str) -> tuple[int, ...]:
    """The picks of a state as numbers.

    Raises:
        UsageError: they are of another form.
    """
    try:
        return () if picks == NOTHING else tuple(int(each) for each in picks.split("."))
    except ValueError:
        raise UsageError(f"Picks read like '0.1.1', or '{NOTHING}' for none, not {picks!r}.") from None


def cell_weights(space: SearchSpace | TopologySpace, made: Sequence[Record]) -> dict[str, torch.Tensor]:
    """The cell so far: decided edges hold one operation, dropped ones nothing, the others all of theirs alike.

    Args:
        space: what is decided on.
        made: the decisions so far.
    """
    weights = {name: torch.full(group.shape, 1.0 / group.shape[1]) for name, group in space.groups.items()}
    for each in made:
        group, rows = weights[each["group"]], space.groups[each["group"]].rows
        if each["kind"] == "operation":
            row = rows.index(each["where"])
            group[row] = 0.0
            group[row, space.groups[each["group"]].operations[row].index(each["kept"][0])] = 1.0
        else:
            for name in each["options"]:
                if name not in each["kept"]:
                    group[rows.index(name)] = 0.0
    return weights


class SelectionStepper(Stateful[StepperState]):
    """Buttons through the decisions; the cell so far, the scores of a decision, and the supernet over the decisions.

    Args:
        records: of a selection by perturbation, one a stop.
        space: what was selected from, with edges.
        live: a trained search to decide on by hand, from here on the widget's; without one it only replays.
        images, tuning_steps: of `SelectionByHand`.
        state: where to begin, as `state()` returned it; at the first decision of the replay without.

    Raises:
        UsageError: there is no decision, the space has no edges, or the state is of another form.
    """

    state_type = StepperState

    mode = traitlets.Unicode(StepperState.mode)
    decided = traitlets.Int(StepperState.decided)
    picks = traitlets.Unicode(StepperState.picks)

    def __init__(
        self,
        records: Sequence[Record],
        space: Any,
        *,
        live: Search | None = None,
        images: int = 512,
        tuning_steps: int | None = 5,
        state: str | None = None,
    ) -> None:
        if not isinstance(space, SearchSpace | TopologySpace):
            raise UsageError(f"The stepper draws cells with edges; space {space.name} has none.")
        self.space, self.recorded = space, decisions(records)
        if not self.recorded:
            raise UsageError("There is no decision to replay: the selection has not begun.")
        self.hand = None if live is None else SelectionByHand(live, images=images, tuning_steps=tuning_steps)
        begin = StepperState(decided=1) if state is None else self._read(state)
        shown = MODES if self.hand is not None else {"replay": MODES["replay"]}
        self._mode = widgets.Dropdown(
            options=[(title, name) for name, title in shown.items()],
            description="mode",
            tooltip="Replay what was recorded, or decide on the live supernet",
            layout={"width": "25em"},
        )
        self._steps = widgets.IntSlider(
            min=0, max=len(self.recorded), description="decisions", tooltip="How many decisions are made"
        )
        self._back = self._button("Back", "Take the last decision back", self.back)
        self._next = self._button("Next", "The next decision; by hand, the one that perturbation makes", self.step)
        self._again = self._button("Reset", "Take all decisions back", self.reset)
        self._keeps = row([])
        self._drawing = widgets.HTML()
        super().__init__(
            [
                widgets.HTML(f"<b>{TASK}</b>"),
                row([self._mode, self._steps, self._back, self._next, self._again]),
                self._keeps,
                self._drawing,
            ]
        )
        self._begin(begin, [("mode", self._mode), ("decided", self._steps)])

    def step(self) -> None:
        """One decision further: the next recorded one, or by hand what perturbation keeps."""
        if self.mode == "replay":
            self.decided = min(self.decided + 1, len(self.recorded))
        elif self._coming() is not None:
            self.keep(self._coming()["by_perturbation"])  # type: ignore[index]

    def back(self) -> None:
        """Take the last decision back."""
        if self.mode == "replay":
            self.decided = max(self.decided - 1, 0)
        else:
            self.picks = _written(places(self.picks)[:-1])

    def reset(self) -> None:
        """Take all decisions back."""
        if self.mode == "replay":
            self.decided = 0
        else:
            self.picks = NOTHING

    def keep(self, kept: Sequence[str]) -> None:
        """By hand: decide the next choice.

        Args:
            kept: names of the options that stay.

        Raises:
            UsageError: nothing is left to decide, or there is no such option.
        """
        coming = self._coming()
        if coming is None or self.hand is None:
            raise UsageError("There is no decision to make: all are made, or there is no live supernet.")
        options = [
            tuple(coming["options"][each] for each in option) for option in self.hand.options(len(self.hand.picks))
        ]
        if tuple(kept) not in options:
            raise UsageError(f"One keeps {' or '.join(' and '.join(each) for each in options)}, not {kept}.")
        self.picks = _written((*places(self.picks), options.index(tuple(kept))))

    def made(self) -> Sequence[Record]:
        """The decisions that are made, in the mode that is shown."""
        if self.mode == "replay" or self.hand is None:
            return self.recorded[: self.decided]
        self.hand.go_to(places(self.picks))
        return self.hand.made

    @style.styled
    def figure(self) -> Picture:
        """The cell so far, and the decision that was made last."""
        made = self.made()
        kind = (made or self.recorded)[-1]["group"]
        if not made:
            drawn = cells.cell(self.space, kind, weights=cell_weights(self.space, made))
            return Picture(drawn.figure, f"{drawn.alt} {self.sentence()}")
        picture, grid = style.figure("wide", 2, 1, height=5.6)
        lower = grid[1].get_subplotspec().subgridspec(1, 2)
        grid[1].remove()
        shown = cells.cell(self.space, kind, weights=cell_weights(self.space, made), ax=grid[0])
        bars = pictures.decision(made[-1], axes=[picture.add_subplot(lower[0, place]) for place in (0, 1)])
        return Picture(picture, f"{together(shown, bars).alt} {self.sentence()}")

    def sentence(self) -> str:
        """How far the selection is, and what the last decision cost."""
        made = self.made()
        if not made:
            return "No decision is made yet: every edge holds all its operations."
        last, count = made[-1], self._count()
        words = (
            f"Decision {len(made)} of {count}, {last['where']}: kept {_named(last['kept'])}; the supernet goes from "
            f"{last['before']:.1f} % to {last['after']:.1f} %."
        )
        if self.mode == "replay":
            return words
        words += f" Perturbation would keep {_named(last['by_perturbation'])} ({last['after_by_perturbation']:.1f} %)"
        if last["by_weight"] is None:
            words += "; all weights are equal."
        else:
            words += f", the largest weight {_named(last['by_weight'])} ({last['after_by_weight']:.1f} %)."
        if len(made) == count and self.hand is not None:
            words += f" All is decided: {self.hand.architecture()}."
        return words

    @traitlets.validate(*names(StepperState))
    def _check(self, proposal: Any) -> Any:
        return self._checked(proposal)

    def _allowed(self, state: StepperState) -> StepperState:
        if state.decided > len(self.recorded):
            raise UsageError(f"The record has {len(self.recorded)} decisions, not {state.decided}.")
        if self.hand is None and (state.mode == "hand" or state.picks != NOTHING):
            raise UsageError("To decide by hand the stepper needs a trained search: live=.")
        if self.hand is not None:
            self.hand.check(places(state.picks))
        return state

    def _count(self) -> int:
        return len(self.recorded) if self.mode == "replay" or self.hand is None else len(self.hand.choices)

    def _coming(self) -> dict[str, Any] | None:
        """By hand, the choice that comes next."""
        if self.mode == "replay" or self.hand is None:
            return None
        self.hand.go_to(places(self.picks))
        return self.hand.next()

    def _draw(self, _change: Any = None) -> None:
        made, coming = self.made(), self._coming()
        by_hand = self.mode == "hand"
        self._steps.disabled = by_hand
        self._keeps.children = self._buttons(coming)
        shown = coming or (made[-1] if made else None)
        kind = (shown or self.recorded[0])["group"]
        words = html.escape(self.sentence())
        course = [(each["before"], each["after"]) for each in made]
        above = [
            cell_svg(self.space, kind, cell_weights(self.space, made), shown),
            course_svg(course, self._count(), self.sentence()),
        ]
        below = "" if shown is None else bars_svg(shown, self.sentence())
        self._drawing.value = f"<p>{words}</p>{side_by_side(above)}{below}"

    def _buttons(self, coming: dict[str, Any] | None) -> list[widgets.Button]:
        """By hand, one button for everything that the next choice may keep."""
        if coming is None or self.hand is None:
            return []
        found = []
        for option in self.hand.options(len(self.hand.picks)):
            kept = [coming["options"][each] for each in option]
            tip = f"Keep {_named(kept)} on {coming['where']}"
            found.append(self._button(f"Keep {_named(kept)}", tip, lambda kept=kept: self.keep(kept)))  # type: ignore[misc]
        return found


def _named(options: Sequence[str]) -> str:
    return listed(pictures.option(name) for name in options)


def _written(picks: Sequence[int]) -> str:
    return ".".join(map(str, picks)) or NOTHING
