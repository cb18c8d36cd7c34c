"""Cells that a reader can take in: short code, short prose, nothing that belongs in the package."""

from __future__ import annotations

import ast
import re

from nasbook.course.rules.draft import Draft, Rule, tags

CODE_LINES = 20
CODE_WIDTH = 104
FUNCTION_LINES = 12
WORDS = 150
LONG_CELL = "long-cell"


def code_is_python(draft: Draft) -> list[str]:
    """No magics, no shell lines: the source stays a Python file."""
    found = []
    for place, cell in draft.code():
        if re.search(r"^\s*#?\s*[%!]\w", cell.source, re.MULTILINE):
            found.append(f"Cell {place} has a magic or a shell line.")
        elif parsed(cell.source) is None:
            found.append(f"Cell {place} is not valid Python.")
    return found


def code_is_short(draft: Draft) -> list[str]:
    """At most 20 lines that are not blank (tag `long-cell` for a reasoned exception)."""
    found = []
    for place, cell in draft.code():
        lines = sum(1 for line in cell.source.splitlines() if line.strip())
        if lines > CODE_LINES and LONG_CELL not in tags(cell):
            found.append(f"Cell {place} has {lines} lines of code; the limit is {CODE_LINES}.")
    return found


def code_is_narrow(draft: Draft) -> list[str]:
    """At most 104 characters a line: what is wider is cut off on the page."""
    found = []
    for place, cell in draft.code():
        wide = [line for line in cell.source.splitlines() if len(line) > CODE_WIDTH]
        found += [f"Cell {place} has a line of {len(line)} characters; the limit is {CODE_WIDTH}." for line in wide]
    return found


def definitions_are_small(draft: Draft) -> list[str]:
    """No class; functions of at most 12 lines (what is longer belongs in the package, with a test)."""
    found = []
    for place, node in _nodes(draft):
        if isinstance(node, ast.ClassDef):
            found.append(f"Cell {place} defines the class {node.name}; classes belong in the package.")
        elif isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES:
            found.append(f"Cell {place}: function {node.name} is longer than {FUNCTION_LINES} lines.")
    return found


def imports_are_plain(draft: Draft) -> list[str]:
    """No star import, no relative import, no alias for the package."""
    found = []
    for place, node in _nodes(draft):
        if isinstance(node, ast.ImportFrom) and (node.level or any(alias.name == "*" for alias in node.names)):
            found.append(f"Cell {place} has a star or relative import.")
        elif isinstance(node, ast.Import) and any(alias.name == "nasbook" and alias.asname for alias in node.names):
            found.append(f"Cell {place} renames nasbook.")
    return found


def no_machine_in_code(draft: Draft) -> list[str]:
    """No device strings and no paths: the session and the package know them."""
    found = []
    for place, node in _nodes(draft):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in {"cpu", "cuda", "mps"}:
                found.append(f"Cell {place} names the device {node.value!r}; use nb.device.")
            elif re.match(r"(/|~/|\.\.?/)\w", node.value):
                found.append(f"Cell {place} has the path {node.value!r}.")
    return found


def prose_is_short(draft: Draft) -> list[str]:
    """At most 150 words in a Markdown cell; a formula counts as one word, hints and tags are not counted."""
    found = []
    for place, cell in draft.markdown():
        text = re.sub(r"<details>.*?</details>|<[^>]+>", " ", cell.source, flags=re.DOTALL)
        words = len(re.sub(r"\$\$.*?\$\$|\$[^$]+\$", "formula", text, flags=re.DOTALL).split())
        if words > WORDS:
            found.append(f"Cell {place} has {words} words; the limit is {WORDS}.")
    return found


def prose_and_code_alternate(draft: Draft) -> list[str]:
    """Never more than two Markdown cells in a row."""
    kinds = [cell.cell_type for cell in draft.notebook.cells]
    starts = [place for place in range(len(kinds) - 2) if kinds[place : place + 3] == ["markdown"] * 3]
    return [f"Cells {place} to {place + 2} are three Markdown cells in a row." for place in starts]


def parsed(source: str) -> ast.Module | None:
    """The syntax tree of a cell, or None where it is not Python."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return None


def _nodes(draft: Draft) -> list[tuple[int, ast.AST]]:
    return [
        (place, node) for place, cell in draft.code() for node in ast.walk(parsed(cell.source) or ast.Module([], []))
    ]


RULES: tuple[Rule, ...] = (
    code_is_python,
    code_is_short,
    code_is_narrow,
    definitions_are_small,
    imports_are_plain,
    no_machine_in_code,
    prose_is_short,
    prose_and_code_alternate,
)
