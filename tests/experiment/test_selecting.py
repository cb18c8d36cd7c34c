"""Selecting from a search that is kept: at its end as the combined method does, at any epoch, after an interruption."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nasbook import datasets, experiment, spaces
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import EpochEnded, Started
from nasbook.selection import every_edge, magnitude

NUMBERS = {"epochs": 3, "images": 64, "batch": 16, "channels": 4, "layers": 3}
TUNING = {"tuning_steps": 1}
MEASURED = ("seconds", "memory_mib")  # what no two runs have in common


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, method="darts", numbers=None, **changes):
    arguments = {"data": dataset, "device": "cpu", "retrain": False, "space": "s4"} | changes
    return experiment.search(method, numbers=NUMBERS | (numbers or {}), **arguments)


def select(run, dataset, **changes):
    return experiment.select(run, **({"data": dataset, "device": "cpu", "numbers": TUNING} | changes))


@pytest.fixture(scope="module")
def kept(dataset, tmp_path_factory):
    """A search of three epochs, each of whose states is kept."""
    folder = tmp_path_factory.mktemp("searches") / "run"
    return folder, search(dataset, keep=1, run=folder)


def plain(records):
    return [{key: value for key, value in record.items() if key not in MEASURED} for record in records]


def test_states_are_kept_every_so_many_epochs_and_after_the_last(dataset, tmp_path):
    outcome = search(dataset, keep=2, run=tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").glob("search-*.pt")) == ["search-0002.pt", "search-0003.pt"]
    assert plain(outcome.history) == plain(search(dataset).history)  # keeping changes nothing


@pytest.mark.parametrize("method", ["darts", "sdarts-rs", "drnas-progressive"])
def test_at_the_last_epoch_it_is_what_the_combined_method_does(dataset, tmp_path, method):
    numbers = {"channels": 8, "epochs": 2} if method.startswith("drnas") else {}
    search(dataset, method, numbers, keep=5, run=tmp_path / "run")
    found = select(tmp_path / "run", dataset)
    whole = search(dataset, f"{method}+pt", TUNING | numbers)
    assert found.result["genotype"] == whole.result["genotype"]
    assert plain(found.decisions) == plain(whole.decisions)
    assert len(found.decisions) == 6  # five edges, and the one node that has three


def test_the_result_says_what_was_selected_from(kept, dataset):
    folder, searched = kept
    found = select(folder, dataset, epoch=2)
    wanted = {"method": "darts", "space": "s4", "data": "street_numbers", "size": "class", "seed": 0}
    wanted |= {"epoch": 2, "selection": "perturbation"}
    assert {key: found.result[key] for key in wanted} == wanted
    assert Path(found.result["run"]).name.startswith("select-perturbation-0002-")
    assert found.result["params"] > 0
    assert found.result["seconds"] > 0
    assert json.loads(json.dumps(found.result)) == found.result
    spaces.get("s4", nodes=2, reduction="fixed").check(found.genotype)
    assert found.history == found.training == []
    assert searched.decisions == []


def test_by_magnitude_an_earlier_epoch_gives_what_its_record_says(kept, dataset):
    folder, searched = kept
    for record in searched.history:
        found = select(folder, dataset, epoch=record["epoch"], selection="magnitude", numbers=None)
        assert found.result["genotype"] == record["genotype"]
        assert found.decisions == []


def test_another_rule_than_the_methods_own_reads_the_same_weights(kept, dataset, tmp_path):
    folder, searched = kept
    space = spaces.get("s4", nodes=2, reduction="fixed")
    weights = {name: torch.tensor(rows) for name, rows in searched.history[-1]["weights"].items()}
    found = select(folder, dataset, selection="all-edges", numbers=None)
    assert found.genotype == every_edge(space, weights) != searched.genotype
    sampled = search(dataset, "snas", keep=1, run=tmp_path / "snas")
    weights = {name: torch.tensor(rows) for name, rows in sampled.history[-1]["weights"].items()}
    assert sampled.genotype == every_edge(space, weights)
    found = select(tmp_path / "snas", dataset, selection="magnitude", numbers=None)
    assert found.genotype == magnitude(space, weights) != sampled.genotype


def test_an_earlier_state_is_another_supernet(kept, dataset):
    """Its first decision is scored at the weights and the alpha of that epoch."""
    folder, _ = kept
    firsts = [select(folder, dataset, epoch=epoch).decisions[0]["decisions"][0] for epoch in (1, 2, 3)]
    assert len({str(each["losses"]) for each in firsts}) == 3
    for epoch, first in enumerate(firsts, 1):
        state = torch.load(folder / f"search-{epoch:04d}.pt", weights_only=True)["state"]
        row = spaces.get("s4", nodes=2).groups["normal"].rows.index(first["where"])
        assert first["weights"] == pytest.approx(torch.softmax(state["alpha"]["normal"][row], -1).tolist())


class Stop(Exception):
    pass


@pytest.mark.parametrize("at", [1, 4])
def test_one_that_is_stopped_is_taken_up(kept, dataset, tmp_path, at):
    folder, _ = kept
    other = shutil.copytree(folder, tmp_path / "run", ignore=shutil.ignore_patterns("select-*"))

    def stop(event):
        if isinstance(event, EpochEnded) and event.epoch == at:
            raise Stop

    with pytest.raises(Stop):
        select(other, dataset, epoch=2, listeners=[stop])
    told = []
    resumed, whole = select(other, dataset, epoch=2, listeners=[told.append]), select(folder, dataset, epoch=2)
    assert told[0] == Started("select", 6, at)
    assert plain(resumed.decisions) == plain(whole.decisions)
    assert resumed.result["genotype"] == whole.result["genotype"]


def test_a_finished_one_is_read(kept, dataset):
    folder, _ = kept
    first, told = select(folder, dataset, epoch=3), []
    assert select(folder, dataset, listeners=[told.append]) == first  # the last epoch is the one by default
    assert not told
    assert Path(first.result["run"]).parent == folder


def test_other_numbers_are_another_selection_in_a_folder_of_its_own(kept, dataset):
    folder, _ = kept
    backward, forward = (
        select(folder, dataset, epoch=3, numbers={"tuning_steps": 0, "selection_order": order})
        for order in ("backward", "forward")
    )
    assert backward.result["run"] != forward.result["run"]
    rows = [[stop["decisions"][0]["where"] for stop in each.decisions] for each in (forward, backward)]
    assert rows == [["0→2", "1→2", "0→3", "1→3", "2→3", "node 3"], ["2→3", "1→3", "0→3", "1→2", "0→2", "node 3"]]


def test_of_a_search_that_stopped_early_the_epoch_that_is_asked_for_counts(kept, dataset, tmp_path):
    """And not the one that the search itself went back to."""
    folder, searched = kept
    other = shutil.copytree(folder, tmp_path / "run", ignore=shutil.ignore_patterns("select-*"))
    saved = torch.load(other / "search-0003.pt", weights_only=True)
    mixed = "the architecture of an earlier epoch"
    saved["state"]["watch"] = {"curve": [(1, 1.0)], "derived": [mixed], "stopped": 1}
    torch.save(saved, other / "search-0003.pt")
    found = select(other, dataset, selection="magnitude", numbers=None)
    assert found.result["genotype"] == searched.history[2]["genotype"]


@pytest.mark.parametrize("stage", ["search", "select"])
def test_a_combined_run_that_is_stopped_comes_out_the_same(dataset, tmp_path, stage):
    """After the last epoch of the search, or between two decisions; the network is trained afterwards in both."""

    def stop(event):
        if isinstance(event, EpochEnded) and (event.stage, event.epoch) == (stage, 3):
            raise Stop

    changes = {"retrain": True, "train_numbers": NUMBERS | {"epochs": 1}}
    with pytest.raises(Stop):
        search(dataset, "darts+pt", TUNING, run=tmp_path / "run", listeners=[stop], **changes)
    resumed = search(dataset, "darts+pt", TUNING, run=tmp_path / "run", **changes)
    whole = search(dataset, "darts+pt", TUNING, **changes)
    for part in ("history", "decisions", "training"):
        assert plain(getattr(resumed, part)) == plain(getattr(whole, part))
    for key in ("genotype", "test_accuracy", "valid_accuracy"):
        assert resumed.result[key] == whole.result[key]
    seconds = resumed.result
    assert 0 < seconds["select_seconds"] < seconds["seconds"]


REFUSALS = [
    ({"epoch": 7}, "keeps no state of epoch 7; there are 1, 2, 3"),
    (
        {"selection": "pertubation"},
        "no selection 'pertubation'; there are magnitude, all-edges, top-pairs, ranking, perturbation",
    ),
    ({"numbers": {"epochs": 5}}, "A selection by perturbation does not read epochs; it reads selection_order"),
    ({"numbers": {"tuning_steps": -1}}, "tuning_steps must be a whole number of at least 0"),
    ({"numbers": {"selection_order": "sideways"}}, "selection_order is random or forward or backward"),
    ({"selection": "magnitude"}, r"A selection by magnitude does not read tuning_\w+; it reads no number\."),
    ({"device": "tpu"}, "cpu"),
]


@pytest.mark.parametrize(("changes", "says"), REFUSALS)
def test_what_cannot_be_selected_is_said_in_a_sentence(kept, dataset, changes, says):
    folder, _ = kept
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(UsageError, match=says):
        select(folder, dataset, **changes)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_other_images_are_refused(kept, dataset):
    folder, _ = kept
    flipped = replace(dataset, train=dataset.train.subset(torch.arange(len(dataset.train)).flip(0)))
    with pytest.raises(UsageError, match="are not those that the run in"):
        select(folder, flipped)


def test_folders_that_hold_no_kept_search_are_refused(dataset, tmp_path):
    (tmp_path / "empty").mkdir()
    for place in ("empty", "absent"):
        with pytest.raises(UsageError, match="is not the folder of a run"):
            select(tmp_path / place, dataset)
    search(dataset, numbers={"epochs": 1}, run=tmp_path / "plain")
    with pytest.raises(UsageError, match=r"keeps no state to select from: search with keep"):
        select(tmp_path / "plain", dataset)
    small = {"epochs": 1, "images": 64, "batch": 16, "channels": 4, "layers": 3}
    experiment.train("DARTS_V2", data=dataset, device="cpu", numbers=small, run=tmp_path / "trained")
    with pytest.raises(UsageError, match="holds a run of nasbook train, not one of nasbook search"):
        select(tmp_path / "trained", dataset)


def test_a_damaged_state_is_named(dataset, tmp_path):
    search(dataset, numbers={"epochs": 1}, keep=1, run=tmp_path / "run")
    (tmp_path / "run" / "search-0001.pt").write_bytes(b"not a state")
    with pytest.raises(UsageError, match=r"search-0001\.pt cannot be read .*: take another epoch"):
        select(tmp_path / "run", dataset)


@pytest.mark.parametrize(("changes", "says"), [({"keep": 1}, "needs a run folder"), ({"keep": -1}, "at least 0")])
def test_states_are_kept_in_a_folder_or_not_at_all(dataset, tmp_path, changes, says):
    run = {"run": tmp_path / "run"} if changes["keep"] < 0 else {}
    with pytest.raises(UsageError, match=says):
        search(dataset, **changes, **run)
    assert not (tmp_path / "run").exists()
