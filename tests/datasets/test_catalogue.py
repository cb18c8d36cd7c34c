"""The list of data sets, and loading by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from nasbook.datasets import available, load, names
from nasbook.datasets.catalogue import CATALOGUE
from nasbook.runtime.errors import UsageError


def test_the_list_has_the_keys_that_scripts_rely_on(tmp_path: Path) -> None:
    rows = available(tmp_path)
    assert [row["name"] for row in rows] == names()
    for row in rows:
        assert {"name", "title", "classes", "image", "train", "test", "available"} == set(row)


def test_what_is_embedded_is_available_and_what_is_not_there_is_not(tmp_path: Path) -> None:
    there = {row["name"] for row in available(tmp_path) if row["available"]}
    assert there == {name for name in names() if name.startswith("street_numbers")} | {"digits"}
    for file in CATALOGUE["svhn"].files:
        (tmp_path / file).touch()
    assert {row["name"] for row in available(tmp_path) if row["available"]} == there | {"svhn"}


@pytest.mark.parametrize("name", ["street_numbers", "digits"])
def test_the_list_tells_what_is_loaded(name: str) -> None:
    dataset, entry = load(name), CATALOGUE[name]
    assert dataset.name == name
    assert (dataset.classes, dataset.image) == (entry.classes, entry.image)
    assert (len(dataset.train), len(dataset.test)) == (entry.train, entry.test)


def test_a_variant_has_its_difficulty_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    from nasbook.datasets import street_numbers

    monkeypatch.setattr(street_numbers, "SPLITS", {"train": (5, 51_001), "valid": (5, 51_002), "test": (5, 51_003)})
    dataset = load("street_numbers-hard-12")
    assert (dataset.name, dataset.image) == ("street_numbers-hard-12", (3, 12, 12))
    expected, _ = street_numbers.draw(5, seed=51_003, difficulty="hard", size=12)
    assert (dataset.test.pixels.permute(0, 2, 3, 1).numpy() == expected).all()


def test_there_is_a_variant_of_every_difficulty_and_size() -> None:
    variants = [name for name in names() if name.startswith("street_numbers")]
    assert len(variants) == 9
    assert {"street_numbers", "street_numbers-easy", "street_numbers-32", "street_numbers-hard-32"} <= set(variants)


@pytest.mark.parametrize("name", ["cifar11", "street_numbers-middle", "no/such/folder"])
def test_an_unknown_name_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(UsageError, match=r"does not exist; there are street_numbers, .*cifar10.* path of an .npz"):
        load(name)


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(UsageError, match="not empty"):
        load("")


def test_the_list_needs_no_torch() -> None:
    code = "import sys; from nasbook.datasets import available; available(); print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["digits", "cifar10"])
def test_a_folder_of_pictures_with_the_name_of_a_data_set_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for label in ("cats", "dogs"):
        (tmp_path / name / label).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (8, 8)).save(tmp_path / name / label / f"{number}.png")
    with pytest.raises(UsageError, match=rf"write \./{name}"):
        load(name)
    assert load(f"./{name}").class_names == ("cats", "dogs")


def test_another_folder_of_that_name_is_no_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits" / "raw").mkdir(parents=True)
    assert load("digits").name == "digits"


@pytest.mark.parametrize("name", ["images.npy", "images.zip", "images"])
def test_a_file_of_another_kind_is_refused_for_what_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=r"is a file that is not read .*np\.savez"):
        load(str(tmp_path / name))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.npz")
    with pytest.raises(UsageError, match="not a regular file"):
        load(str(tmp_path / "own.npz"))


def test_names_longer_than_the_file_system_takes_are_refused() -> None:
    for name in ("x" * 300, f"{'x' * 300}.npz"):
        with pytest.raises(UsageError, match="does not exist"):
            load(name)
    with pytest.raises(UsageError, match="is missing"):
        load("cifar10", root=Path("x" * 300))
    assert available(Path("x" * 300))
