"""A small ledger, and studies that answer at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nasbook.claims import entries, measuring
from nasbook.claims.entries import Ledger

TEXT = """
[study.heights]
function = "counting"
settings = { base = 10.0, deep = { list = [1, 2] } }
seeds = [0, 1, 2]
chosen_on = "seed 9"

[study.depths]
function = "counting"
settings = { base = -10.0 }
seeds = [5]
size = "class"
sizes = ["class"]
accelerator = false
chosen_on = "nothing"

[[claim]]
id = "06.high"
chapter = "06"
lecture = "DARTS"
statement = "It is high."
study = "heights"
value = "height"
expect = "above"
threshold = 5
unit = "m"

[[claim]]
id = "05.deep"
chapter = "05"
lecture = "Bilevel optimisation"
statement = "It is deep."
study = "depths"
value = "height"
expect = "below"
threshold = 0.0
unit = "m"
exact = true
"""


@pytest.fixture
def text() -> str:
    return TEXT


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "claims.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def ledger(write: Callable[[str], Path]) -> Ledger:
    return entries.load(write(TEXT))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, str]]:
    """(seed, size, device) of every measurement of the study "counting", whose height is base + seed."""
    made: list[tuple[int, str, str]] = []

    def counting(
        seed: int, settings: dict[str, Any], *, size: str, device: str, folder: Path, listeners: Any
    ) -> dict[str, Any]:
        made.append((seed, size, device))
        return {"height": settings["base"] + seed, "series": [seed, seed]}

    monkeypatch.setattr(measuring, "STUDIES", {"counting": counting})
    return made
