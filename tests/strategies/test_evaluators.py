"""Evaluators: the stored table, training from scratch, and the command that makes a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from nasbook import spaces, strategies
from nasbook.datasets import Dataset, Images, Normalisation
from nasbook.runtime import files
from nasbook.runtime.errors import UsageError
from nasbook.strategies.evaluate_space import evaluate_space
from nasbook.supernet import Network, parameters

TOY = spaces.get("s2", nodes=1, reduction="fixed")
TINY = {"epochs": 1, "images": 32, "batch": 16, "channels": 2, "layers": 2}


def tiny_data(*, valid: bool = True) -> Dataset:
    generator = torch.Generator().manual_seed(0)

    def images(count: int) -> Images:
        pixels = torch.randint(256, (count, 3, 8, 8), generator=generator, dtype=torch.uint8)
        return Images(pixels, torch.arange(count) % 4)

    return Dataset(
        name="tiny",
        classes=4,
        train=images(32),
        test=images(16),
        valid=images(16) if valid else None,
        normalisation=Normalisation(),
        crop_padding=0,
        flip=False,
        class_names=("a", "b", "c", "d"),
    )


def make(path: Path, **changes: Any) -> dict[str, Any]:
    lines: list[str] = changes.pop("lines", [])
    settings = {"nodes": 1, "reduction": "fixed", "data": tiny_data(), "seeds": 2, "numbers": TINY, **changes}
    return evaluate_space(TOY, path, command="again", report=lines.append, **settings)


def test_every_architecture_is_trained_once_a_seed(tmp_path: Path) -> None:
    lines: list[str] = []
    stored = make(tmp_path / "t.json", lines=lines)
    assert len(lines) == 8
    assert lines[-1].startswith("8/8: valid accuracy ")
    table = strategies.read_table(files.read_json(tmp_path / "t.json"), "t")
    assert len(table) == 4
    assert stored["manifest"]["command"] == "again"
    assert stored["manifest"]["seeds"] == [0, 1]
    for genotype in strategies.architectures(TOY):
        row = table.row(genotype)
        assert len(row.valid) == len(row.test) == len(row.seconds) == 2
        network = Network(genotype, channels=2, layers=2, classes=4, stem_stride=2)
        assert row.params == parameters(network)
        assert table(genotype) == pytest.approx(sum(row.valid) / 2)
        assert table.test(genotype) == pytest.approx(sum(row.test) / 2)


def test_an_interrupted_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole.json")

    class Interrupted(Exception):
        pass

    def stop(line: str) -> None:
        if line.startswith("3/8"):
            raise Interrupted

    with pytest.raises(Interrupted):
        evaluate_space(
            TOY,
            tmp_path / "t.json",
            nodes=1,
            reduction="fixed",
            data=tiny_data(),
            seeds=2,
            numbers=TINY,
            command="again",
            report=stop,
        )
    lines: list[str] = []
    again = make(tmp_path / "t.json", lines=lines)
    assert len(lines) == 5
    for one, other in zip(whole["architectures"], again["architectures"]):
        assert (one["valid"], one["test"]) == (other["valid"], other["test"])


def test_a_table_of_other_settings_is_not_touched(tmp_path: Path) -> None:
    make(tmp_path / "t.json", seeds=1)
    before = (tmp_path / "t.json").read_bytes()
    with pytest.raises(UsageError, match="numbers differs"):
        make(tmp_path / "t.json", numbers={**TINY, "epochs": 2})
    assert (tmp_path / "t.json").read_bytes() == before
    with pytest.raises(UsageError, match="tiny has no validation images"):
        make(tmp_path / "u.json", data=tiny_data(valid=False))
    assert not (tmp_path / "u.json").exists()


def test_half_a_table_is_refused(tmp_path: Path) -> None:
    stored = make(tmp_path / "t.json", seeds=1)
    with pytest.raises(UsageError, match="3 of 4 architectures"):
        strategies.read_table({**stored, "architectures": stored["architectures"][:3]}, "t")
    stored["architectures"][0]["valid"].append(50.0)  # the second seed had begun
    with pytest.raises(UsageError, match="3 of 4 architectures"):
        strategies.read_table(stored, "t")
    with pytest.raises(UsageError, match="malformed"):
        strategies.read_table({"space": "s2"}, "t")


def test_training_from_scratch_is_an_evaluator() -> None:
    data = tiny_data()
    evaluate = strategies.from_scratch(data=data, numbers=TINY, seed=3)
    genotype = next(strategies.architectures(TOY))
    score = evaluate(genotype)
    assert 0 <= score <= 100
    assert score == evaluate(genotype)
    assert (score * 16 / 100) == pytest.approx(round(score * 16 / 100))  # so many of the 16 validation images
    with pytest.raises(UsageError, match="no validation images"):
        strategies.from_scratch(data=tiny_data(valid=False), numbers=TINY)(genotype)
