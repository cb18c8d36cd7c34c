from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import nasbook
from nasbook.course import out_of_order
from nasbook.course.book import Chapter
from nasbook.course.reading import defining_section, source
from nasbook.runtime import errors
from nasbook.runtime.errors import UsageError
from nasbook.runtime.random import RandomStream

CHAPTER = """\
# %%
import numpy as np
import os.path

# %% [markdown]
# # 04. Title
#
# ## First section
#
# text

# %% tags=["x"]
alpha, (beta, *rest) = 1, (2, 3)
for edge in range(2):
    inside_loop = edge
with open(__file__) as file:
    pass
used_only + 1
[item for item in rest]
def solve(argument):
    local = argument
    return local

# %% [markdown]
# ### Exercise 04.1 (easy)

# %%
this is not python

# %%
alpha = 2
if (walrus := alpha) > 1:
    late: int = 3
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "04_relaxation.py").write_text(CHAPTER)
    return tmp_path / "04_relaxation.py"


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("np", "the first cells"),
        ("os", "the first cells"),
        *[(name, "First section") for name in ("alpha", "beta", "rest", "edge", "inside_loop", "file", "solve")],
        *[(name, "Exercise 04.1 (easy)") for name in ("walrus", "late")],
        *[(name, None) for name in ("used_only", "item", "argument", "local", "python", "unknown")],
    ],
)
def test_the_section_that_defines_a_name_is_found(path: Path, name: str, section: str | None) -> None:
    assert defining_section(path, name) == section


def test_a_name_error_says_what_to_run_first(
    path: Path, chapter: Chapter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = InteractiveShell()
    monkeypatch.setattr(out_of_order, "notebooks_folder", lambda: path.parent)
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: shell)
    out_of_order.explain_name_errors(chapter)
    shell.run_cell("beta + 1")
    said = capsys.readouterr()
    assert "NameError" in said.out + said.err
    assert 'beta is made in the section "First section" of this chapter: run the cell' in said.out + said.err
    shell.run_cell("unknown + 1")
    said = capsys.readouterr()
    assert "NameError" in said.out + said.err
    assert "section" not in said.out + said.err


def test_source_shows_what_runs() -> None:
    for thing in (nasbook.show, RandomStream, RandomStream.scope, errors):
        code: Any = source(thing)
        assert code.language == "python"
        assert code.data.strip()
    assert "class RandomStream" in source(RandomStream).data
    assert source(RandomStream.scope).data.startswith("@contextmanager\ndef scope")
    assert "<div" in source(nasbook.show)._repr_html_()


@pytest.mark.parametrize("thing", [Path, len, 3, pytest.fixture, RandomStream(0)])
def test_source_refuses_what_is_not_the_packages_own(thing: object) -> None:
    with pytest.raises(UsageError, match=r"of nasbook itself|no source of its own"):
        source(thing)
