"""The command as a whole: what it imports, what it does with errors, and where it writes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from nasbook.cli import app

COMMANDS = (
    "search",
    "select",
    "train",
    "export",
    "predict",
    "describe",
    "methods",
    "spaces",
    "datasets",
    "claims",
    "lab",
    "notebooks",
)
COMMANDS += ("doctor",)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def one_line(result: Result) -> str:
    """The error of a refused command: one line on standard error, nothing on standard output, exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("nasbook: ")
    assert result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_the_help_names_every_command_and_every_command_explains_itself() -> None:
    text = invoke("--help").stdout
    assert invoke().stdout == text
    for name in COMMANDS:
        assert name in text
        assert invoke(name, "--help").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        "--help",
        "search --help",
        "select --help",
        "claims measure --help",
        "methods",
        "methods darts-exact",
        "datasets --json",
    ],
)
def test_what_needs_no_torch_does_not_import_it(arguments: str, tmp_path: Path) -> None:
    """Of the cards one without results: an interval takes scipy."""
    code = (
        "import sys; from nasbook.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code\n"
        "slow = {'torch', 'torchvision', 'matplotlib', 'scipy', 'ipywidgets'} & set(sys.modules)\n"
        "sys.exit(f'imported {slow}' if slow else 0)"
    )
    command = [sys.executable, "-c", code, *arguments.split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("search --nonsense", "No such option: --nonsense"),
        ("search --epochs many", "--epochs"),
        ("search --images some", "'some' is neither a whole number nor 'all'"),
        ("search --seed -1", "--seed"),
        ("search --method nonsense", "Method 'nonsense' does not run here; there are darts"),
        ("search --space nonsense", "Space 'nonsense' does not exist; there are darts"),
        ("search --size nonsense", "Size 'nonsense' does not exist; there are class and paper"),
        ("search --data nonsense", "nonsense"),
        ("search --device nonsense", "Device 'nonsense' is not available"),
        ("search --epochs -3", "epochs must be a whole number of at least 1, not -3"),
        ("search --train-epochs 0", "epochs must be a whole number of at least 1, not 0"),
        ("search --w-lr nan", "w_lr must be a finite number of at least 0, not nan"),
        ("search --nodes 9", "1 to 4 intermediate nodes"),
        ("search --data digits --channels 3", "even"),
        ("search --keep -1", "--keep"),
        ("search --tuning-steps 3", "'darts' does not read tuning_steps: it belongs to the selection perturbation"),
        ("search --device cpu:x", "Device 'cpu:x' is not available"),
        ("search --alpha-beta1 1", "alpha_beta1 must be"),
        ("search --train-cutout -1", "cutout must be"),
        ("search --threads 0", "--threads"),
        ("select", "Missing argument"),
        ("select nowhere", "nowhere is not the folder of a run"),
        ("select nowhere --tuning-steps many", "--tuning-steps"),
        ("select nowhere --epochs 3", "No such option: --epochs"),
        ("train", "Missing argument"),
        ("train NONSENSE", "No published architecture is called 'NONSENSE'"),
        ("train Genotype(", "A genotype reads Genotype("),
        ("train DARTS_V2 --lr -1", "lr must be a finite number of at least 0"),
        ("describe {}", "lacks the field 'normal'"),
        ("describe DARTS_V2 --space s2", "not in space s2"),
        ("describe DARTS_V2 --channels 5", "must be even"),
        ("describe DARTS_V2 --image-size 30", "multiples of 4"),
        ("notebooks 99 --check", "There is no chapter '99'"),
        ("lab --port 0", "The port must be from 1 to 65535"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(
    arguments: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in one_line(invoke(*arguments.split()))
    assert not list(tmp_path.iterdir())  # refused before anything was written


EMPTY = [
    *(["search", f"--{name}", ""] for name in ("data", "space", "size", "method", "device", "run", "root", "record")),
    ["search", "--data="],
    ["search", "--images", " "],
    ["select", ""],
    ["select", "run", "--selection", ""],
    ["train", ""],
    ["train", "DARTS_V2", "--run="],
    ["describe", "DARTS_V2", "--space", ""],
    ["datasets", "--root", ""],
    ["doctor", "--root="],
    ["lab", "--folder", ""],
    ["notebooks", ""],
    ["claims", "--folder", ""],
    ["claims", "measure", "--seeds", ""],
    ["methods", ""],
]


@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_the_value_of_a_variable_that_is_not_set_is_refused(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "is empty" in one_line(invoke(*words))
    assert not list(tmp_path.iterdir())


def test_an_unexpected_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_text: str) -> None:
        raise ZeroDivisionError("a fault of the program")

    monkeypatch.setattr("nasbook.spaces.read", broken)
    result = invoke("describe", "DARTS_V2")
    assert isinstance(result.exception, ZeroDivisionError)


def test_the_entry_point_and_the_module_are_the_same_command(tmp_path: Path) -> None:
    module = [sys.executable, "-m", "nasbook"]
    entry = [sys.executable, "-c", "from nasbook.cli import main; main()"]
    for command in (module, entry):
        done = subprocess.run([*command, "methods", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0
        assert done.stderr == ""
        assert json.loads(done.stdout)
    done = subprocess.run([*module, "methods", "--jsn"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_has_every_option_with_its_whole_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command = typer.main.get_command(app).commands[name]
    text = CliRunner().invoke(app, [name, "--help"]).stdout
    for parameter in command.params:
        for word in parameter.opts:
            if word.startswith("-"):
                assert re.search(rf"(?m)(^|[ /]){word}($|[ ,])", text), word
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no device that is always full")
def test_an_output_that_takes_no_more_ends_in_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nasbook", "spaces"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr.startswith("nasbook: Standard output takes no more")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["methods", "methods drnas", "claims", "spaces", "datasets", "doctor", "--help"])
def test_an_encoding_without_some_characters_hides_nothing(command: str) -> None:
    """What the code page of Windows, or none at all, lacks is written as an escape."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii" if command.startswith("methods") else "cp1252"}
    done = subprocess.run([sys.executable, "-m", "nasbook", *command.split()], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process")
def test_an_interrupt_while_pytorch_is_loaded_is_one_sentence() -> None:
    """An interrupted import can end in any error, so the process ends at once: nothing has begun."""
    command = [sys.executable, "-m", "nasbook", "search", "--run", "never"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "Loading PyTorch" in process.stderr.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert (process.returncode, rest) == (130, "nasbook: Interrupted: nothing had begun.\n")
    assert not Path("never").exists()
