"""Run folders: what is kept, what is refused, and that nothing is lost."""

import json
import os

import pytest
import torch

from nasbook.runtime.errors import UsageError
from nasbook.runtime.run_folder import RunFolder
from nasbook.runtime.states import kept_epochs, kept_state

CONFIG = {"method": "darts", "seed": 0, "numbers": {"epochs": 2, "betas": (0.5, 0.999)}}


def record(epoch):
    return {"stage": "search", "epoch": epoch, "loss": 1.0 / epoch}


def test_a_run_is_kept_and_read_again(tmp_path):
    with RunFolder(tmp_path / "run", CONFIG) as folder:
        assert folder.checkpoint() is None
        folder.add(record(1), {"weights": torch.ones(2)})
        folder.finish({"accuracy": 50.0})
    again = RunFolder(tmp_path / "run", CONFIG)
    assert again.history("search") == [record(1)]
    assert torch.equal(again.checkpoint()["weights"], torch.ones(2))
    assert again.result() == {"accuracy": 50.0}
    assert sorted(os.listdir(tmp_path / "run")) == [
        ".lock",
        "checkpoint.pt",
        "config.json",
        "history.jsonl",
        "result.json",
    ]


def test_states_are_kept_for_good_beside_the_one_that_is_replaced(tmp_path):
    folder = RunFolder(tmp_path / "run", CONFIG)
    for epoch in (1, 10, 2):
        folder.keep({"state": {"epoch": epoch, "weights": torch.full((2,), epoch)}}, "search", epoch)
    folder.keep({"state": {"epoch": 3}}, "train", 3)
    folder.add(record(1), {"epoch": 1})
    (tmp_path / "run" / "search-best.pt").write_bytes(b"somebody's own")
    assert kept_epochs(tmp_path / "run", "search") == [1, 2, 10]
    assert kept_epochs(tmp_path / "run", "train") == [3]
    assert kept_epochs(tmp_path / "run", "select") == []
    state = kept_state(tmp_path / "run", "search", 10)
    assert state["epoch"] == 10
    assert torch.equal(state["weights"], torch.full((2,), 10))
    RunFolder(None, CONFIG).keep({"state": {}}, "search", 1)  # keeps nothing


def test_a_damaged_kept_state_is_named(tmp_path):
    (tmp_path / "search-0004.pt").write_bytes(b"not a state")
    with pytest.raises(UsageError, match=r"search-0004\.pt cannot be read \(\w+\): take another epoch"):
        kept_state(tmp_path, "search", 4)


def test_history_that_the_checkpoint_does_not_know_is_dropped(tmp_path):
    """As after a kill between the two writes of an epoch."""
    with RunFolder(tmp_path / "run", CONFIG) as folder:
        folder.add(record(1), {"epoch": 1})
    with (tmp_path / "run" / "history.jsonl").open("a") as file:
        file.write(json.dumps(record(2)) + "\n")
    again = RunFolder(tmp_path / "run", CONFIG)
    assert again.checkpoint()["epoch"] == 1
    assert again.records == [record(1)]


def test_history_before_the_first_checkpoint_is_dropped(tmp_path):
    RunFolder(tmp_path / "run", CONFIG).close()
    (tmp_path / "run" / "history.jsonl").write_text(json.dumps(record(1)) + "\n")
    again = RunFolder(tmp_path / "run", CONFIG)
    assert again.checkpoint() is None
    assert again.records == []


def test_another_configuration_is_refused_and_named(tmp_path):
    RunFolder(tmp_path / "run", CONFIG).close()
    with pytest.raises(UsageError, match="seed is 0 there and 1 here"):
        RunFolder(tmp_path / "run", {**CONFIG, "seed": 1})


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="not a run folder"):
        RunFolder(tmp_path, CONFIG)
    assert os.listdir(tmp_path) == ["thesis.tex"]


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x04\x95"])
def test_a_damaged_checkpoint_is_named(tmp_path, content):
    with RunFolder(tmp_path / "run", CONFIG) as folder:
        folder.add(record(1), {"epoch": 1})
    (tmp_path / "run" / "checkpoint.pt").write_bytes(content)
    with pytest.raises(UsageError, match="rename that file"):
        RunFolder(tmp_path / "run", CONFIG).checkpoint()


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "owned"),))

    with RunFolder(tmp_path / "run", CONFIG) as folder:
        folder.add(record(1), {"epoch": 1})
    torch.save({"records": 1, "state": Evil()}, tmp_path / "run" / "checkpoint.pt")
    with pytest.raises(UsageError, match="cannot be read"):
        RunFolder(tmp_path / "run", CONFIG).checkpoint()
    assert not (tmp_path / "owned").exists()


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(None, CONFIG)
    folder.add(record(1), {})
    folder.finish({})
    assert folder.history("search") == [record(1)]
    assert not os.listdir(tmp_path)
