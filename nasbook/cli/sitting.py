"""What the commands of runs share: progress, what is said at the beginning and the end, the picture and the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nasbook.cli.output import load_torch, print_facts, print_json, tell
from nasbook.runtime.events import Event, Finished, Listener, Started
from nasbook.runtime.progress import terminal_progress

if TYPE_CHECKING:
    from nasbook.experiment import Outcome


@dataclass
class Sitting:
    """One sitting of a run: names its folder, shows its progress, and says how to go on when it is interrupted.

    Args:
        folder: of the run; None where its name follows from what is asked.
        after: what a run can be interrupted after: an "epoch" or a "decision".
        search: folder of the finished search that this training goes on from, where its own folder is inside that one.
    """

    folder: Path | None
    after: str = "epoch"
    listeners: list[Listener] = field(default_factory=list)
    begun: bool = False
    finished: bool = False
    search: Path | None = None

    @contextmanager
    def shown(self) -> Iterator[Sitting]:
        """Show on standard error what happens while the run lasts."""
        load_torch()
        try:
            with terminal_progress() as progress:
                self.listeners += [progress, self._announce]
                yield self
        except KeyboardInterrupt:
            kept = f"the same command goes on from the last finished {self.after}{self._kept()}"
            tell(f"Interrupted: {kept if self.begun else 'nothing had begun'}.")
            raise typer.Exit(130) from None
        if self.finished:
            tell(f"This run is finished already{self._kept()}.")

    def place(self, config: dict[str, Any]) -> Path:
        """The run's folder: the one that was named, or one that follows from what is asked."""
        from nasbook.experiment import default_folder, settled

        named = self.folder or default_folder(config)
        if self._settle(settled(named, config)) != named:
            self.search = named
        return named

    def place_inside(self, run: Path) -> Callable[[dict[str, Any]], Path]:
        """Names the folder of a selection, inside that of its search."""

        def place(config: dict[str, Any]) -> Path:
            from nasbook.experiment import selection_folder

            return self._settle(selection_folder(run, config))

        return place

    def _settle(self, folder: Path) -> Path:
        self.folder, self.finished = folder, (folder / "result.json").exists()
        return folder

    def _announce(self, event: Event) -> None:
        """Say where the run is kept when its first stage begins (a refused folder is never announced).

        At the end of a stage, say that the program goes on without a bar: it derives, tests, counts and writes.
        """
        if isinstance(event, Finished):
            tell(f"{event.stage}: done in {event.seconds:.0f} s; computing and writing what came out.")
        if isinstance(event, Started) and not self.begun:
            self.begun = True
            assert self.folder is not None
            if self.search:
                tell(f"The search in {self.search} is done and stays as it is; another training follows.")
            known = (self.folder / "checkpoint.pt").exists()
            tell(f"{'Continuing' if known else 'Keeping'} the run in {self.folder}.")

    def _kept(self) -> str:
        return f"; it is kept in {self.folder}" if self.folder else ""

    def report(self, outcome: Outcome, *, as_json: bool) -> None:
        """Draw the cells into the run's folder and print the result, even if a picture fails."""
        assert self.folder is not None
        pictures = _draw(outcome.result["genotype"], self.folder)
        result = {**outcome.result, "run": str(self.folder), "pictures": pictures}
        if as_json:
            print_json(result)
        else:
            print_facts(result)


def _draw(genotype: str, folder: Path) -> list[str]:
    """Draw each cell that was searched into the run's folder; returns the files that are there.

    The run is over: a picture that cannot be made must not hide its result.
    """
    drawn: list[str] = []
    try:
        from nasbook.figures import cells
        from nasbook.spaces import read

        architecture = read(genotype)
        for kind in cells.kinds(architecture):
            drawn.append(str(cells.cell(architecture, kind).save(folder / f"cell-{kind}.png")))
    except Exception as error:
        tell(f"A picture of the cell could not be made: {type(error).__name__}: {error}.")
    return drawn
