"""Finds the pictures of a folder: its classes, its training, validation and test images, and what is left out."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from nasbook.datasets.pictures import SUFFIXES
from nasbook.datasets.splits import split_of
from nasbook.runtime.errors import UsageError

TEST_SHARE, SPLIT_SEED = 0.2, 0  # of a folder that has no test images of its own
# What systems and programs put beside pictures; names that begin with a dot are left out too.
_SYSTEM = {"__macosx", "__pycache__", "@eadir", "lost+found", "$recycle.bin", "system volume information"}
_SYSTEM |= {"thumbs.db", "desktop.ini"}
Pictures = dict[str, list[Path]]


@dataclass
class Found:
    """The pictures of a folder.

    Args:
        parts: for `train`, `test` and, where there are any, `valid`: the picture files of each class.
        notes: what was left out or split, one phrase each.
    """

    parts: dict[str, Pictures]
    notes: list[str] = field(default_factory=list)


def find(path: Path) -> Found:
    """The pictures of a folder with one folder per class, or with folders of training and test images around them.

    Raises:
        UsageError: folders or pictures are missing, a class has too few, or a folder cannot be read.
    """
    try:
        return _find(path)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from None


def holds_pictures(path: Path) -> bool:
    """Whether a folder looks like the reader's own images: a folder one or two levels below it holds a picture."""
    try:
        return any(_is_picture(file) for depth in ("*/*", "*/*/*") for file in path.glob(depth))
    except OSError:
        return False


def _find(path: Path) -> Found:
    folders = _folders(path)
    if not folders:
        raise UsageError(f"{path} has no folders; each class is a folder of pictures.")
    splits = _splits(path, folders)
    if not splits:
        pictures, left_out = _classes(path)
        parts = _split(path, pictures)
        held = sum(map(len, parts["test"].values()))
        notes = [f"without a folder of test images, a fifth of each class is kept for the test: {held:,} pictures"]
    else:
        parts, notes = {}, []
        left_out = _pictures(path) + [folder for folder in folders if folder not in splits.values()]
        for split in sorted(splits, key=["train", "test", "valid"].index):
            parts[split], more = _classes(splits[split])
            left_out += more
        for split, pictures in parts.items():
            unknown = set(pictures) - set(parts["train"])
            if unknown:
                raise UsageError(f"{path}: {splits[split].name} has the class {min(unknown)}, which train has not.")
    if left_out:
        notes.append(f"left out what is no picture of a class ({len(left_out):,}): {_some(left_out)}")
    return Found(parts, notes)


def _splits(path: Path, folders: list[Path]) -> dict[str, Path]:
    """The folders of training, validation and test images; empty where the folders are classes."""
    named: dict[str, list[Path]] = {}
    for folder in folders:
        split = split_of(folder.name)
        if split is not None:
            named.setdefault(split, []).append(folder)
    if len(named) < 2 and not any(_folders(folder) for group in named.values() for folder in group):
        return {}  # a folder of pictures called train is a class: trains
    for group in named.values():
        if len(group) > 1:
            raise UsageError(f"{path} has the folders {_list(group)}, which mean the same: keep one of them.")
    missing = [split for split in ("train", "test") if split not in named]
    if missing:
        there = _list([folder for group in named.values() for folder in group])
        raise UsageError(
            f"{path} has {there} but no folder {' and '.join(missing)}; it needs both train and test (and valid, if "
            "there are validation images), each with a folder per class, or the folders of the classes alone."
        )
    return {split: group[0] for split, group in named.items()}


def _classes(path: Path) -> tuple[Pictures, list[Path]]:
    """The picture files of each class, classes and files in alphabetical order, and the entries that are left out."""
    found: Pictures = {}
    left_out = _pictures(path)
    for folder in _folders(path):
        found[folder.name] = _pictures(folder)
        left_out += [file for file in _visible(folder) if not _is_picture(file)]
        if not found[folder.name]:
            inside = "only folders" if _folders(folder) else f"no picture ({', '.join(SUFFIXES)})"
            advice = ": name the folder whose folders are the classes" if _folders(folder) else ""
            raise UsageError(f"{folder} holds {inside}; each class is a folder of pictures{advice}.")
    if not found:
        raise UsageError(f"{path} has no folders; each class is a folder of pictures.")
    return found, left_out


def _split(path: Path, found: Pictures) -> dict[str, Pictures]:
    parts: dict[str, Pictures] = {"train": {}, "test": {}}
    order = random.Random(SPLIT_SEED)
    for name, pictures in found.items():
        if len(pictures) < 2:
            raise UsageError(f"{path / name} holds one picture; a class needs two, one of them for the test.")
        shuffled = order.sample(pictures, len(pictures))
        held = max(1, round(TEST_SHARE * len(pictures)))
        parts["test"][name], parts["train"][name] = shuffled[:held], shuffled[held:]
    return parts


def _visible(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if not file.name.startswith(".") and file.name.lower() not in _SYSTEM)


def _folders(path: Path) -> list[Path]:
    return [file for file in _visible(path) if file.is_dir()]


def _pictures(path: Path) -> list[Path]:
    return [file for file in _visible(path) if _is_picture(file)]


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _list(folders: list[Path]) -> str:
    return " and ".join(sorted(folder.name for folder in folders))


def _some(files: list[Path]) -> str:
    names = [str(file) for file in files[:2]]
    return ", ".join([*names, "..."] if len(files) > len(names) else names)
