"""Method cards: one for each recipe, all fields in order, and what they name exists."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

from nasbook import sizes
from nasbook.cli import app
from nasbook.course.book import load_book
from nasbook.runtime.errors import UsageError
from nasbook.search import RECIPES, cards
from nasbook.search.recipes import check_numbers
from nasbook.spaces import family

FOLDER = Path(cards.__file__).parent
ROOT = FOLDER.parents[2]
MODULES = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")
# Where in the code something stands: "nasbook/search/loop.py: Search.step".
PLACE = re.compile(r"(nasbook/[\w/]+\.py)(?::\s+(\w+(?:\.\w+)?))?")


def items(text: str) -> list[str]:
    """The numbered or bulleted lines of a field."""
    return [line for line in text.splitlines() if re.match(r"\d+\. |- ", line)]


def test_every_recipe_has_one_card() -> None:
    told = [name for path in MODULES for name in import_module(f"nasbook.search.cards.{path.stem}").RECIPES]
    assert sorted(told) == sorted(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_all_fields_in_order_and_none_empty(name: str) -> None:
    fields = cards.card_fields(name)
    assert tuple(fields) == cards.FIELDS
    for field, text in fields.items():
        assert len(text.split()) >= 4, field
        assert text == text.strip("\n")
    heading, blank, *_ = cards.card(name).splitlines()
    assert re.fullmatch(r"[A-Z][\w-]+: .+\.", heading)
    assert not blank
    assert fields["Idea in one sentence"].count(". ") == 0
    for field in ("Step of the weights", "Step of alpha"):
        assert re.search("^    .*(<-|=)", fields[field], flags=re.MULTILINE), field  # an equation on a line of its own


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_holds_its_card_and_the_names_of_recipes_and_nothing_else(path: Path) -> None:
    docstring, names = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(names, ast.Assign)
    assert [target.id for target in names.targets if isinstance(target, ast.Name)] == ["RECIPES"]
    assert isinstance(names.value, ast.Tuple)


@pytest.mark.parametrize("name", RECIPES)
def test_details_are_numbered_and_stand_in_the_code(name: str) -> None:
    fields = cards.card_fields(name)
    details = items(fields["Details"])
    assert [line.split(".")[0] for line in details] == [str(number) for number in range(1, len(details) + 1)]
    assert len(details) >= 4
    assert items(fields["Deviations from paper and released code"])
    assert items(fields["Known failures"])
    assert PLACE.search(fields["Details"])
    for path, attribute in PLACE.findall(cards.card(name)):
        assert (ROOT / path).is_file(), path
        found = import_module(path.removesuffix(".py").replace("/", "."))
        for part in attribute.split(".") if attribute else ():
            assert hasattr(found, part), (path, attribute)
            found = getattr(found, part)


@pytest.mark.parametrize("name", RECIPES)
def test_commands_are_of_this_family_and_their_options_exist(name: str) -> None:
    command = typer.main.get_command(app).commands["search"]  # type: ignore[attr-defined]
    methods = []
    for line in cards.card_fields(name)["Command"].splitlines():
        program, verb, *words = shlex.split(line)
        assert (program, verb) == ("nasbook", "search")
        with command.make_context("search", words, resilient_parsing=False) as context:
            methods.append(context.params["method"])
            known = context.params
        found = sizes.get(known["size"]).of(family(known["space"]), known["method"]).search
        check_numbers(RECIPES[known["method"]], found)
    assert tuple(methods) == cards.family(name)


@pytest.mark.parametrize("name", RECIPES)
def test_options_recorded_measures_and_chapters_that_are_named_exist(name: str) -> None:
    text = " ".join(cards.card(name).split())
    command = typer.main.get_command(app).commands["search"]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"`(--[a-z-]+)", text)) <= options
    from nasbook.instruments import INSTRUMENTS

    assert set(re.findall(r"`--record ([a-z-]+)`", text)) <= set(INSTRUMENTS)
    chapters = {chapter.number for chapter in load_book()}
    for first, last in re.findall(r"chapters? (\d\d)(?: to (\d\d))?", text):
        assert {first, last or first} <= chapters


def test_no_card_repeats_a_number_of_the_table() -> None:
    """A hyperparameter stands in `nasbook.sizes` alone: a card that gives one (as "lr 0.1") could grow wrong."""
    names = "|".join([*sizes.SearchNumbers.__dataclass_fields__, "learning rate", "batch", "temperature", "epochs of"])
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        for found in re.findall(rf"[^.;]*\b(?:{names}) \d[^.;]*", text):
            assert "ImageNet" in found, (path.stem, found)  # settings that are not taken over stand in no table


def test_published_numbers_of_the_table_are_those_of_papers_and_released_code() -> None:
    """From the papers and released code; what is as for DARTS is left out."""
    published = {
        ("rsps", "nas-bench-201"): {"epochs": 250, "batch": 64, "w_decay": 5e-4, "w_nesterov": True, "clip": 5.0},
        ("snas", "darts"): {
            **{"epochs": 150, "batch": 64, "w_lr": 0.025, "w_lr_end": 0.001, "w_decay": 3e-4, "drop_path": 0.3},
            **{"alpha_lr": 3e-4, "alpha_decay": 1e-3, "alpha_start": 1.0, "alpha_scale": 0.01, "alpha_clip": 10.0},
            **{"temperature": 1.0, "temperature_end": 0.03, "layers": 8},
        },
        ("snas-bilevel", "nas-bench-201"): {"epochs": 100, "temperature": 10.0, "temperature_end": 1.0},
        ("gdas", "nas-bench-201"): {
            **{"epochs": 250, "batch": 64, "w_lr": 0.025, "w_lr_end": 0.001, "w_decay": 5e-4, "w_nesterov": True},
            **{"alpha_lr": 3e-4, "alpha_decay": 1e-3, "temperature": 10.0, "temperature_end": 0.1},
        },
        ("dsnas", "nas-bench-201"): {
            **{"alpha_lr": 1e-3, "alpha_beta1": 0.5, "alpha_beta2": 0.999, "alpha_decay": 0.0},
            **{"alpha_start": 1.0, "alpha_scale": 0.01},
        },
        ("drnas", "nas-bench-201"): {
            **{"epochs": 100, "batch": 64, "w_lr": 0.025, "w_lr_end": 0.001, "w_decay": 3e-4, "alpha_lr": 3e-4},
            **{"partial": 1, "frozen_epochs": 0, "alpha_decay": 1e-3, "alpha_scale": 1e-3},
        },
        ("drnas-progressive", "darts"): {
            **{"epochs": 50, "batch": 64, "channels": 36, "layers": 20, "w_lr": 0.1, "w_lr_end": 0.0},
            **{"alpha_lr": 6e-4, "partial": 6, "partial_end": 4, "operations_end": 4, "frozen_epochs": 10},
        },
        ("drnas-progressive", "nas-bench-201"): {
            **{"epochs": 100, "partial": 4, "partial_end": 2, "operations_end": 3, "frozen_epochs": 10},
        },
        ("pc-darts", "darts"): {
            **{"epochs": 50, "batch": 256, "w_lr": 0.1, "w_lr_end": 0.0, "w_decay": 3e-4, "channels": 16, "layers": 8},
            **{"alpha_lr": 6e-4, "alpha_decay": 1e-3, "partial": 4, "frozen_epochs": 15},
        },
        **{
            (name, "darts"): {
                **{"epochs": 160, "frozen_epochs": 40, "alpha_lr": 1e-3, "alpha_beta1": 0.0, "alpha_decay": 0.0},
                **{"alpha_scale": 1e-3, "alpha_every": 5, "plays": 10},
            }
            for name in ("proxylessnas", "proxylessnas-two-paths", "proxylessnas-r")
        },
        ("nasp", "darts"): {"alpha_start": 0.5, "alpha_lr": 3e-4, "alpha_decay": 1e-3, "epochs": 50, "batch": 64},
        **{
            (name, "darts"): {
                **{"radius": 0.03, "radius_end": 0.3, "attack_steps": 7, "epochs": 50, "batch": 64, "alpha_lr": 3e-4},
                **{"tuning_lr": 0.0025, "tuning_steps": 5 * (25_000 // 64), "selection_order": "random"},
                **{"selection_criterion": "accuracy"},
            }
            for name in ("sdarts-adv", "sdarts-adv+pt")
        },
        **{
            (name, "nas-bench-201"): {"epochs": 100, "batch": 64, "tuning_steps": 5 * (25_000 // 64)}
            for name in ("sdarts-rs", "sdarts-adv", "sdarts-adv+pt", "darts+pt", "darts+pt-fixed-alpha")
        },
        ("darts", "nas-bench-201"): {"epochs": 50, "batch": 64},
        ("sdarts-adv", "nas-bench-1shot1"): {"epochs": 100, "batch": 96, "tuning_steps": 5 * (25_000 // 96)},
        ("pc-darts+pt", "darts"): {"epochs": 50, "batch": 256, "tuning_steps": 5 * (25_000 // 256)},
    }
    for (name, where), numbers in published.items():
        search = sizes.get("paper").of(where, name).search
        assert {key: getattr(search, key) for key in numbers} == numbers, (name, where)


def test_a_name_without_a_card_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no card of a method 'enas'; there are darts, .*gdas"):
        cards.card("enas")
    with pytest.raises(UsageError, match="no card of a method 'enas'"):
        cards.card_fields("enas")
    assert cards.family("enas") == ()


def test_cards_are_read_without_torch() -> None:
    code = "import sys; from nasbook.search.cards import card; card('gdas'); print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
