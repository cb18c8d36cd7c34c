"""`search` and `train`: one document on standard output, progress beside it, and runs that go on."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from nasbook import sizes
from nasbook.cli import app
from nasbook.search.recipes import RECIPES


def flags(prefix: str = "", **numbers: int) -> list[str]:
    """Numbers of a size as options of the command."""
    return [word for name, value in numbers.items() for word in (f"--{prefix}{name}", str(value))]


SEARCH = ["--data", "digits", *flags(epochs=2, images=128, batch=32, channels=4, layers=3)]
SPACE = sizes.get("class").space
RETRAIN = flags("train-", epochs=1, images=128, batch=32, channels=4, layers=3)
TRAIN = flags(epochs=1, images=128, batch=32, channels=4, layers=3)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_search_prints_one_document_with_the_keys_that_stay() -> None:
    result = invoke("search", *SEARCH, *RETRAIN, "--seed", "3", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    wanted = {"method": "darts", "space": SPACE, "data": "digits", "size": "class", "seed": 3}
    assert {key: found[key] for key in wanted} == wanted
    assert 0 <= found["valid_accuracy"] <= 100
    assert 0 <= found["test_accuracy"] <= 100
    assert found["params"] > 0
    assert found["seconds"] > 0
    folder = Path(found["run"])
    assert folder.parent == Path("runs")
    assert json.loads((folder / "config.json").read_text())["search"]["images"] == 128
    (picture,) = map(Path, found["pictures"])  # at class size the reduction is fixed: one cell was searched
    assert picture == folder / "cell-normal.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    costs = invoke("describe", found["genotype"], "--channels", "4", "--layers", "3", "--space", SPACE, "--json")
    assert costs.exit_code == 0, costs.output

    lines = result.stderr.splitlines()
    assert lines[0] == f"nasbook: Keeping the run in {folder}."
    assert re.fullmatch(r"search: epoch 1/2, train loss [\d.]+, valid accuracy [\d.]+ %, \d+ s left", lines[1])
    said = [line.removeprefix("nasbook: ").split(",")[0].partition(" in ")[0] for line in lines[1:]]
    assert said == ["search: epoch 1/2", "search: epoch 2/2", "search: done", "train: epoch 1/1", "train: done"]

    again = invoke("search", *SEARCH, *RETRAIN, "--seed", "3", "--json")
    assert again.stdout == result.stdout
    assert again.stderr == f"nasbook: This run is finished already; it is kept in {folder}.\n"
    people = invoke("search", *SEARCH, *RETRAIN, "--seed", "3")
    assert re.search(rf"^pictures +{re.escape(str(picture))}$", people.stdout, re.MULTILINE)
    assert found["genotype"] in people.stdout


def test_every_method_that_runs_searches_and_without_retraining_nothing_is_tested() -> None:
    for method in RECIPES:
        tuning = flags(**{"tuning-steps": 1}) if RECIPES[method].selection == "perturbation" else []
        result = invoke("search", *SEARCH, "--method", method, *tuning, "--no-retrain", "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["method"] == method
        assert "test_accuracy" not in json.loads(result.stdout)


def test_a_kept_search_is_selected_from_and_the_selection_found_again() -> None:
    kept = invoke("search", *SEARCH, "--no-retrain", "--keep", "1", "--run", "mine")
    assert kept.exit_code == 0, kept.output
    command = ["select", "mine", "--epoch", "1", *flags(**{"tuning-steps": 1}), "--selection-order", "backward"]
    result = invoke(*command, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    wanted = {"method": "darts", "space": SPACE, "data": "digits", "epoch": 1, "selection": "perturbation"}
    assert {key: found[key] for key in wanted} == wanted
    folder = Path(found["run"])
    assert folder.parent == Path("mine")
    assert found["pictures"] == [str(folder / "cell-normal.png")]
    first = json.loads((folder / "history.jsonl").read_text().splitlines()[0])
    assert first["decisions"][0]["where"] == "2→3"
    told = result.stderr.splitlines()
    assert told[0] == f"nasbook: Keeping the run in {folder}."
    assert re.fullmatch(r"select: decision 1/6, train loss [\d.]+, valid accuracy [\d.]+ %, \d+ s left", told[1])
    assert re.fullmatch(r"select: decision 6/6, valid accuracy [\d.]+ %, 0 s left", told[6])

    again = invoke(*command, "--json")
    assert again.stdout == result.stdout
    assert again.stderr == f"nasbook: This run is finished already; it is kept in {folder}.\n"
    people = invoke("select", "mine", "--selection", "magnitude")
    assert people.exit_code == 0, people.output
    last = json.loads(Path("mine/history.jsonl").read_text().splitlines()[-1])
    assert last["genotype"] in people.stdout
    assert "epoch" not in people.stderr  # nothing was trained


def test_what_cannot_be_selected_is_said_in_one_line() -> None:
    assert invoke("search", *SEARCH, "--no-retrain", "--run", "plain").exit_code == 0
    assert invoke("search", *SEARCH, "--no-retrain", "--run", "mine", "--keep", "2").exit_code == 0
    for words, says in (
        (["plain"], "The run in plain keeps no state to select from: search with keep (--keep 1) to have some."),
        (["mine", "--epoch", "1"], "The run in mine keeps no state of epoch 1; there are 2."),
        (
            ["mine", "--selection", "size"],
            "There is no selection 'size'; there are magnitude, all-edges, top-pairs, ranking, ",
        ),
        (["mine", "--selection-order", "up"], "selection_order is random or forward or backward, not 'up'."),
        (["mine", "--selection", "magnitude", "--tuning-lr", "1"], "does not read tuning_lr"),
    ):
        refused = invoke("select", *words)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert says in refused.stderr
        assert refused.stderr.count("\n") == 1


TOPOLOGY = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
FIVE = flags(epochs=1, images=128, batch=32, channels=4, layers=5)


def test_nas_bench_201_is_searched_drawn_and_trained() -> None:
    result = invoke(
        *("search", "--space", "nas-bench-201", "--data", "digits", *FIVE),
        *(*flags("train-", epochs=1, images=128, batch=32, channels=4), "--json"),
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    (picture,) = map(Path, found["pictures"])
    assert picture.name == "cell-normal.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert json.loads((Path(found["run"]) / "config.json").read_text())["train"]["layers"] == 5
    costs = invoke(
        "describe", found["genotype"], "--channels", "4", "--layers", "5", "--space", "nas-bench-201", "--json"
    )
    assert abs(json.loads(costs.stdout)["params"] - found["params"]) == 2 * 9 * 4  # digits are grey: a smaller stem
    trained = invoke("train", TOPOLOGY, "--data", "digits", *FIVE, "--json")
    assert trained.exit_code == 0, trained.output
    assert json.loads(trained.stdout)["genotype"] == TOPOLOGY


def test_a_mistyped_architecture_string_is_refused_in_a_sentence() -> None:
    refused = invoke("train", TOPOLOGY.replace("~2", "~1"), "--data", "digits", *FIVE)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert re.fullmatch(r"nasbook: An edge into node 3 reads 'nor_conv_1x1~1'; .*\n", refused.stderr)
    refused = invoke("search", "--space", "nas-bench-201", "--data", "digits", *FIVE, "--layers", "6")
    assert refused.exit_code == 2
    assert "3N + 2 layers" in refused.stderr


def test_a_training_prints_one_document_and_is_found_again() -> None:
    result = invoke("train", "DARTS_V2", "--data", "digits", *TRAIN, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {"genotype", "params", "macs", "test_accuracy", "seconds", "run"} <= set(found)
    costs = invoke("describe", "DARTS_V2", "--channels", "4", "--layers", "3", "--image-size", "8", "--json")
    assert abs(json.loads(costs.stdout)["params"] - found["params"]) == 2 * 9 * 12  # digits are grey: a smaller stem
    assert invoke("train", "DARTS_V2", "--data", "digits", *TRAIN, "--json").stdout == result.stdout


def test_a_folder_of_another_configuration_is_refused() -> None:
    assert invoke("search", *SEARCH, "--no-retrain", "--run", "mine").exit_code == 0
    before = {path.name: path.read_bytes() for path in Path("mine").iterdir()}
    refused = invoke("search", *SEARCH, "--no-retrain", "--run", "mine", "--seed", "1")
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr == (
        "nasbook: mine holds a run of another configuration (seed is 0 there and 1 here): name another folder.\n"
    )
    assert {path.name: path.read_bytes() for path in Path("mine").iterdir()} == before


def test_a_folder_of_something_else_is_refused() -> None:
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("Dear reader")
    refused = invoke("train", "DARTS_V2", "--data", "digits", *TRAIN, "--run", "mine")
    assert refused.exit_code == 2
    assert "is not a run folder" in refused.stderr
    assert [path.name for path in Path("mine").iterdir()] == ["letter.txt"]


def test_divergence_ends_in_one_line_with_what_to_try() -> None:
    result = invoke("search", *SEARCH, "--w-lr", "1e30", "--clip", "1e30", "--no-retrain", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "no longer finite in epoch 1: try a smaller w_lr" in result.stderr.splitlines()[-1]


def test_ctrl_c_says_how_to_go_on_and_the_same_command_does() -> None:
    command = ["search", *SEARCH, "--epochs", "40", "--no-retrain", "--run", "mine"]
    # A test that runs in the background of a shell hands on that Ctrl-C is ignored.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom nasbook.cli import main; main()"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert run.stderr is not None
        lines = [run.stderr.readline() for _ in range(4)]
        assert lines[0] == "nasbook: Loading PyTorch, which takes some seconds.\n"
        assert lines[3].startswith("search: epoch 2/40")
        run.send_signal(signal.SIGINT)
        out, rest = run.communicate(timeout=60)
    finally:
        run.kill()
    assert (run.returncode, out) == (130, "")
    assert rest.splitlines()[-1] == (
        "nasbook: Interrupted: the same command goes on from the last finished epoch; it is kept in mine."
    )
    done = torch.load("mine/checkpoint.pt", weights_only=True)["records"]
    assert done >= 2
    lines = invoke(*command).stderr.splitlines()
    assert lines[0] == "nasbook: Continuing the run in mine."
    assert lines[1].startswith(f"search: epoch {done + 1}/40")
    assert lines[-2].startswith("search: epoch 40/40")


def test_searches_need_no_package_of_the_book(tmp_path: Path) -> None:
    """A server has no Jupyter: the packages that only the book needs, and scikit-learn, are found nowhere."""
    code = (
        "import sys\n"
        "names = {'IPython', 'ipywidgets', 'anywidget', 'nbclient', 'nbformat', 'ipykernel', 'jupytext', 'traitlets'}\n"
        "class Without:\n"
        "    def __init__(self, finder): self.finder = finder\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        top = name.partition('.')[0]\n"
        "        absent = top in names | {'sklearn', 'yaml'} or top.startswith('jupyter')\n"
        "        return None if absent else self.finder.find_spec(name, path, target)\n"
        "sys.meta_path[:] = map(Without, sys.meta_path)\n"
        "from nasbook.cli import main; main()\n"
    )

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )

    done = command("search", *SEARCH[2:], *RETRAIN, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"] == "street_numbers"
    refused = command("notebooks", "--check")
    assert refused.returncode == 2
    assert re.fullmatch(r"nasbook: The book needs the package \w+, which is not installed here: .*\n", refused.stderr)


def refuse(*_: object) -> None:
    raise RuntimeError("latex could not be found")


def test_a_picture_that_cannot_be_made_hides_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the run, nor when the finished run is asked for again, be its folder writable or not."""
    words = ["search", *SEARCH, "--no-retrain", "--run", "run"]
    with monkeypatch.context() as patch:
        patch.setattr("nasbook.figures.picture.Picture.save", refuse)
        result = invoke(*words, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["pictures"] == []
    assert "latex could not be found" in result.stderr
    Path("run/cell-normal.png").mkdir()  # as good as a folder that cannot be written, for any user
    again = invoke(*words, "--json")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout) == json.loads(result.stdout)
    assert "Traceback" not in again.stderr


def test_a_terminal_that_is_gone_does_not_end_a_run() -> None:
    """Standard error that nobody reads any more: the run goes on to its result."""
    words = [sys.executable, "-m", "nasbook", "search", *SEARCH, "--no-retrain", "--run", "run", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stdout
        assert started.stderr
        started.stderr.close()
        found = json.loads(started.stdout.read())
    assert started.returncode == 0
    assert found["genotype"] == json.loads(Path("run/result.json").read_text())["genotype"]
