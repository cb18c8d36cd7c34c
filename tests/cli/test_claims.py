"""`nasbook claims`: the keys that scripts rely on, measuring in a folder of one's own, and refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nasbook.claims import entries, measuring
from nasbook.cli import app

KEYS = {"id", "lecture", "statement", "verdict", "value", "spread", "seeds", "size", "chapter"}
TINY = """
[study.gap]
function = "discretisation"
seeds = [0, 1]
sizes = ["class"]
chosen_on = "nothing"
[study.gap.settings]
method = "darts"
space = "s2"
numbers = { epochs = 2, images = 128, batch = 32, channels = 4, layers = 3 }

[study.toy]
function = "bilevel-toy"
settings = { steps = 400, xi = 0.5, small_xi = 0.1 }
seeds = [0]
chosen_on = "nothing"

[[claim]]
id = "06.gap"
chapter = "06"
lecture = "DARTS"
statement = "There is a gap."
study = "gap"
value = "gap"
expect = "above"
threshold = -100.0
unit = "points"

[[claim]]
id = "05.rest"
chapter = "05"
lecture = "Bilevel optimisation"
statement = "First order rests elsewhere."
study = "toy"
value = "first"
expect = "above"
threshold = 0.5
unit = ""
exact = true
"""


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["claims", *arguments])


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger of two studies, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "claims.toml").write_text(TINY)
    monkeypatch.setattr(entries, "data_folder", lambda: tmp_path / "data")


def refusal(*arguments: str) -> str:
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_the_books_own_claims_have_the_keys_that_stay() -> None:
    result = invoke("--json")
    assert (result.exit_code, result.stderr) == (0, "")
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    assert all(set(row) >= KEYS for row in rows)
    assert [row["id"] for row in rows] == [claim.id for claim in entries.load().claims]
    assert {row["verdict"] for row in rows} <= {"holds", "weak", "fails", "not measured"}
    memory = next(row for row in rows if row["id"] == "06.memory")
    assert (memory["verdict"], memory["chapter"], memory["size"]) == ("holds", "06", "class")
    assert 5 < memory["value"] < 7
    people = invoke().stdout.splitlines()
    assert people[0].split() == ["claim", "verdict", "value", "expected", "seeds", "size", "statement"]
    noted = dict.fromkeys(row["note"] for row in rows if row["note"])
    assert people[len(rows) + 1 :] == list(noted)
    of_six = json.loads(invoke("--chapter", "06", "--json").stdout)
    assert of_six == [row for row in rows if row["chapter"] == "06"]


@pytest.mark.usefixtures("tiny")
def test_claims_are_measured_into_a_folder_and_listed_from_it() -> None:
    result = invoke("measure", "06.gap", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1].split()[:2] == ["06.gap", "holds"]
    assert len(result.stdout.splitlines()) == 2
    lines = result.stderr.splitlines()
    assert lines[0] == "nasbook: gap: seed 0 (1 of 2)"
    assert lines[1].startswith("search: epoch 1/2, train loss ")
    assert lines[-1] == "nasbook: The results are in claims: `nasbook claims --folder claims` lists them."
    rows = json.loads(invoke("--folder", "claims", "--json").stdout)
    assert [(row["id"], row["verdict"], row["seeds"]) for row in rows] == [
        ("05.rest", "not measured", []),
        ("06.gap", "holds", [0, 1]),
    ]
    assert rows[1]["value"] == pytest.approx(sum(rows[1]["values"]) / 2)
    stored = Path("claims/gap.json").read_bytes()
    rest = invoke("measure", "--seeds", "0, 1", "--device", "cpu")
    assert rest.exit_code == 0, rest.output
    assert Path("claims/gap.json").read_bytes() == stored
    rows = json.loads(invoke("--folder", "claims", "--json").stdout)
    assert (rows[0]["verdict"], rows[0]["spread"], rows[0]["seeds"]) == ("holds", 0, [0, 1])


@pytest.mark.usefixtures("tiny")
def test_without_ids_a_size_takes_the_studies_that_have_it() -> None:
    result = invoke("measure", "--size", "paper", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert [path.name for path in Path("claims").glob("*.json")] == ["toy.json"]


@pytest.mark.usefixtures("tiny")
def test_ctrl_c_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> dict[str, Any]:
        raise KeyboardInterrupt

    whole = dict(measuring.STUDIES)
    monkeypatch.setattr(measuring, "STUDIES", {**whole, "discretisation": interrupted})
    result = invoke("measure", "--folder", "mine", "--device", "cpu")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.splitlines()[-1] == (
        "nasbook: Interrupted: the same command goes on from the last finished epoch of a search or a training; "
        "another measurement begins its seed again. Results are kept in mine."
    )


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["measure", "06.gap", "nonsense"], "studies are gap, toy."),
        (["measure", "--seeds", "one"], "--seeds takes whole numbers with commas between"),
        (["measure", "--seeds", "-1"], "--seeds takes whole numbers with commas between"),
        (["measure", "--size", "nonsense"], "Size 'nonsense' does not exist"),
        (["measure", "gap", "--size", "paper"], "Study gap is measured at class size, not at paper."),
        (["measure", "--device", "nonsense"], "Device 'nonsense' is not available"),
        (["--chapter", "99"], "No claim is of chapter '99'; there are claims of 05, 06."),
        (["--folder", "nowhere"], "There is no folder nowhere of results"),
        (["--json", "measure"], "the options of `measure` stand behind it"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line_and_nothing_is_written(arguments: list[str], said: str) -> None:
    assert said in refusal(*arguments)
    assert [path.name for path in Path().iterdir()] == ["data"]
