"""The lecture's tables: every row of the fact sheet, once, with a source; what is malformed is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nasbook.runtime.errors import UsageError
from nasbook.search import RECIPES
from nasbook.strategies import FAMILIES, named_methods, published_methods
from nasbook.strategies.published import read_named

# The lecture's main table, in its order: error in percent, GPU-days.
MAIN = {
    "densenet-bc": (3.46, None),
    "resnet": (4.62, None),
    "nas-rl": (3.65, 22400),
    "nasnet-a": (2.65, 2000),
    "blockqnn": (3.54, 96),
    "amoebanet": (3.34, 3150),
    "hierarchical": (3.75, 300),
    "gcp": (5.98, 15),
    "enas": (2.9, 0.5),
    "darts": (3.00, 0.4),
    "darts-2nd": (2.76, 1.0),
    "snas": (2.85, 1.5),
    "gdas": (2.93, 0.3),
    "proxylessnas": (2.08, 4.0),
    "pc-darts": (2.57, 0.1),
    "nasp": (2.83, 0.1),
    "sdarts-adv": (2.61, 1.3),
    "drnas": (2.54, 0.4),
    "drnas-progressive": (2.46, 0.6),
    "darts+pt": (2.61, 0.8),
    "sdarts-adv+pt": (2.54, 0.8),
}
# Its table of other methods, without the systems that the main table has.
OTHERS = [6.92, 4.23, 3.41, 2.99, 2.49, 5.40, 5.39]
# The lecture's table of NAS-Bench-201, in its order; SNAS stands after GDAS there, and before it in the main table.
BENCHMARK = ["resnet", "random", "rsps", "reinforce", "enas", "darts", "gdas", "dsnas", "pc-darts", "drnas"]
ELSEWHERE = ["random", "rsps", "reinforce", "dsnas", "sdarts-rs", "darts+pt-fixed-alpha"]
HEADER = "name,title,paper,year,family,error_percent,error_std,gpu_days,params_million,source,note"


def test_the_main_table_in_the_lectures_order() -> None:
    rows = published_methods()[: len(MAIN)]
    assert {row.name: (row.error_percent, row.gpu_days) for row in rows} == MAIN
    assert [row.name for row in rows] == list(MAIN)


def test_the_table_of_other_methods() -> None:
    rows = published_methods()[len(MAIN) :]
    assert [row.error_percent for row in rows] == OTHERS
    assert all(row.gpu_days is None for row in rows)


def test_systems_of_other_tables_stand_between_without_an_error() -> None:
    names = [row.name for row in named_methods()]
    assert [name for name in names if name in BENCHMARK] == BENCHMARK
    published = {row.name for row in published_methods()}
    assert [name for name in names if name not in published] == ELSEWHERE
    assert names.index("sdarts-rs") == names.index("sdarts-adv") - 1
    assert names.index("darts+pt-fixed-alpha") == names.index("darts+pt") + 1


def test_every_row_has_a_source_and_a_family_and_the_inconsistencies_are_noted() -> None:
    rows = {row.name: row for row in named_methods()}
    for row in rows.values():
        assert row.source == "COMP5212 Lecture 21"
        assert row.family in FAMILIES
        assert str(row.year) in row.paper
    for row in published_methods():
        assert row.params_million is None or "parameters: " in row.note
    assert "2019 and 2020" in rows["drnas"].note
    assert "not comparable" in rows["proxylessnas"].note


def test_what_searches_here_under_a_published_name_finds_its_row() -> None:
    names = {row.name for row in published_methods()}
    assert {"darts", "darts-2nd"} <= names & set(RECIPES)


def test_the_table_is_read_without_torch() -> None:
    code = "import sys; from nasbook.strategies import published_methods as read; read(); print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["name,title"], "must have the columns name, title, paper"),
        ([HEADER, "a,A,P 2019,2019,magic,1.0,,,,L,"], "line 2: the family is 'magic'"),
        ([HEADER, "a,A,P 2019,2019,gradient,low,,,,L,"], "line 2: could not convert"),
        ([HEADER, "a,A,P 2019,2019,gradient,1.0,,,,L"], "line 2: the row does not have as many fields"),
        ([HEADER, "a,A,P 2019,2019,gradient,,,1.0,,L,"], "line 2: a row without an error has no other figures"),
        ([HEADER, *["a,A,P 2019,2019,gradient,1.0,,,,L,"] * 2], "lists 'a' twice"),
    ],
)
def test_a_malformed_table_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    path = tmp_path / "methods.csv"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError, match=message):
        read_named(path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_named(tmp_path / "none.csv")
