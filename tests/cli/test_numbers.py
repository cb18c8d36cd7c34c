"""An option for each number of the sizes, and none by hand."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
import typer
from typer.testing import CliRunner

from nasbook.cli import app
from nasbook.cli.numbers import NumberOptions, explanations, number_options
from nasbook.cli.runs import RETRAIN, SEARCH
from nasbook.search.recipes import SELECTING
from nasbook.sizes import SIZES, SearchNumbers, TrainNumbers


def given(*arguments: str) -> dict[str, dict[str, Any]]:
    """What a command gets that has the options of `nasbook search`."""
    caught: dict[str, dict[str, Any]] = {}

    @number_options(numbers=SEARCH, train_numbers=RETRAIN)
    def command(seed: int = 0, *, numbers: dict[str, Any], train_numbers: dict[str, Any]) -> None:
        caught.update(numbers=numbers, train_numbers=train_numbers, rest={"seed": seed})

    small = typer.Typer()
    small.command()(command)
    result = CliRunner().invoke(small, list(arguments))
    assert result.exit_code == 0, result.output
    return caught


def text_of(value: Any) -> str:
    return "all" if value is None else str(value)


def test_nothing_is_overridden_unless_it_is_asked() -> None:
    assert given() == {"numbers": {}, "train_numbers": {}, "rest": {"seed": 0}}


@pytest.mark.parametrize("size", SIZES.values(), ids=lambda size: size.name)
def test_every_number_of_both_sets_comes_back_as_it_was_given(size: Any) -> None:
    arguments = ["--seed", "7"]
    wanted: dict[str, dict[str, Any]] = {"numbers": {}, "train_numbers": {}}
    for key, prefix, numbers in (("numbers", "", size.search), ("train_numbers", "train-", size.train)):
        for field in fields(numbers):
            value = getattr(numbers, field.name)
            flag = f"{prefix}{field.name}".replace("_", "-")
            if isinstance(value, bool):
                arguments.append(f"--{flag}" if value else f"--no-{flag}")
            else:
                arguments += [f"--{flag}", text_of(value)]
            wanted[key][field.name] = value
    got = given(*arguments)
    assert got == {**wanted, "rest": {"seed": 7}}
    for key, numbers in (("numbers", SearchNumbers), ("train_numbers", TrainNumbers)):
        kinds = get_type_hints(numbers)
        assert all(isinstance(value, kinds[name]) for name, value in got[key].items())


@pytest.mark.parametrize("numbers", [SearchNumbers, TrainNumbers])
def test_every_number_has_an_explanation_of_its_own(numbers: type) -> None:
    texts = explanations(numbers)
    assert set(texts) == {field.name for field in fields(numbers)}
    assert all(texts.values())
    assert len(set(texts.values())) == len(texts)


def test_the_help_shows_the_value_of_each_size() -> None:
    paper, small = SIZES["paper"].search, SIZES["class"].search
    words = CliRunner().invoke(app, ["search", "--help"], env={"COLUMNS": "400"}).stdout
    assert f"(class: {small.epochs}, paper: {paper.epochs})" in words
    assert f"(class: {small.images}, paper: all)" in words


def test_a_command_may_have_some_of_the_numbers() -> None:
    some = NumberOptions("search", SearchNumbers, "", "Some", ("epochs", "w_lr"))
    assert [parameter.name for parameter in some.parameters()] == ["epochs", "w_lr"]
    values = {"epochs": 3, "w_lr": None, "seed": 1}
    assert some.take(values) == {"epochs": 3}
    assert values == {"seed": 1}
    words = CliRunner().invoke(app, ["select", "--help"], env={"COLUMNS": "400"}).stdout
    assert all(f"--{name.replace('_', '-')}" in words for name in SELECTING)
    assert "--w-lr" not in words


def test_a_command_keeps_its_name_and_its_words() -> None:
    from nasbook.cli.runs import search

    assert search.__name__ == "search"
    assert (search.__doc__ or "").startswith("Search an architecture")
    assert "numbers" not in inspect.signature(search).parameters
