"""The list of methods: every system of the lecture in its order, variants behind the system that they belong to."""

from __future__ import annotations

import subprocess
import sys

from nasbook.search import RECIPES
from nasbook.strategies import all_methods, named_methods, published_methods
from nasbook.strategies import methods as module

VARIANTS = {
    "darts-exact": "darts-2nd",
    "snas-bilevel": "snas",
    "proxylessnas-two-paths": "proxylessnas",
    "proxylessnas-r": "proxylessnas-two-paths",
    "sdarts-rs+pt": "sdarts-adv+pt",
}


def test_every_named_system_in_the_lectures_order_and_every_recipe_once() -> None:
    names = [method.name for method in all_methods()]
    lecture = [row.name for row in named_methods() if row.family != "human design"]
    assert [name for name in names if name in lecture] == lecture
    assert sorted(names) == sorted({*lecture, *RECIPES})
    assert {method.name for method in all_methods() if method.recipe} == set(RECIPES)


def test_variants_come_behind_the_system_that_they_belong_to() -> None:
    names = [method.name for method in all_methods()]
    assert {name for name in RECIPES if name not in {row.name for row in named_methods()}} == set(VARIANTS)
    for variant, before in VARIANTS.items():
        assert names.index(variant) == names.index(before) + 1


def test_published_figures_are_those_of_the_table_and_of_no_one_else() -> None:
    published = {row.name: (row.error_percent, row.error_std, row.gpu_days) for row in published_methods()}
    for method in all_methods():
        figures = (method.error_percent, method.error_std, method.gpu_days)
        assert figures == published.get(method.name, (None, None, None))


def test_a_method_says_its_place_on_the_axes_where_it_runs() -> None:
    found = {method.name: method for method in all_methods()}
    assert found["gdas"].axes == {
        "relaxation": "hard-gumbel",
        "hypergradient": "first-order",
        "perturbation": "none",
        "memory": "active",
        "selection": "top-pairs",
    }
    assert found["enas"].axes == {}
    assert found["dsnas"].row() | {"runs": True, "error_percent": None, "title": "DSNAS"} == found["dsnas"].row()


def test_a_method_of_ones_own_without_a_card_comes_last(monkeypatch) -> None:
    own = module.Recipe("own", relaxation="softmax", title="My method")
    monkeypatch.setattr(module, "RECIPES", {**RECIPES, "own": own})
    last = all_methods()[-1]
    assert (last.name, last.title, last.error_percent, last.recipe) == ("own", "My method", None, own)


def test_the_list_is_made_without_torch() -> None:
    code = "import sys; from nasbook.strategies.methods import all_methods as m; m(); print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
