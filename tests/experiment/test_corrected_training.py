"""A training asked for again with other options keeps the search that it goes on from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from nasbook import experiment
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import EpochEnded, Event

TINY = {"epochs": 2, "images": 64, "batch": 16, "channels": 4, "layers": 3}
MEASURED = ("seconds", "memory_mib")


class Stop(Exception):
    pass


def search(run: Path, *, lr: float = 0.025, stop: tuple[str, int] | None = None, **changes: Any) -> experiment.Outcome:
    def listen(event: Event) -> None:
        if isinstance(event, EpochEnded):
            searched.append(event.stage)
            if (event.stage, event.epoch) == stop:
                raise Stop

    searched: list[str] = []
    asked: dict[str, Any] = {"data": "digits", "space": "s4", "device": "cpu", "numbers": {**TINY, "nodes": 1}}
    asked |= {"train_numbers": {**TINY, "lr": lr}, "run": run, "listeners": [listen]}
    outcome = experiment.search(**asked | changes)
    outcome.result["stages"] = searched
    return outcome


def plain(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key not in MEASURED} for record in records]


def test_it_keeps_the_search_and_what_was_trained_before(tmp_path: Path) -> None:
    """Interrupted in the search, at its end, in the training, and after the run is finished."""
    whole = search(tmp_path / "whole", lr=0.1)
    for place, stop in enumerate([("search", 1), ("search", 2), ("train", 1), None]):
        run = tmp_path / str(place)
        if stop:
            with pytest.raises(Stop):
                search(run, stop=stop)
        else:
            search(run)
        there = {path.name: path.read_bytes() for path in run.glob("*.json*")}
        corrected = search(run, lr=0.1)
        epochs = 2 - stop[1] if stop and stop[0] == "search" else 0
        assert corrected.result["stages"] == ["search"] * epochs + ["train"] * 2
        for part in ("history", "training"):
            assert plain(getattr(corrected, part)) == plain(getattr(whole, part))
        assert corrected.result["test_accuracy"] == whole.result["test_accuracy"]
        inside = Path(corrected.result["run"]).parent == run
        assert inside == (stop is None or stop[0] == "train")
        if inside:
            assert {path.name: path.read_bytes() for path in run.glob("*.json*")} == there
        again = search(run, lr=0.1)
        assert again.result["stages"] == []
        assert again.result["run"] == corrected.result["run"]


def test_a_search_without_training_is_trained_afterwards(tmp_path: Path) -> None:
    alone = search(tmp_path / "run", retrain=False)
    trained = search(tmp_path / "run")
    assert trained.result["stages"] == ["train", "train"]
    assert trained.result["genotype"] == alone.result["genotype"]


def test_the_default_folder_does_not_depend_on_the_training() -> None:
    config: dict[str, Any] = {"command": "search", "data": "digits", "seed": 0, "retrain": True, "train": {"lr": 0.1}}
    names = {experiment.default_folder({**config, **changes}) for changes in ({}, {"train": {"lr": 1}}, {"retrain": 0})}
    assert len(names) == 1
    assert experiment.default_folder({**config, "search": {"lr": 1}}) not in names
    assert experiment.default_folder({**config, "command": "train"}) not in names


def test_a_kept_state_of_another_run_and_a_copy_are_told_apart(tmp_path: Path) -> None:
    search(tmp_path / "run", keep=1, retrain=False)
    search(tmp_path / "other", keep=1, retrain=False, seed=1)
    run = tmp_path / "run"
    (run / "search-0002 (copy).pt").write_bytes((run / "search-0002.pt").read_bytes())
    found = experiment.select(run, selection="magnitude", device="cpu")
    assert found.result["epoch"] == 2
    (run / "search-0002.pt").write_bytes((tmp_path / "other" / "search-0002.pt").read_bytes())
    with pytest.raises(UsageError, match="does not belong to the run"):
        experiment.select(run, selection="magnitude", device="cpu")


def test_a_state_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """As one of another version would be: it says nothing of its run, and its tensors have other names."""
    with pytest.raises(Stop):
        search(tmp_path / "run", stop=("search", 1))
    path = tmp_path / "run" / "checkpoint.pt"
    saved = torch.load(path, weights_only=True)
    torch.save({"stage": "search", "records": 1, "state": {"epoch": saved["state"]["epoch"]}}, path)
    before = json.loads((tmp_path / "run" / "config.json").read_text())
    with pytest.raises(UsageError, match="does not fit this run"):
        search(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "config.json").read_text()) == before
