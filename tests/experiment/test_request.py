"""What is asked of a run: values of the usual types, the number of threads, and refusals before anything runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nasbook import datasets, experiment, sizes, spaces
from nasbook.datasets import Dataset, Images
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import Stepped

TINY = {"epochs": 1, "images": 64, "batch": 16, "channels": 4, "layers": 3}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return datasets.load("digits")


def search(**changes: Any) -> experiment.Outcome:
    return experiment.search(**{"data": "digits", "numbers": TINY, "train_numbers": TINY, "retrain": False, **changes})


def test_numpys_and_torchs_values_ask_for_the_same_run(tmp_path: Path) -> None:
    plain = search(seed=1, keep=1, record=["gap"], run=str(tmp_path / "plain"))
    numbers = {name: np.int64(value) for name, value in TINY.items()}
    numbers |= {"w_lr": np.float64(sizes.get("class").search.w_lr), "augment": np.bool_(False)}
    same = search(
        space=np.str_(sizes.get("class").space),
        seed=np.int64(1),
        keep=np.float64(1),
        record="gap",
        retrain=np.bool_(False),
        device=torch.device("cpu"),
        threads=np.int32(1),
        numbers=numbers,
        run=tmp_path / "same",
        root=tmp_path,
    )
    assert same.result["genotype"] == plain.result["genotype"]
    assert same.result["valid_accuracy"] == plain.result["valid_accuracy"]
    configs = [json.loads((tmp_path / name / "config.json").read_text()) for name in ("plain", "same")]
    assert configs[0] == configs[1]
    selected = experiment.select(tmp_path / "same", epoch=np.int64(1), numbers={"tuning_steps": np.uint8(1)})
    assert selected.result["epoch"] == 1
    trained = experiment.train("DARTS_V2", data="digits", seed=np.uint32(2), numbers=TINY)
    assert trained.result["seed"] == 2


def test_spaces_and_data_sets_take_the_usual_types(tmp_path: Path) -> None:
    assert spaces.get("s2", nodes=np.int64(1)) == spaces.get("s2", nodes=1)
    own = tmp_path / "own.npz"
    pixels, labels = np.zeros((8, 8, 8, 3), np.uint8), np.arange(8) % 2
    np.savez(own, x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    assert len(datasets.load(own).train) == len(datasets.load(str(own), root=tmp_path).train) == 8


@pytest.mark.parametrize("name", ["data", "space", "size", "method", "run", "root", "device"])
def test_an_empty_text_is_no_default(name: str) -> None:
    with pytest.raises(UsageError):
        search(**{"data": "cifar10", name: ""})


def test_the_number_of_threads_is_kept_and_the_callers_comes_back(tmp_path: Path) -> None:
    before, seen = torch.get_num_threads(), set()

    def look(event: object) -> None:
        if isinstance(event, Stepped):
            seen.add(torch.get_num_threads())
            if event.epoch == 2:
                raise InterruptedError

    numbers = TINY | {"epochs": 3}
    with pytest.raises(InterruptedError):
        search(numbers=numbers, threads=before + 1, run=tmp_path / "run", listeners=[look])
    assert torch.get_num_threads() == before
    assert seen == {before + 1}
    assert json.loads((tmp_path / "run" / "config.json").read_text())["threads"] == before + 1
    with pytest.raises(UsageError, match="threads is"):
        search(numbers=numbers, threads=before, run=tmp_path / "run")
    gone_on = search(numbers=numbers, run=tmp_path / "run")
    assert gone_on.result["threads"] == before + 1
    for wrong in (0, 10**6, 1.5, True):
        with pytest.raises(UsageError, match="threads must be"):
            search(threads=wrong)


def test_threads_that_are_not_asked_for_do_not_name_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = search(run=experiment.default_folder).result
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr("nasbook.runtime.threads.default", lambda size, device: 2)
    assert search(run=experiment.default_folder).result == first
    assert search(run=experiment.default_folder, threads=2).result["run"] != first["run"]


def _images(height: int, width: int) -> Dataset:
    blank = datasets.load("digits")
    images = Images(torch.zeros(64, 3, height, width, dtype=torch.uint8), torch.arange(64) % 10)
    return Dataset("own", 10, images, images, None, blank.normalisation, 0, False, blank.class_names)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"train_numbers": {"cutout": -1}}, "cutout must be"),
        ({"train_numbers": {"auxiliary": 0.4}}, "auxiliary classifier needs maps of 8x8"),
        ({"train_numbers": {"momentum": 0.0, "nesterov": True}}, "nesterov needs a momentum above 0"),
        ({"train_numbers": {"batch": 65, "images": 64}}, "fewer than one batch of 65"),
        ({"train_numbers": {"channels": 3}}, "even"),
        ({"train_numbers": {"channels": 3}, "retrain": False}, "even"),
        ({"train_numbers": {"layers": 1}}, "at least 2 cells"),
        ({"train_numbers": {"channels": 10**8}}, "channels must be"),
        ({"train_numbers": {"precision": "half"}}, "precision is"),
        ({"train_numbers": {"lr": -1}}, "lr must be"),
        ({"space": "nas-bench-201", "numbers": {"layers": 5}, "train_numbers": {"layers": 6}}, "3N"),
        (
            {"space": "nas-bench-201", "numbers": {"layers": 5}, "train_numbers": {"layers": 5, "auxiliary": 1.0}},
            "no auxiliary",
        ),
        ({"numbers": {"alpha_beta1": 1}}, "alpha_beta1 must be"),
        ({"numbers": {"alpha_beta2": 1.0}}, "alpha_beta2 must be"),
        ({"numbers": {"w_momentum": 0, "w_nesterov": True}}, "w_nesterov needs a w_momentum"),
        ({"numbers": {"w_lr": -1}}, "w_lr must be"),
        ({"numbers": {"layers": 1e20}}, "layers must be"),
        ({"numbers": {"channels": 6}, "method": "pc-darts"}, "parts"),
        ({"record": ["speed"]}, "cannot record"),
    ],
)
def test_what_a_later_stage_cannot_do_is_refused_before_the_first(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    merged = {"retrain": True, **changes}
    for name in ("numbers", "train_numbers"):
        merged[name] = {**TINY, **changes.get(name, {})}
    with pytest.raises(UsageError, match=says):
        search(**merged, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("height", "width"), [(16, 16), (24, 32), (64, 32), (32, 64)])
def test_paper_size_refuses_images_that_its_auxiliary_classifier_cannot_read(height: int, width: int) -> None:
    with pytest.raises(UsageError, match="set the number auxiliary to 0"):
        experiment.search(
            space="s2",
            size="paper",
            data=_images(height, width),
            numbers={"batch": 16},
            train_numbers={"batch": 16},
        )


def test_the_terminal_gives_the_digits_of_the_notebook(tmp_path: Path) -> None:
    """Chapter 00 promises them: neither of the two names a number of threads."""
    numbers = {**TINY, "epochs": 2}
    code = (
        "import nasbook; from nasbook import experiment; import json; nb = nasbook.start('00')\n"
        f"found = experiment.search('darts', space='s3', data='digits', seed=1, device='cpu', numbers={numbers},"
        f" train_numbers={TINY}, run='notebook'); print(json.dumps(found.result))"
    )
    options = [word for name, value in numbers.items() for word in (f"--{name}", str(value))]
    options += [word for name, value in TINY.items() for word in (f"--train-{name}", str(value))]
    command = ["search", "--space", "s3", "--data", "digits", "--seed", "1", "--device", "cpu", *options, "--json"]
    without = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    shown = [
        subprocess.run([sys.executable, *words], cwd=tmp_path, env=without, capture_output=True, text=True, check=True)
        for words in (["-c", code], ["-m", "nasbook", *command])
    ]
    here, there = json.loads(shown[0].stdout.splitlines()[-1]), json.loads(shown[1].stdout)
    for key in ("genotype", "valid_accuracy", "test_accuracy", "threads"):
        assert here[key] == there[key]
    assert here["threads"] == 1
    histories = []
    for folder in (here["run"], there["run"]):
        lines = (tmp_path / folder / "history.jsonl").read_text().splitlines()
        histories.append([json.loads(line)["train_loss"] for line in lines])
    assert histories[0] == histories[1]
    assert shown[1].stderr.startswith("nasbook: Loading PyTorch")
