"""The rooms of the package: data flows one way, and a room imports only from rooms above it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nasbook

PACKAGE = Path(nasbook.__file__).parent
# From top to bottom.
ROOMS = [
    "runtime",
    "sizes",
    "spaces",
    "datasets",
    "supernet",
    "relaxation",
    "search",
    "selection",
    "instruments",
    "evaluation",
    "experiment",
    "strategies",
    "analysis",
    "claims",
    "figures",
    "widgets",
    "course",
    "cli",
]
# What a server without Jupyter lacks: these may be imported by name only in the rooms of the book.
NOTEBOOK_PACKAGES = {"IPython", "ipywidgets", "anywidget", "jupytext", "nbclient", "nbformat", "yaml"}
NOTEBOOK_ROOMS = {"widgets", "course"}


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path, *, top_level_only=False):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "nasbook":
                yield from (f"nasbook.{alias.name}" for alias in node.names)


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def test_there_are_no_other_rooms():
    found = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert found == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_from_rooms_above_only(path):
    below = set(ROOMS[ROOMS.index(room_of(path)) + 1 :])
    targets = {name.split(".")[1] for name in imports(path) if name.startswith("nasbook.")}
    assert not targets & below


def test_notebook_packages_stay_in_the_rooms_of_the_book():
    for path in FILES:
        if room_of(path) not in NOTEBOOK_ROOMS:
            top = {name.split(".")[0] for name in imports(path, top_level_only=True)}
            assert not top & NOTEBOOK_PACKAGES, path


def test_import_is_light():
    """`import nasbook` brings neither torch nor anything that draws."""
    heavy = ("torch", "matplotlib", "ipywidgets", "IPython", "sklearn")
    code = f"import sys, nasbook; print([name for name in {heavy!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
