"""Whole runs: what comes out, what is kept, what is refused before anything runs."""

import json
from dataclasses import replace

import pytest
import torch

from nasbook import datasets, experiment, spaces
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import EpochEnded, Finished, Started, Stepped
from nasbook.search import RECIPES, Recipe

NUMBERS = {"epochs": 2, "images": 128, "batch": 32, "channels": 4, "layers": 3}
TRAIN = {"epochs": 2, "images": 128, "batch": 32, "channels": 4, "layers": 3}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def search(dataset, **changes):
    arguments = {"data": dataset, "device": "cpu", "numbers": NUMBERS, "train_numbers": TRAIN} | changes
    return experiment.search(**arguments)


def test_search_gives_the_keys_that_scripts_rely_on(dataset):
    outcome = search(dataset)
    keys = ["method", "space", "data", "size", "seed", "genotype", "valid_accuracy", "test_accuracy", "params", "macs"]
    assert {*keys, "seconds", "run"} <= set(outcome.result)
    assert outcome.result["images_used"] + outcome.result["images_left_out"] == len(dataset.train)
    assert outcome.result["images_used"] == NUMBERS["images"]
    assert outcome.result["train_images_used"] == TRAIN["images"]
    assert json.loads(json.dumps(outcome.result)) == outcome.result
    spaces.get("s3", nodes=2, reduction="fixed").check(outcome.genotype)
    assert [record["epoch"] for record in outcome.history] == [1, 2]
    assert [record["epoch"] for record in outcome.training] == [1, 2]
    assert outcome.history[-1]["genotype"] == outcome.result["genotype"]


def test_without_retraining_there_is_no_test_accuracy(dataset):
    result = search(dataset, retrain=False).result
    assert "test_accuracy" not in result
    assert result["params"] > 0


def test_events_tell_the_whole_story(dataset):
    events = []
    search(dataset, listeners=[events.append])
    for stage in ("search", "train"):
        told = [event for event in events if event.stage == stage]
        assert isinstance(told[0], Started)
        assert isinstance(told[-1], Finished)
        assert [event.epoch for event in told if isinstance(event, EpochEnded)] == [1, 2]
        steps = [(event.step, event.steps) for event in told if isinstance(event, Stepped) and event.epoch == 1]
        assert steps == [(step, len(steps)) for step in range(1, len(steps) + 1)]


def test_a_finished_run_is_read_and_not_run_again(dataset, tmp_path):
    first = search(dataset, run=tmp_path / "run")
    events = []
    again = search(dataset, run=tmp_path / "run", listeners=[events.append])
    assert again == first
    assert not events
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        ".lock",
        "config.json",
        "history.jsonl",
        "checkpoint.pt",
        "network.pt",
        "result.json",
    }


class Stop(Exception):
    pass


@pytest.mark.parametrize(("stage", "epoch"), [("search", 1), ("search", 2), ("train", 1), ("train", 2)])
def test_a_run_stopped_after_any_epoch_ends_as_if_it_had_not_been(dataset, tmp_path, stage, epoch):
    def stop(event):
        if isinstance(event, EpochEnded) and (event.stage, event.epoch) == (stage, epoch):
            raise Stop

    with pytest.raises(Stop):
        search(dataset, run=tmp_path / "run", listeners=[stop])
    resumed, whole = search(dataset, run=tmp_path / "run"), search(dataset)
    for key in ("genotype", "valid_accuracy", "test_accuracy"):
        assert resumed.result[key] == whole.result[key]
    for kept, expected in zip(resumed.history + resumed.training, whole.history + whole.training, strict=True):
        varying = ("seconds", "memory_mib")
        assert {k: v for k, v in kept.items() if k not in varying} == {
            k: v for k, v in expected.items() if k not in varying
        }


def test_train_takes_a_name_a_text_or_a_value(dataset, tmp_path):
    genotype = spaces.read("DARTS_V2")
    results = [
        experiment.train(given, data=dataset, device="cpu", numbers=TRAIN).result
        for given in ("DARTS_V2", str(genotype), genotype)
    ]
    assert len({result["test_accuracy"] for result in results}) == 1
    assert set(results[0]) >= {"genotype", "params", "macs", "test_accuracy", "seconds"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"method": "darts-3rd"}, "darts-2nd"),
        ({"space": "s9"}, "s1, s2"),
        ({"size": "huge"}, "class and paper"),
        ({"data": "cifar11"}, "cifar10"),
        ({"device": "tpu"}, "cpu"),
        ({"numbers": {"epochs": 0}}, "epochs must be"),
        ({"numbers": {"speed": 3}}, "no number 'speed'"),
        ({"train_numbers": {"batch": 1}}, "batch must be at least 2"),
        ({"numbers": {"images": 10**6}}, "can hold 2 to 4000"),
        ({"train_numbers": {"images": 10**6}}, "the data set has 4000"),
        ({"train_numbers": {"layers": 6, "stem_stride": 8}}, "multiples of 32"),
    ],
)
def test_what_does_not_exist_is_refused_before_anything_is_written(dataset, tmp_path, changes, says):
    with pytest.raises(UsageError, match=says):
        search(dataset, **{"run": tmp_path / "run", **changes})
    assert not (tmp_path / "run").exists()


def test_another_configuration_in_the_same_folder_is_refused(dataset, tmp_path):
    first = search(dataset, run=tmp_path / "run")
    with pytest.raises(UsageError, match="another configuration"):
        search(dataset, run=tmp_path / "run", seed=1)
    says = r"another configuration \(w_lr is [0-9.]+ there and 0\.02 here\): name another folder\."
    with pytest.raises(UsageError, match=says):
        search(dataset, run=tmp_path / "run", numbers=NUMBERS | {"w_lr": 0.02})
    assert search(dataset, run=tmp_path / "run") == first


def test_a_small_data_set_is_taken_whole(tmp_path):
    """scikit-learn's digits are fewer than the size asks for: all of them serve."""
    small = {name: value for name, value in NUMBERS.items() if name != "images"}
    search("digits", numbers=small | {"epochs": 1}, train_numbers=small | {"epochs": 1}, run=tmp_path / "run")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["search"]["images"] == config["train"]["images"] == len(datasets.load("digits").train)


def test_other_images_under_the_same_name_are_another_run(dataset, tmp_path):
    search(dataset, run=tmp_path / "run")
    changed = replace(dataset, train=dataset.train.subset(torch.arange(len(dataset.train)).flip(0)))
    with pytest.raises(UsageError, match=r"another configuration \(images is"):
        search(changed, run=tmp_path / "run")


def test_a_run_folder_may_be_named_by_text(dataset, tmp_path):
    assert search(dataset, retrain=False, run=str(tmp_path / "run")).result["run"] == str(tmp_path / "run")


def test_a_mistyped_selection_is_refused_before_the_search(dataset, tmp_path, monkeypatch):
    monkeypatch.setitem(RECIPES, "mine", Recipe("mine", selection="magnitud"))
    with pytest.raises(
        UsageError, match="selection 'magnitud' does not exist; there are magnitude, all-edges, top-pairs, ranking"
    ):
        search(dataset, method="mine", run=tmp_path / "run")
    assert not (tmp_path / "run").exists()
