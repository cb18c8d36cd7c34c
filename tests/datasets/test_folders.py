"""Folders as people have them: which pictures are found, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasbook.datasets import folders
from nasbook.datasets.splits import split_of
from nasbook.runtime.errors import UsageError


def make(root: Path, *files: str) -> Path:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def layout(root: Path, *splits: str) -> Path:
    return make(root, *(f"{split}/{name}/{k}.png" for split in splits for name in ("cats", "dogs") for k in (1, 2)))


@pytest.mark.parametrize(
    ("word", "split"),
    [
        *((word, "train") for word in ("train", "Train", "TRAINING", "training_set", "trainset", "train_images")),
        *((word, "valid") for word in ("val", "valid", "Validation", "dev", "val-set")),
        *((word, "test") for word in ("test", "Testing", "test set")),
        *((word, None) for word in ("cats", "trainer", "set", "", "testament")),
    ],
)
def test_the_words_for_the_three_parts(word: str, split: str | None) -> None:
    assert split_of(word) == split


@pytest.mark.parametrize("splits", [("train", "val", "test"), ("Training", "validation", "Testing")])
def test_every_usual_layout_is_found(tmp_path: Path, splits: tuple[str, ...]) -> None:
    found = folders.find(layout(tmp_path, *splits))
    assert {split: list(pictures) for split, pictures in found.parts.items()} == {
        split: ["cats", "dogs"] for split in ("train", "valid", "test")
    }
    assert found.notes == []


@pytest.mark.parametrize(
    ("splits", "says"),
    [
        (("train", "val"), "train and val but no folder test; it needs both train and test"),
        (("val", "test"), "no folder train"),
        (("train",), "no folder test"),
        (("train", "test", "val", "validation"), "val and validation, which mean the same"),
        (("more/train", "more/test"), "only folders.*name the folder whose folders are the classes"),
    ],
)
def test_other_layouts_are_refused_with_help(tmp_path: Path, splits: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        folders.find(layout(tmp_path, *splits))


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    found = folders.find(make(tmp_path, "train/1.png", "train/2.png", "plane/1.png", "plane/2.png"))
    assert list(found.parts["train"]) == ["plane", "train"]
    assert "kept for the test: 2 pictures" in found.notes[0]


def test_what_systems_put_beside_pictures_is_no_picture_and_not_told(tmp_path: Path) -> None:
    layout(tmp_path, "train", "test")
    make(tmp_path, ".DS_Store", "__MACOSX/train/cats/._1.png", "train/cats/._1.png", "train/cats/Thumbs.db")
    make(tmp_path, "train/.ipynb_checkpoints/a.png", "test/dogs/desktop.ini")
    found = folders.find(tmp_path)
    assert [file.name for file in found.parts["train"]["cats"]] == ["1.png", "2.png"]
    assert found.notes == []


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    layout(tmp_path, "train", "test")
    make(tmp_path, "train/cats/3.heic", "train/dogs/more/1.png", "loose.png", "extra/cats/1.png", "labels.csv")
    (note,) = folders.find(tmp_path).notes
    assert note.startswith("left out what is no picture of a class (4): ")


def test_a_folder_that_cannot_be_listed_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        folders.find(tmp_path)
