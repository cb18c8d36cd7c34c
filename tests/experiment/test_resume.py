"""A run that is stopped, at any moment and in any way, comes out as if nobody had touched it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from nasbook import experiment
from nasbook.runtime import files

# The noise operation, drop path, augmentation and cutout all draw random numbers, so that a generator that is not
# carried over shows. Momentum and Adam's moments show by themselves.
SEARCH = {"epochs": 8, "images": 128, "batch": 32, "channels": 4, "layers": 3, "augment": True, "running": True}
TRAIN = {"epochs": 8, "images": 128, "batch": 32, "channels": 4, "layers": 3, "augment": True, "drop_path": 0.3}
TRAIN |= {"cutout": 2}
KILLS = 3
MEASURED = ("seconds", "search_seconds", "select_seconds", "memory_mib", "run")  # what no two runs have in common


def state_of(folder: Path) -> dict[str, Any]:
    """All that must be equal: what was asked and came out, every epoch's record, and every tensor."""
    result = files.read_json(folder / "result.json")
    records = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return {
        "config": files.read_json(folder / "config.json"),
        "result": {key: value for key, value in result.items() if key not in MEASURED},
        "records": [{key: value for key, value in line.items() if key not in MEASURED} for line in records],
        "checkpoint": torch.load(folder / "checkpoint.pt", weights_only=True),
    }


def assert_identical(left: Any, right: Any, where: str = "run") -> None:
    """Equal to the last bit, tensors included."""
    assert type(left) is type(right), where
    if isinstance(left, torch.Tensor):
        assert left.dtype == right.dtype, where
        assert torch.equal(left, right), where
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), where
        for key in left:
            assert_identical(left[key], right[key], f"{where}.{key}")
    elif isinstance(left, list | tuple):
        assert len(left) == len(right), where
        for place, (one, other) in enumerate(zip(left, right)):
            assert_identical(one, other, f"{where}[{place}]")
    else:
        assert left == right, where


def command(folder: Path) -> list[str]:
    words = [sys.executable, "-m", "nasbook", "search", "--data", "digits", "--space", "s4", "--device", "cpu"]
    return [*words, *options("--", SEARCH), *options("--train-", TRAIN), "--run", str(folder)]


def options(prefix: str, numbers: dict[str, Any]) -> list[str]:
    words = []
    for name, value in numbers.items():
        flag = prefix + name.replace("_", "-")
        words += [flag] if value is True else [flag, str(value)]
    return words


def finish(folder: Path) -> None:
    done = subprocess.run(command(folder), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def kill_after(seconds: float, folder: Path) -> bool:
    """Start or continue the run and kill it so long after it began; whether it was alive until then."""
    run = subprocess.Popen(command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert run.stderr is not None
        run.stderr.readline()  # "Keeping the run in ..." or "Continuing ...": from here on something can be lost
        time.sleep(seconds)
        alive = run.poll() is None
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=60)
        return alive
    finally:
        run.kill()


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_killed_at_random_moments(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4))
    print(f"moments drawn from random.Random({seed})")
    moments = random.Random(seed)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(whole)
    lines = (whole / "history.jsonl").read_text().splitlines()
    length = sum(json.loads(line)["seconds"] for line in lines)

    kills = 0
    for _ in range(KILLS):
        kills += kill_after(moments.uniform(0.0, length / KILLS), broken)
        kept = broken / "history.jsonl"
        done = len(kept.read_text().splitlines()) if kept.exists() else 0
        print(f"killed {kills} times; {done} of {len(lines)} epochs are kept")
    assert kills >= 1
    finish(broken)
    assert_identical(state_of(broken), state_of(whole))


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_killed_in_the_second_stage(tmp_path: Path) -> None:
    """Of progressive learning, whose supernet is no longer the one that a search begins with."""
    method, whole, broken = "drnas-progressive", tmp_path / "whole", tmp_path / "broken"
    numbers = {**SEARCH, "epochs": 16, "images": 64, "channels": 8, "nodes": 1, "operations_end": 2, "frozen_epochs": 1}
    asked: dict[str, Any] = {"space": "s3", "data": "digits", "device": "cpu"}
    words = [sys.executable, "-m", "nasbook", "search", "--no-retrain", "--method", method, "--run", str(broken)]
    words += options("--", asked | numbers)
    run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kept = broken / "history.jsonl"  # ahead of the checkpoint by one epoch at most
    try:
        while run.poll() is None and (not kept.exists() or len(kept.read_text().splitlines()) < 10):
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        assert run.wait(timeout=60) == -signal.SIGKILL
    finally:
        run.kill()
    saved = torch.load(broken / "checkpoint.pt", weights_only=True)["state"]
    assert 8 < saved["epoch"] < 16
    assert saved["masks"] is not None
    for folder in (whole, broken):
        experiment.search(method, **asked, retrain=False, numbers=numbers, run=folder)
    assert_identical(state_of(broken), state_of(whole))


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_killed_between_two_decisions(tmp_path: Path) -> None:
    """Of perturbation-based selection: the search is over, some edges are decided and others are not."""
    method, whole, broken = "darts+pt", tmp_path / "whole", tmp_path / "broken"
    numbers = {**SEARCH, "epochs": 1, "images": 64, "batch": 16, "nodes": 3, "tuning_steps": 4}
    asked: dict[str, Any] = {"space": "s4", "data": "digits", "device": "cpu"}
    words = [sys.executable, "-m", "nasbook", "search", "--no-retrain", "--method", method, "--run", str(broken)]
    words += options("--", asked | numbers)
    run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kept = broken / "history.jsonl"
    try:
        while run.poll() is None and (not kept.exists() or len(kept.read_text().splitlines()) < 4):
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        assert run.wait(timeout=60) == -signal.SIGKILL
    finally:
        run.kill()
    saved = torch.load(broken / "checkpoint.pt", weights_only=True)
    assert saved["stage"] == "select"
    assert 2 <= len(saved["state"]["decisions"]["normal"]) < 9
    for folder in (whole, broken):
        experiment.search(method, **asked, retrain=False, numbers=numbers, run=folder)
    assert_identical(state_of(broken), state_of(whole))


class Writes:
    """Counts the files that are written, and stops the program before one of them.

    Args:
        stop: how many are written before that; None never stops.
    """

    def __init__(self, stop: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        write = files.write_bytes

        def counted(path: Path, content: bytes) -> None:
            if len(self.names) == stop:
                raise KeyboardInterrupt
            write(path, content)
            self.names.append(path.name)

        monkeypatch.setattr(files, "write_bytes", counted)


def in_process(folder: Path, *, retrain: bool) -> None:
    experiment.search(
        "darts",
        space="s4",
        data="digits",
        device="cpu",
        retrain=retrain,
        numbers={**SEARCH, "epochs": 2},
        train_numbers={**TRAIN, "epochs": 2},
        run=folder,
    )


@pytest.mark.parametrize("retrain", [True, False], ids=["search-and-train", "search"])
def test_stopped_before_each_of_its_writes(retrain: bool, tmp_path: Path) -> None:
    """Also between the history and the checkpoint that go together, and between the last epoch and the result."""
    whole = tmp_path / "whole"
    with pytest.MonkeyPatch.context() as patch:
        writes = Writes(None, patch).names
        in_process(whole, retrain=retrain)
    epoch = ["history.jsonl", "checkpoint.pt"]
    end = ["network.pt", "result.json"] if retrain else ["result.json"]
    assert writes == ["config.json", *epoch * (4 if retrain else 2), *end]
    for stop in range(len(writes)):
        folder = tmp_path / f"stopped-{stop}"
        with pytest.MonkeyPatch.context() as patch:
            Writes(stop, patch)
            with pytest.raises(KeyboardInterrupt):
                in_process(folder, retrain=retrain)
        in_process(folder, retrain=retrain)
        assert_identical(state_of(folder), state_of(whole), f"stopped before write {stop}")


def test_another_seed_gives_another_run(tmp_path: Path) -> None:
    """The comparison above can fail."""
    kept = []
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        experiment.search(data="digits", space="s4", seed=seed, device="cpu", numbers=SEARCH, retrain=False, run=folder)
        kept.append(state_of(folder)["checkpoint"])
    with pytest.raises(AssertionError, match="checkpoint"):
        assert_identical(*kept, "checkpoint")
