"""`nasbook datasets download`: a real data set comes through torchvision to where searches look; no network is used."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision import datasets as torchvision_datasets
from typer.testing import CliRunner

from nasbook.cli import app


def write_cifar(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CIFAR-10 of four images per batch, whose checksums torchvision is told."""
    kind = torchvision_datasets.CIFAR10
    folder.mkdir(parents=True)

    def write(name: str, batch: dict[str, Any]) -> list[str]:
        content = pickle.dumps(batch, protocol=2)
        (folder / name).write_bytes(content)
        return [name, hashlib.md5(content).hexdigest()]

    batch = {"data": np.zeros((4, 3072), np.uint8), "labels": [0, 1, 2, 3]}
    for listed in ("train_list", "test_list"):
        monkeypatch.setattr(kind, listed, [write(name, batch) for name, _ in getattr(kind, listed)])
    _, md5 = write(kind.meta["filename"], {kind.meta["key"]: list("abcdefghij")})
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": md5})


@pytest.mark.parametrize("options", [[], ["--root", "elsewhere"]])
def test_cifar10_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    fetched = []

    def fetch(url: str, root: str, **_: Any) -> None:
        fetched.append(url)
        write_cifar(Path(root, "cifar-10-batches-py"), monkeypatch)

    monkeypatch.setattr("torchvision.datasets.utils.download_and_extract_archive", fetch)
    for _ in range(2):
        result = CliRunner().invoke(app, ["datasets", "download", "cifar10", *options])
        assert result.exit_code == 0, result.output
        assert "20 training and 4 test images" in result.stdout
    assert fetched == [torchvision_datasets.CIFAR10.url]
    assert Path(*options[1:] or ["datasets"], "cifar-10-batches-py", "test_batch").is_file()


@pytest.mark.parametrize("name", ["street_numbers", "cifar11", "imagenet16-120"])
def test_what_is_not_fetched_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["datasets", "download", name])
    assert result.exit_code == 2
    assert name in result.stderr


def test_the_options_of_the_list_stand_alone(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["datasets", "--root", str(tmp_path), "download", "cifar10"])
    assert result.exit_code == 2
    assert "--root" in result.stderr
