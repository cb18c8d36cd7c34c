"""Read the package's own source inside a chapter, and find which cell of a chapter defines a name."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbook.runtime.errors import UsageError

if TYPE_CHECKING:
    from IPython.display import Code


def source(thing: Any) -> Code:
    """The source of a function, class or module of this package, highlighted: what the chapter runs and tests.

    Raises:
        UsageError: `thing` is not a part of nasbook, or has no Python source.
    """
    from IPython.display import Code

    thing = inspect.unwrap(thing) if callable(thing) else thing
    module = inspect.getmodule(thing)
    if module is None or module.__name__.partition(".")[0] != "nasbook":
        raise UsageError("nasbook.source shows functions, classes and modules of nasbook itself.")
    try:
        text = inspect.getsource(thing)
    except (TypeError, OSError):
        raise UsageError(
            f"A {type(thing).__name__} has no source of its own; give its class, a function or a module."
        ) from None
    return Code(textwrap.dedent(text), language="python")


def defining_section(chapter_source: Path, name: str) -> str | None:
    """The heading of the section whose cell first defines `name` at the top level, or None if no cell does.

    Args:
        chapter_source: a chapter's py:percent file.
        name: a variable, function, or imported name.
    """
    heading = "the first cells"
    for kind, text in _cells(chapter_source.read_text(encoding="utf-8")):
        if kind == "markdown":
            titles = re.findall(r"^# #{1,4} (.+)$", text, flags=re.MULTILINE)
            heading = titles[-1].strip() if titles else heading
        elif name in _defined(text):
            return heading
    return None


def _cells(text: str) -> list[tuple[str, str]]:
    """(kind, body) of each cell of a py:percent text."""
    parts = re.split(r"^# %%(.*)$", text, flags=re.MULTILINE)
    return [
        ("markdown" if "[markdown]" in options else "code", body) for options, body in zip(parts[1::2], parts[2::2])
    ]


def _defined(code: str) -> set[str]:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return set()
    names: set[str] = set()
    for node in _outside_functions(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _outside_functions(node: ast.AST) -> list[ast.AST]:
    """Every node that runs in the notebook's own scope: not in functions, lambdas or comprehensions."""
    inner = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    found = []
    for child in ast.iter_child_nodes(node):
        found.append(child)
        if not isinstance(child, inner):
            found += _outside_functions(child)
    return found
