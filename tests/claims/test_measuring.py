"""Measured seed by seed: what is stored, what goes on after an interruption, and what is refused before any work."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from nasbook.claims import measuring, results
from nasbook.claims.entries import Ledger
from nasbook.claims.measuring import measure
from nasbook.runtime.errors import UsageError

Calls = list[tuple[int, str, str]]
STUDY = {"function": "counting", "settings": {"base": 10.0, "deep": {"list": [1, 2]}}, "size": "class"}
RUN = {"seed": 0, "seconds": 1.5, "device": "cpu", "values": {"height": 10.0}}


def test_every_seed_is_stored_with_what_makes_it_again(ledger: Ledger, calls: Calls, tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "out"
    measure(ledger, ledger.chosen([]), folder=folder, device="cpu", report=told.append)
    assert calls == [(0, "class", "cpu"), (1, "class", "cpu"), (2, "class", "cpu"), (5, "class", "cpu")]
    stored = json.loads((folder / "heights.json").read_text())
    assert stored["study"] == {
        "function": "counting",
        "settings": {"base": 10.0, "deep": {"list": [1, 2]}},
        "size": "class",
    }
    assert [run["seed"] for run in stored["runs"]] == [0, 1, 2]
    assert stored["runs"][2]["values"] == {"height": 12.0, "series": [2, 2]}
    assert stored["runs"][2]["device"] == "cpu"
    assert stored["manifest"]["command"] == f"nasbook claims measure heights --seeds 0,1,2 --folder {folder.as_posix()}"
    assert stored["manifest"]["seeds"] == [0, 1, 2]
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "depths.json", "heights.json"]
    assert told[0] == "heights: seed 0 (1 of 3)"
    assert told[1].startswith("heights: seed 1 (2 of 3), about ")

    measure(ledger, ledger.chosen(["heights"]), folder=folder, device="cpu", report=told.append)
    assert len(calls) == 4
    assert told[-1] == "heights: every seed is measured already."


def test_other_seeds_and_another_size(ledger: Ledger, calls: Calls, tmp_path: Path) -> None:
    for seeds in ([7, 3], [5, 3, 5]):
        measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, seeds=seeds, size="paper", device="cpu")
    assert calls == [(7, "paper", "cpu"), (3, "paper", "cpu"), (5, "paper", "cpu")]
    stored = json.loads((tmp_path / "heights.json").read_text())
    assert [run["seed"] for run in stored["runs"]] == [3, 5, 7]
    assert " --seeds 3,5,7 --size paper --folder " in stored["manifest"]["command"]


def test_an_interrupted_measurement_goes_on(
    ledger: Ledger, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed within seed 1: seed 0 is stored, and what seed 1 kept in its folder is there when it goes on."""
    whole = measuring.STUDIES["counting"]
    kept: list[bool] = []

    def killed(seed: int, settings: dict[str, Any], *, folder: Path, **others: Any) -> dict[str, Any]:
        kept.append((folder / "epoch.txt").exists())
        if seed == 1 and not kept[-1]:
            folder.mkdir(parents=True)
            (folder / "epoch.txt").write_text("3")
            raise KeyboardInterrupt
        return whole(seed, settings, folder=folder, **others)

    monkeypatch.setattr(measuring, "STUDIES", {"counting": killed})
    with pytest.raises(KeyboardInterrupt):
        measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, device="cpu")
    assert len(list(tmp_path.glob("*.partial"))) == 1
    after_one = json.loads((tmp_path / "heights.json").read_text())["runs"]
    measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, device="cpu")
    assert [seed for seed, _, _ in calls] == [0, 1, 2]
    assert kept == [False, False, True, False]
    assert not list(tmp_path.glob("*.partial"))
    assert json.loads((tmp_path / "heights.json").read_text())["runs"][:1] == after_one


def test_what_an_accelerator_does_not_run_is_measured_on_the_processor(
    ledger: Ledger, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring.devices, "pick", lambda name: type("Device", (), {"type": "cuda"}))
    measure(ledger, ledger.chosen([]), folder=tmp_path, seeds=[0])
    assert calls == [(0, "class", "cuda"), (0, "class", "cpu")]


def test_refusals_come_before_any_work(
    ledger: Ledger, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="Study depths is measured at class size, not at paper"):
        measure(ledger, ledger.chosen([]), folder=tmp_path, size="paper", device="cpu")
    (tmp_path / "file").write_text("taken")
    with pytest.raises(UsageError, match="Nothing can be written to"):
        measure(ledger, ledger.chosen(["depths"]), folder=tmp_path / "file", device="cpu")
    with pytest.raises(UsageError, match="'abacus' is not available"):
        measure(ledger, ledger.chosen([]), folder=tmp_path, device="abacus")
    measure(ledger, ledger.chosen(["depths"]), folder=tmp_path, device="cpu")
    text = (tmp_path / "depths.json").read_text()
    (tmp_path / "depths.json").write_text(text.replace("-10.0", "-11.0"))
    with pytest.raises(UsageError, match=r"depths\.json holds results of study depths with another setting: name"):
        measure(ledger, ledger.chosen([]), folder=tmp_path, device="cpu")
    (tmp_path / "depths.json").write_text('{"runs": 3}')
    with pytest.raises(UsageError, match="is not a file of results"):
        measure(ledger, ledger.chosen([]), folder=tmp_path, device="cpu")
    monkeypatch.setattr(measuring, "STUDIES", {"other": None})
    with pytest.raises(UsageError, match="Study heights: there is no function 'counting'; there are other"):
        measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, device="cpu")
    assert calls == [(5, "class", "cpu")]


def test_another_size_does_not_join_a_file(ledger: Ledger, calls: Calls, tmp_path: Path) -> None:
    measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, device="cpu")
    with pytest.raises(UsageError, match="with another size"):
        measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, size="paper", device="cpu")
    assert results.read(ledger.studies["heights"], tmp_path) is not None  # listed, whatever size it is of


@pytest.mark.parametrize("value", [float("nan"), None, "high", True])
def test_a_study_must_give_the_numbers_that_claims_read(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    monkeypatch.setattr(measuring, "STUDIES", {"counting": lambda *_, **__: {"height": value}})
    with pytest.raises(UsageError, match=r"gave .* for height with seed 0, where claims need a number"):
        measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, device="cpu")
    assert not (tmp_path / "heights.json").exists()


def test_seeds_that_another_process_stored_meanwhile_are_kept(
    ledger: Ledger, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one process measures seed 0, another one measures seeds 0 and 7 into the same folder."""
    quick = measuring.STUDIES["counting"]

    def slow(seed: int, settings: dict[str, Any], **others: Any) -> dict[str, Any]:
        monkeypatch.setattr(measuring, "STUDIES", {"counting": quick})
        with pytest.raises(UsageError, match="Another process measures seed 0 of heights"):
            measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, seeds=[0], device="cpu")
        measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, seeds=[7], device="cpu")
        return quick(seed, settings, **others)

    monkeypatch.setattr(measuring, "STUDIES", {"counting": slow})
    measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, seeds=[0], device="cpu")
    stored = json.loads((tmp_path / "heights.json").read_text())
    assert [run["seed"] for run in stored["runs"]] == stored["manifest"]["seeds"] == [0, 7]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "claims.toml", "heights.json"]


def test_a_seed_that_stands_there_twice_counts_once(ledger: Ledger, calls: Calls, tmp_path: Path) -> None:
    measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, device="cpu")
    path = tmp_path / "heights.json"
    stored = json.loads(path.read_text())
    path.write_text(
        json.dumps({**stored, "runs": [*stored["runs"], {**stored["runs"][0], "values": {"height": 99.0}}]})
    )
    found = results.read(ledger.studies["heights"], tmp_path)
    assert found is not None
    assert [(run["seed"], run["values"]["height"]) for run in found["runs"]] == [(0, 10.0), (1, 11.0), (2, 12.0)]


def test_a_full_disk_is_said_and_loses_no_seed(
    ledger: Ledger, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = measuring.files.write_text

    def full(path: Path, text: str) -> None:
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(measuring.files, "write_text", full)
        with pytest.raises(UsageError, match=r"No space left on device.*the same command goes on"):
            measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, device="cpu")
    measure(ledger, ledger.chosen(["heights"]), folder=tmp_path, device="cpu")
    assert [seed for seed, _, _ in calls] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    "damage",
    ["", "[]", "null", "1", "[" * 5000, '{"study": 3, "runs": []}']
    + [
        json.dumps({"study": STUDY, "runs": runs})
        for runs in (3, {}, [3], [{}], [{**RUN, "seed": "0"}], [{**RUN, "seed": []}], [{**RUN, "values": []}])
    ],
)
def test_damaged_results_are_refused_in_a_sentence(ledger: Ledger, tmp_path: Path, damage: str) -> None:
    (tmp_path / "heights.json").write_text(damage)
    with pytest.raises(UsageError, match=r"heights\.json"):
        results.read(ledger.studies["heights"], tmp_path)
