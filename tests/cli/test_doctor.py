"""`nasbook doctor`: what it says of a sound environment, and of a broken one."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nasbook.cli import app
from nasbook.cli.doctor import examine

LOADING = "nasbook: Loading PyTorch to see what works, which takes some seconds.\n"


def with_broken(name: str, body: str, place: Path) -> dict[str, Any]:
    """The report of an environment where importing a package fails."""
    (place / name).mkdir(parents=True)
    (place / name / "__init__.py").write_text(body)
    done = subprocess.run(
        [sys.executable, "-m", "nasbook", "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": str(place)},
        cwd=place.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.stderr == LOADING + "".join(f"nasbook: {problem}\n" for problem in report["problems"])
    return report


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of the environment that the tests run in, with an empty folder of data sets."""
    return examine(tmp_path_factory.mktemp("datasets"))


def test_a_sound_environment(report: dict[str, Any]) -> None:
    assert report["problems"] == []
    assert report["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    for name in ("nasbook", "torch", "torchvision", "typer"):
        assert report["packages"][name] == importlib.metadata.version(name)
    assert report["devices"][-1] == "cpu"
    assert report["threads"] == int(os.environ["OMP_NUM_THREADS"])
    assert report["memory_mib"] > 100
    assert report["disk_free_mib"] > 0
    assert report["book_packages"]["yaml"] is True
    assert "street_numbers" in report["datasets"]
    assert "cifar10" not in report["datasets"]
    seconds = report["import_seconds"]
    assert set(seconds) == {"nasbook", "torch", "torchvision"}
    assert seconds["nasbook"] < 0.2 * seconds["torch"]  # the package is light


def test_people_and_scripts_are_told_the_same(report: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nasbook.cli.doctor.examine", lambda root: report)
    told = CliRunner().invoke(app, ["doctor", "--json"])
    assert told.exit_code == 0
    assert json.loads(told.stdout) == report
    words = CliRunner().invoke(app, ["doctor"])
    assert words.exit_code == 0
    assert report["packages"]["torchvision"] in words.stdout
    assert f"{report['disk_free_mib']:,} MiB" in words.stdout
    assert words.stderr == LOADING


def test_a_pair_that_was_not_built_together_is_named_with_the_remedy(tmp_path: Path) -> None:
    body = "raise RuntimeError('operator torchvision::nms does not exist')\n"
    (problem,) = with_broken("torchvision", body, tmp_path / "packages")["problems"]
    torch, vision = importlib.metadata.version("torch"), importlib.metadata.version("torchvision")
    assert f"torchvision {vision} was not built for torch {torch}" in problem
    assert "operator torchvision::nms does not exist" in problem
    assert "pip install" in problem
    assert problem.endswith(".")


def test_a_torch_that_takes_the_process_down_does_not_take_the_doctor(tmp_path: Path) -> None:
    report = with_broken("torch", "import os; os.write(2, b'Illegal instruction\\n'); os._exit(132)\n", tmp_path / "p")
    (problem,) = report["problems"]
    assert "does not import (Illegal instruction)" in problem
    assert report["devices"] == []


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    version = importlib.metadata.version

    def without_scipy(name: str) -> str:
        if name == "scipy":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without_scipy)
    monkeypatch.setattr("nasbook.cli.doctor._probe", dict)
    report = examine()
    assert report["problems"] == ["scipy missing: `python -m pip install scipy`."]
    monkeypatch.setattr("nasbook.cli.doctor.examine", lambda root: report)
    told = CliRunner().invoke(app, ["doctor"])
    assert (told.exit_code, told.stderr) == (1, LOADING + "nasbook: scipy missing: `python -m pip install scipy`.\n")
