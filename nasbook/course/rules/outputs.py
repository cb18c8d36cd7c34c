"""Executed notebooks that are the same whoever made them, and that everyone can read."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import nbformat

from nasbook.course.rules.draft import Draft, Rule

FILE_BYTES = 500_000
PICTURE_BYTES = 60_000

_INLINE = r"data:[\w/+-]+;base64,[\w/+=\s]+"

# an absolute path needs two parts: "/class" is prose, "/home/name" is somebody's machine
_PRIVATE = {
    "an absolute path": re.compile(r"(?<![\w/.:<~])/(?:[\w.+-]+/)+[\w.+-]+|\b[A-Z]:\\\w|(?<!\w)~/\w"),
    "a time stamp": re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d"),
    "a memory address": re.compile(r"\b0x[0-9a-f]{6,}"),
}


def executed_in_order(draft: Draft) -> list[str]:
    """Code cells were run once each, from the first to the last."""
    counts = [cell.execution_count for _, cell in draft.code()]
    return [] if counts == list(range(1, len(counts) + 1)) else [f"Execution counts are {counts}, not 1 to n."]


def no_errors(draft: Draft) -> list[str]:
    """No cell raised, none wrote on standard error."""
    found = []
    for place, output in _outputs(draft):
        if output.output_type == "error":
            found.append(f"Cell {place} raised {output.ename}: {output.evalue}")
        elif output.output_type == "stream" and output.name == "stderr":
            found.append(f"Cell {place} wrote on standard error: {output.text.strip().splitlines()[0]}")
    return found


def nothing_private(draft: Draft) -> list[str]:
    """No paths, time stamps or memory addresses: they differ from machine to machine."""
    found = []
    for place, output in _outputs(draft):
        for text in _texts(output):
            found += [
                f"The output of cell {place} shows {what}." for what, sign in _PRIVATE.items() if sign.search(text)
            ]
    return found


def answers_are_not_stored(draft: Draft) -> list[str]:
    """A prediction's stored output holds its question and options alone. No other output holds its explanation."""
    from nasbook.widgets.predict import page

    found = []
    for place, cell in draft.code():
        ids = re.findall(r'nb\.predict\("([^"]+)"', cell.source)
        pages = [page(asked.question, asked.options) for asked in map(draft.predictions.get, ids) if asked]
        shown = [dict(output.get("data", {})) for output in cell.outputs]
        if ids and [data for data in shown if data not in pages]:
            found.append(f"The output of cell {place} shows more of prediction {ids[0]} than its question.")
    text = re.sub(r"\s+", " ", json.dumps(draft.notebook, ensure_ascii=False))
    for name, asked in draft.predictions.items():
        forms = [json.dumps(form, ensure_ascii=False)[1:-1] for form in (asked.explain, html.escape(asked.explain))]
        if asked.explain and any(form in text for form in forms):
            found.append(f"The notebook holds the explanation of prediction {name}.")
    return found


def pictures_have_words(draft: Draft) -> list[str]:
    """Every picture has an alternative text in a form that JupyterLab and nbconvert pass on.

    Outputs of image types are refused: JupyterLab and nbconvert drop the alternative text in their metadata.
    """
    found = []
    for place, output in _outputs(draft):
        data = output.get("data", {})
        if any(kind.startswith("image/") for kind in data):
            found.append(f"The picture of cell {place} is shown without alt text: give a nasbook.figures.Picture.")
        markup = "".join(data.get("text/html", ""))
        for tag in re.findall(r"<img\b[^>]*>", markup):
            if not re.search(r'\balt="[^"]*[^"\s][^"]*"', tag):
                found.append(f"A picture in the output of cell {place} has no alt text.")
        for tag in re.findall(r"<svg\b[^>]*>", markup):
            if not re.search(r'\baria-(label|labelledby)="[^"]*[^"\s][^"]*"', tag):
                found.append(f"A drawing in the output of cell {place} has no aria-label.")
    return found


def pictures_are_small(draft: Draft) -> list[str]:
    """A picture stays under 60 KB."""
    found = []
    for place, output in _outputs(draft):
        for content in re.findall(_INLINE, "".join(output.get("data", {}).get("text/html", ""))):
            size = len(content) * 3 // 4  # base64 holds three bytes in four
            if size > PICTURE_BYTES:
                found.append(
                    f"The picture of cell {place} has {size // 1000} KB; the limit is {PICTURE_BYTES // 1000}."
                )
    return found


def file_is_small(draft: Draft) -> list[str]:
    """The whole notebook stays under 500 KB."""
    size = len(nbformat.writes(draft.notebook).encode("utf-8"))
    return [] if size < FILE_BYTES else [f"The notebook has {size // 1000} KB; the limit is {FILE_BYTES // 1000}."]


def metadata_is_fixed(draft: Draft) -> list[str]:
    """The kernel is python3; no widget state, no execution times, cell ids by position."""
    notebook, found = draft.notebook, []
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append("The kernel must be python3.")
    if "widgets" in notebook.metadata:
        found.append("The notebook holds widget state.")
    for place, cell in enumerate(notebook.cells):
        if "execution" in cell.metadata:
            found.append(f"Cell {place} holds execution times.")
        if cell.get("id") != f"{draft.chapter.number}-{place:03d}":
            found.append(f"The id of cell {place} must be {draft.chapter.number}-{place:03d}.")
    return found


def _outputs(draft: Draft) -> Iterator[tuple[int, Any]]:
    return ((place, output) for place, cell in draft.code() for output in cell.outputs)


def _texts(output: Any) -> Iterator[str]:
    yield "".join(output.get("text", ""))
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            yield re.sub(_INLINE, "", "".join(content))


RULES: tuple[Rule, ...] = (
    executed_in_order,
    no_errors,
    nothing_private,
    answers_are_not_stored,
    pictures_have_words,
    pictures_are_small,
    file_is_small,
    metadata_is_fixed,
)
