from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import start_new_kernel

import nasbook
from nasbook.course import lab, out_of_order
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
    assert 'beta is made in the section "First section" of this chapter' in said.out + said.err
    shell.run_cell("unknown + 1")
    said = capsys.readouterr()
    assert "NameError" in said.out + said.err
    assert "section" not in said.out + said.err


@pytest.mark.parametrize(("opened", "explained"), [("folder/05_bilevel.ipynb", True), ("scratch.ipynb", False)])
def test_a_kernel_of_the_lab_explains_even_before_the_setup_cell(opened: str, explained: bool, tmp_path: Path) -> None:
    environment = {**lab._environment(), "JPY_SESSION_NAME": opened, "HOME": str(tmp_path)}
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    try:
        assert (
            client.execute_interactive("assert {'contextlib', 'out_of_order'}.isdisjoint(globals())", timeout=60)[
                "content"
            ]["status"]
            == "ok"
        )
        said: list[str] = []
        client.execute_interactive(
            "nb.show(1)", timeout=60, output_hook=lambda message: said.extend(message["content"].get("traceback", []))
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "NameError" in "".join(said)
    assert ("Run the cell that defines it there first" in "".join(said)) == explained


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
