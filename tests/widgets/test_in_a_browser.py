"""Every widget of the book on the page of a real browser, at the size of a laptop and of a projector.

One notebook holds each widget once. JupyterLab runs it once, and the tests measure what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_output
from playwright.sync_api import Page, expect

from nasbook.figures import Picture, style
from tests.browser import look, run_cells, serve, write

pytestmark = pytest.mark.browser
expect.set_options(timeout=60_000)

SIZES = {"laptop": (1280, 800), "projector": (1024, 768)}
STORED, ALT = "01_stored", 'A "rise" from 0 to 1 <of two>.'
SETUP = """
import time
import torch
from nasbook import claims, datasets, sizes, spaces
from nasbook.figures import cells
from nasbook.instruments import Landscape, Line
from nasbook.runtime.events import Started, Stepped
from nasbook.search import Search, recipes
from nasbook.selection import magnitude
from nasbook.widgets.bilevel_toy import BilevelToy
from nasbook.widgets.cell_builder import CellBuilder
from nasbook.widgets.comparator import MethodComparator
from nasbook.widgets.forced_convolutions import ForcedConvolutions
from nasbook.widgets.history import CostExplorer
from nasbook.widgets.ledger import LedgerFilter
from nasbook.widgets.microscope import Microscope
from nasbook.widgets.mixed_edge import EdgeOutputs, MixedEdgeSliders
from nasbook.widgets.perturbation_radius import PerturbationRadius
from nasbook.widgets.progress import Progress
from nasbook.widgets.selection_stepper import SelectionStepper
from nasbook.widgets.sharpness import Sharpness
from nasbook.widgets.simplex import SimplexExplorer
from nasbook.widgets.skip_theory import SkipTheory
from nasbook.widgets.weight_sharing import WeightSharingPaths
from nasbook.widgets.what_fits import WhatFits

space = spaces.get("s2", nodes=2, reduction="fixed")
changes = {"epochs": 1, "images": 128, "batch": 16, "channels": 2, "layers": 3, "tuning_steps": 1, "running": True}
numbers = sizes.override(sizes.get("class").of("darts", "darts").search, changes)
search = Search(
    space, datasets.load("street_numbers"), recipe=recipes.get("darts"), numbers=numbers, derive=magnitude, seed=0
)
replay = claims.runs("pt-s2")[0].values["decisions"]["darts+pt"]

def history(space, seed, epochs=12):
    generator = torch.Generator().manual_seed(seed)
    direction = {name: torch.randn(cell.shape, generator=generator) for name, cell in space.groups.items()}
    for epoch in range(1, epochs + 1):
        alpha = {name: epoch * values / 4 for name, values in direction.items()}
        weights = {name: values.softmax(-1) for name, values in alpha.items()}
        yield {
            "stage": "search", "epoch": epoch, "train_accuracy": 20.0 + 2 * epoch, "valid_accuracy": 18.0 + epoch,
            "derived_accuracy": 10.0 + epoch, "skip_weight": 0.3, "eigenvalue": 0.1 * epoch,
            "alpha": {name: values.tolist() for name, values in alpha.items()},
            "weights": {name: values.tolist() for name, values in weights.items()},
            "genotype": str(magnitude(space, weights)),
        }

t = tuple(place / 20 for place in range(21))
way = Line(
    t=t, loss=tuple(1 + 2 * x * x for x in t), accuracy=tuple(60 - 40 * x for x in t), slope=-0.5, curvature=2.0,
    eigenvalue=4.0, length=1.5, images=512,
)
off = tuple(-3 + 0.6 * place for place in range(11))
surface = Landscape(
    offsets=off, loss=tuple(tuple(1 + a * a / 9 + b * b / 20 for a in off) for b in off),
    accuracy=tuple(tuple(60 - 3 * a * a - b * b for a in off) for b in off), first=(1.0, 0.0), second=(0.0, 1.0),
    direction="eigenvector", coordinates="alpha", images=512,
)

slow = WhatFits()
def slowly():
    time.sleep(2)
    slow.channels += 4
slow.children = (slow._button("Slow step", "Takes two seconds", slowly), *slow.children)
"""
WIDGETS = {
    "bilevel toy": 'BilevelToy("xi=0.25 start=2,-2 steps=20")',
    "cell builder": "CellBuilder()",
    "comparator": 'MethodComparator(state="seed=0 methods=darts,pc-darts part=8/8")',
    "forced convolutions": "ForcedConvolutions()",
    "cost explorer": "CostExplorer()",
    "ledger": "LedgerFilter()",
    "microscope": "Microscope(list(history(space, 0)), space=space)",
    "two microscopes": 'Microscope(list(history(space, 0)), list(history(space, 1)), space=space, titles=list("ab"))',
    "mixed edge": 'MixedEdgeSliders(EdgeOutputs.of(torch.rand(8, 3, 32, 32)), state="picture=3 alpha=0.5,-1,2")',
    "perturbation radius": 'PerturbationRadius(search, "kind=random radius=0.3 seed=0")',
    "replay": 'SelectionStepper(replay, space, state="mode=replay decided=3 picks=-")',
    "by hand": 'SelectionStepper(replay, space, live=search, state="mode=hand decided=1 picks=0.0", images=64)',
    "sharpness": "Sharpness(way, surface)",
    "simplex": "SimplexExplorer()",
    "skip theory": "SkipTheory()",
    "weight sharing": 'WeightSharingPaths(state="A=31 B=45")',
    "what fits": "WhatFits()",
    "slow": "slow",
    "picture": 'cells.cell(space, "normal")',
}
TALLER: dict[str, tuple[str, ...]] = {"laptop": (), "projector": ("comparator",)}
"""What is taller than the part of the notebook that is seen: two searches, each with its cell, a chart and numbers."""

SHOW = """async place => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = place;
  await notebook.scrollToItem(place, 'start');
}"""
MEASURE = """place => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const output = notebook.widgets[place].node.querySelector('.jp-OutputArea-output');
  const limit = output.getBoundingClientRect().right + 1;
  const cut = [];
  for (const node of output.querySelectorAll('*')) {
    // a slider's handle lies half outside of its track; what has scroll bars of its own is not cut off
    if (node.closest('.slider-container') || node.closest('.nasbook-scrolled')) continue;
    const box = node.getBoundingClientRect(), style = getComputedStyle(node);
    if (!box.width || !box.height) continue;
    const words = `${node.tagName} ${(node.textContent || '').trim().slice(0, 30)}`;
    if (box.right > limit) cut.push(`${words}: ${Math.round(box.right - limit)} pixels outside`);
    const hides = style.overflowX !== 'visible' && !/INPUT|SELECT|BUTTON/.test(node.tagName);
    const more = node.scrollWidth - node.clientWidth;
    if (hides && more > 1) cut.push(`${words}: ${more} pixels more than ${node.clientWidth}`);
  }
  for (const label of output.querySelectorAll('.widget-label, button'))
    if (label.scrollWidth > label.clientWidth + 1) cut.push(`label ${label.textContent}`);
  const pen = document.createElement('canvas').getContext('2d');
  for (const menu of output.querySelectorAll('select')) {
    const style = getComputedStyle(menu), words = menu.selectedOptions[0]?.textContent ?? '';
    pen.font = `${style.fontSize} ${style.fontFamily}`;
    const arrow = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
    if (menu.clientWidth && pen.measureText(words).width > menu.clientWidth - arrow) cut.push(`menu ${words}`);
  }
  for (const drawing of output.querySelectorAll('svg')) {
    const box = drawing.getBoundingClientRect();
    for (const text of drawing.querySelectorAll('text')) {
      const words = text.getBoundingClientRect();
      if (words.right > box.right + 1 || words.left < box.left - 1) cut.push(`text ${text.textContent}`);
    }
  }
  const seen = notebook.node.querySelector('.jp-WindowedPanel-outer').clientHeight;
  return {cut, height: output.getBoundingClientRect().height, seen};
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The notebook after *Run All*."""
    notebook = tmp_path_factory.mktemp("widgets") / "book" / "00_start_here.ipynb"
    write(notebook, SETUP, *WIDGETS.values())
    untrusted(notebook.with_stem(STORED))
    with serve(notebook) as address, look(address) as shown:
        run_cells(shown)
        yield shown


@pytest.fixture(params=SIZES)
def size(page: Page, request: pytest.FixtureRequest) -> str:
    """The page at one of the sizes."""
    width, height = SIZES[request.param]
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(1000)
    return str(request.param)


def output(page: Page, name: str) -> Any:
    """Where a widget is, at the top of what is seen."""
    place = list(WIDGETS).index(name) + 1
    page.evaluate(SHOW, place)
    found = page.locator(f".jp-Cell[data-windowed-list-index='{place}'] .jp-OutputArea-output")
    found.wait_for()
    return found


def test_no_widget_is_cut_off_or_taller_than_what_is_seen(page: Page, size: str) -> None:
    cut, tall = {}, {}
    for place, name in enumerate(WIDGETS, start=1):
        output(page, name)
        page.wait_for_timeout(200)
        found = page.evaluate(MEASURE, place)
        cut.update({name: found["cut"]} if found["cut"] else {})
        tall.update({name: (found["height"], found["seen"])} if found["height"] > found["seen"] else {})
    assert cut == {}
    assert tuple(tall) == TALLER[size], tall


def test_every_control_has_a_name(page: Page) -> None:
    roles = {"slider", "button", "combobox", "textbox", "checkbox", "radio", "spinbutton"}
    named: dict[str, set[str]] = {}
    for name in WIDGETS:
        for line in output(page, name).aria_snapshot().splitlines():
            role, _, rest = line.strip().removeprefix("- ").lstrip("'").partition(" ")
            if role.rstrip(":") in roles:
                words = re.match(r'"(.+?)"', rest)
                assert words, f"{name}: {line}"
                named.setdefault(role.rstrip(":"), set()).add(words[1])
    assert {"Play or pause", "Stop", "Loop"} <= named["button"]
    assert any(words.startswith("temperature: Low: one-hot samples") for words in named["slider"])
    assert {"mode", "family", "operation"} <= named["combobox"]


def test_an_arrow_moves_a_slider_and_no_cell(page: Page) -> None:
    shown = output(page, "skip theory")
    before = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    slider = shown.get_by_role("slider", name="depth L")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    expect(shown.get_by_text("At depth 3")).to_be_visible()
    expect(slider).to_have_attribute("aria-valuetext", "3")
    expect(slider).to_be_focused()
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex") == before


def test_buttons_and_menus_follow_the_keyboard(page: Page) -> None:
    shown = output(page, "replay")
    shown.get_by_role("button", name="Next").focus()
    for key, decision in (("Enter", 4), ("Space", 5)):
        page.keyboard.press(key)
        expect(shown.get_by_text(f"Decision {decision} of")).to_be_visible()
        expect(shown.get_by_role("status")).to_be_empty()
        page.wait_for_timeout(1000)  # clicks made during long work are ignored
    shown = output(page, "simplex")
    shown.get_by_role("combobox").focus()
    page.keyboard.press("d")
    expect(shown.get_by_text("Dirichlet, concentration 0.998")).to_be_visible()
    shown = output(page, "microscope")
    shown.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    expect(shown.get_by_role("slider")).to_have_attribute("aria-valuetext", "1")


def test_long_work_says_so_and_ignores_clicks(page: Page) -> None:
    shown = output(page, "slow")
    step = shown.get_by_role("button", name="Slow step")
    step.click()
    step.dispatch_event("click")
    page.wait_for_timeout(100)
    step.dispatch_event("click")
    expect(shown.get_by_role("status").get_by_text("Computing")).to_be_visible()
    expect(shown.get_by_text("20 channels")).to_be_visible()
    expect(shown.get_by_role("status")).to_be_empty()
    page.wait_for_timeout(3000)
    expect(shown.get_by_text("20 channels")).to_be_visible()
    step.click()
    expect(shown.get_by_text("24 channels")).to_be_visible()


def test_the_words_of_a_picture_arrive(page: Page) -> None:
    expect(output(page, "picture").get_by_role("img")).to_have_attribute(
        "alt", re.compile("^The normal cell of space s2")
    )


def test_the_words_of_a_stored_picture_arrive_where_nothing_is_trusted(page: Page) -> None:
    stored = page.context.new_page()
    stored.set_default_timeout(60_000)
    stored.goto(page.url.replace("00_start_here", STORED))
    image = stored.locator(".jp-OutputArea-output").get_by_role("img")
    expect(image).to_have_attribute("alt", ALT)
    assert image.evaluate("image => image.complete && image.naturalWidth") == 605
    assert stored.evaluate("() => window.trusted") is None  # nor did the script of the other output run
    stored.close()


def untrusted(path: Path) -> None:
    """A notebook that somebody else ran, with a picture and a script among its outputs."""
    figure, axis = style.figure()
    axis.plot([0, 1])
    picture = Picture(figure, ALT)
    stored = new_output("execute_result", data=picture._repr_mimebundle_(), execution_count=1)
    bare = new_output("display_data", data={"text/html": "<script>window.trusted = true</script>"})
    write(path, new_code_cell("picture", outputs=[stored, bare], execution_count=1))
