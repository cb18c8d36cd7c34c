"""`methods`, `spaces`, `datasets` and `describe`: the keys that scripts rely on, and their values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import nasbook
from nasbook import spaces
from nasbook.cli import app
from nasbook.search.cards import FIELDS
from nasbook.search.recipes import RECIPES


def answer(*arguments: str) -> Any:
    """The one JSON document of a command."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


def text(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_methods_have_their_keys_and_run_exactly_where_there_is_a_recipe() -> None:
    rows = answer("methods")
    assert all({"name", "title", "paper", "error_percent", "gpu_days", "runs"} <= set(row) for row in rows)
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names)
    assert {row["name"] for row in rows if row["runs"]} == set(RECIPES)
    for row in rows:
        axes = {"relaxation", "hypergradient", "perturbation", "memory", "selection"} & set(row)
        assert len(axes) == (5 if row["runs"] else 0)
    second = next(row for row in rows if row["name"] == "darts-2nd")
    assert (second["hypergradient"], second["selection"]) == ("second-order", "magnitude")
    assert set(names) - set(RECIPES)  # the lecture names more than runs here
    assert "darts-2nd" in text("methods")


def test_published_figures_are_numbers_or_unknown() -> None:
    rows = answer("methods")
    assert all(isinstance(row["error_percent"], float | int | None) for row in rows)
    assert all(isinstance(row["gpu_days"], float | int | None) for row in rows)
    assert sum(row["error_percent"] is not None for row in rows) > 5


def test_spaces_have_their_keys_and_published_sizes() -> None:
    rows = {row["name"]: row for row in answer("spaces")}
    assert list(rows) == spaces.names()
    assert all({"name", "operations", "edges", "architectures", "unique"} <= set(row) for row in rows.values())
    darts = rows["darts"]
    assert (len(darts["operations"]), darts["edges"], darts["unique"]) == (8, 14, None)
    # 7 operations on two of 2, 3, 4 and 5 edges, in each of two cells (Liu et al. 2019, section 3.2: about 10^18)
    assert darts["architectures"] == (7**8 * 1 * 3 * 6 * 10) ** 2
    assert (rows["toy"]["edges"], rows["toy"]["architectures"], rows["toy"]["unique"]) == (1, 3, 3)
    assert "1.08e+18" in text("spaces")


def test_datasets_have_their_keys_and_say_what_is_at_hand(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in answer("datasets", "--root", str(tmp_path))}
    assert all({"name", "classes", "image", "train", "test", "available"} <= set(row) for row in rows.values())
    assert rows["street_numbers"]["available"] is True
    assert rows["cifar10"]["available"] is False
    assert (rows["cifar10"]["classes"], rows["cifar10"]["train"], rows["cifar10"]["test"]) == (10, 50000, 10000)
    assert rows["cifar10"]["image"] == [3, 32, 32]
    assert "street_numbers" in text("datasets")


# Millions at 36 channels and 20 cells without the auxiliary head, as the sources print them: to one or two decimals.
@pytest.mark.parametrize("name", ["DARTS_V2", "PC_DARTS_cifar", "DARTS_PT_s5"])
def test_describe_counts_what_was_published(name: str) -> None:
    published = spaces.published(name)
    facts = answer("describe", name)
    assert facts["genotype"] == str(published.genotype)
    assert facts["params"] / 1e6 == pytest.approx(published.params_million, abs=0.05)
    assert facts["macs"] > 1e8


def test_describe_counts_nas_bench_201_as_published() -> None:
    """Its largest network: 1.531546 million parameters, 220.11969 million multiply-adds with those of the 10 biases."""
    cell = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    facts = answer("describe", cell, "--space", "nas-bench-201")
    assert facts["genotype"] == cell
    assert (facts["params"], facts["macs"]) == (1_531_546, 220_119_690 - 10)
    assert (facts["channels"], facts["layers"]) == (16, 17)
    row = {row["name"]: row for row in answer("spaces")}["nas-bench-201"]
    assert (row["edges"], len(row["operations"]), row["architectures"], row["unique"]) == (6, 5, 15_625, 6_466)
    assert "6,466" in text("spaces")


def test_describe_takes_every_form_of_a_genotype_at_any_size() -> None:
    published = spaces.published("DARTS_V2").genotype
    small = ("--channels", "8", "--layers", "5", "--classes", "3", "--image-size", "16")
    rows = [answer("describe", form, *small) for form in ("DARTS_V2", str(published), published.to_json())]
    assert rows[0] == rows[1] == rows[2]
    wider = answer("describe", "DARTS_V2", *small[2:], "--channels", "16")
    assert wider["params"] > 3 * rows[0]["params"]
    assert f"{rows[0]['params']:,}" in text("describe", "DARTS_V2", *small, "--space", "darts")


def test_a_method_that_no_table_names_says_what_it_is() -> None:
    rows = {row["name"]: row for row in answer("methods")}
    assert rows["snas-bilevel"]["paper"] == "Chen et al. 2021, table 4"
    assert rows["darts-exact"]["paper"] is None
    assert all(row["title"] for row in rows.values())


def test_the_card_of_a_method_has_its_row_and_its_fields() -> None:
    rows = {row["name"]: row for row in answer("methods")}
    document = answer("methods", "drnas")
    assert rows["drnas"].items() <= document.items()
    assert list(document["fields"])[: len(FIELDS) - 1] == list(FIELDS[:-1])
    assert set(document["fields"]) - set(FIELDS) == {"Numbers", "Published", "Measured here"}
    printed = text("methods", "drnas")
    assert printed.startswith(document["heading"])
    assert "2.54 ± 0.03 %, 0.4 GPU-days" in printed


def test_methods_say_once_that_any_of_them_takes_a_selection_by_perturbation() -> None:
    assert text("methods").count("takes +pt behind its name") == 1
    rows = {row["name"]: row for row in answer("methods")}
    assert rows["sdarts-adv+pt"]["selection"] == "perturbation"
    assert rows["sdarts-adv+pt"]["perturbation"] == rows["sdarts-adv"]["perturbation"] == "adversarial"
    assert list(rows).index("sdarts-rs+pt") == list(rows).index("sdarts-adv+pt") + 1  # unnamed by the lecture


def test_the_card_of_a_method_and_the_suffix_has_the_place_of_both() -> None:
    document = answer("methods", "gdas+pt")
    assert (document["relaxation"], document["selection"]) == ("hard-gumbel", "perturbation")
    assert document["name"] not in {row["name"] for row in answer("methods")}
    result = CliRunner().invoke(app, ["methods", "darts+pt+pt"])
    assert result.exit_code == 2
    assert "'darts+pt+pt' does not run here" in result.stderr


def test_a_method_without_a_card_is_refused_with_those_that_have_one() -> None:
    result = CliRunner().invoke(app, ["methods", "enas"])
    assert result.exit_code == 2
    assert "Method 'enas' does not run here" in result.stderr
    assert "; there are darts" in result.stderr


def test_the_command_says_its_version() -> None:
    assert text("--version") == f"nasbook {nasbook.__version__}\n"


def test_large_images_are_counted_with_the_published_imagenet_network() -> None:
    words = ["describe", "DARTS_V2", "--image-size", "224", "--json"]
    found = json.loads(CliRunner().invoke(app, words).stdout)
    assert found["params"] == 4_718_752
    assert (found["channels"], found["layers"], found["classes"], found["stem_stride"]) == (48, 14, 1000, 8)
    asked = json.loads(CliRunner().invoke(app, [*words, "--stem-stride", "1", "--classes", "7"]).stdout)
    assert (asked["channels"], asked["layers"], asked["classes"], asked["stem_stride"]) == (36, 20, 7, 1)
    assert asked["macs"] > 20 * found["macs"]
