"""The loop around every stage: which states are kept for good."""

import pytest

from nasbook.runtime.driver import drive
from nasbook.runtime.run_folder import RunFolder
from nasbook.runtime.states import kept_epochs, kept_state


class Counting:
    """A stage whose state is its epoch."""

    name = "count"

    def __init__(self, epochs, stop=None):
        self.epochs, self.epoch, self.stop = epochs, 0, stop

    def run_epoch(self, on_step):
        self.epoch += 1
        if self.epoch == self.stop:  # as early stopping does
            self.epochs = self.epoch
        return {"value": 10 * self.epoch}

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]


@pytest.mark.parametrize(
    ("keep", "stop", "expected"),
    [(0, None, []), (1, None, [1, 2, 3, 4, 5]), (2, None, [2, 4, 5]), (9, None, [5]), (2, 3, [2, 3])],
)
def test_states_are_kept_every_so_many_epochs_and_after_the_last(tmp_path, keep, stop, expected):
    """The last is the one after which the stage is over, wherever that is."""
    folder = RunFolder(tmp_path / "run", {"keep": keep})
    history = drive(Counting(5, stop), folder, keep=keep)
    assert [record["value"] for record in history] == [10 * epoch for epoch in range(1, (stop or 5) + 1)]
    assert kept_epochs(tmp_path / "run", "count") == expected
    assert [kept_state(tmp_path / "run", "count", epoch) for epoch in expected] == [{"epoch": k} for k in expected]


def test_one_that_goes_on_keeps_on(tmp_path):
    folder, stage = RunFolder(tmp_path / "run", {}), Counting(2)
    drive(stage, folder, keep=2)
    stage.epochs = 6
    drive(stage, folder, keep=2)
    assert kept_epochs(tmp_path / "run", "count") == [2, 4, 6]
