"""The words by which files and folders name the training, validation and test images."""

from __future__ import annotations

import re

_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "val", "validation", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_SUFFIX = re.compile(r"[ _-]?(set|images|data)$")


def split_of(word: str) -> str | None:
    """`train`, `valid` or `test`, whichever a word like `Training`, `val` or `test_set` means; None for other words."""
    return _WORDS.get(_SUFFIX.sub("", word.lower()))
