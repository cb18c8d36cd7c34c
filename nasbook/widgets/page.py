"""The layout of every widget at any page width, and its names for screen readers and the keyboard.

Controls of ipywidgets have no Python interface for accessible names or for keys. So each widget of the book carries a
hidden picture that cannot be loaded and therefore runs a script, which names sliders and buttons without a text.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

import ipywidgets as widgets

from nasbook.figures import style

BOX, ROW, BESIDE, STATUS, BUSY = (f"nasbook-{name}" for name in ("widget", "row", "beside", "status", "busy"))

_STYLE = f"""<style>
.{BOX} {{ --jp-widgets-inline-width: 20em; max-width: 100%; overflow: hidden; position: relative; }}
.{BOX} .widget-box {{ max-width: 100%; min-width: 0; overflow: visible; }}
.{BOX} .widget-html, .{BOX} .widget-html-content {{ min-width: 0; max-width: 100%; height: auto; line-height: 1.35; }}
.{BOX} p {{ margin: 4px 0; }}
.{BOX} svg {{ max-width: 100%; height: auto; }}
.{BOX} table {{ line-height: 1.25; }}
.{BOX} .widget-hslider {{ max-width: 100%; }}
.{BOX} .widget-toggle-buttons {{ width: auto; max-width: 100%; }}
.{ROW} {{ display: flex; flex-flow: row wrap; gap: 0 8px; align-items: flex-start; }}
.{BESIDE} {{ flex-flow: row wrap; gap: 4px 16px; align-items: flex-start; }}
.{BESIDE} > :first-child {{ flex: 0 1 auto; }}
.{BESIDE} > :last-child {{ flex: 1 1 17em; }}
.{STATUS} {{ position: absolute; right: 0; top: 0; }}
.{STATUS} b {{ background: #262626; color: white; padding: 2px 8px; border-radius: 4px; }}
.{BOX}:has(.{BUSY}) :is(button, input, select, .noUi-target) {{ pointer-events: none; opacity: .5; }}
</style>"""

# Arrows move a slider and letters choose from a menu, but JupyterLab also has commands on these keys (D D deletes a
# cell). Its own attribute keeps them in the control.
_SCRIPT = """<img src="data:," alt="" hidden onerror="
const box = this.closest('.nasbook-widget');
const name = (node, text) => {
  if (node && text && node.getAttribute('aria-label') !== text) node.setAttribute('aria-label', text);
};
const tell = () => {
  box.querySelectorAll('.widget-slider').forEach(slider => {
    const label = slider.querySelector('.widget-label');
    const words = [label?.textContent, label?.title].filter(Boolean).join(': ');
    const readout = slider.querySelector('.widget-readout');
    slider.querySelectorAll('.noUi-handle').forEach(handle => {
      name(handle, words);
      if (readout?.textContent && readout.style.display !== 'none')
        handle.setAttribute('aria-valuetext', readout.textContent);
    });
    if (readout?.isContentEditable) {
      readout.setAttribute('role', 'textbox');
      name(readout, 'Value of ' + label?.textContent);
    }
  });
  box.querySelectorAll('.widget-play').forEach(play => {
    ['Play or pause', 'Stop', 'Loop'].forEach((words, place) => {
      const button = play.querySelectorAll('button')[place];
      name(button, words);
      if (button) button.title = words;
    });
  });
  box.querySelectorAll('.widget-toggle-buttons, .widget-radio').forEach(group => {
    group.setAttribute('role', 'group');
    name(group, group.querySelector('.widget-label')?.textContent);
  });
  box.querySelectorAll('select, input, .noUi-handle').forEach(field =>
    field.setAttribute('data-lm-suppress-shortcuts', 'true'));
  box.querySelector('.nasbook-status')?.setAttribute('role', 'status');
};
new MutationObserver(tell).observe(box, {childList: true, subtree: true, characterData: true});
tell();">"""


def companion() -> widgets.HTML:
    """The invisible part of each widget: its style, and the script that names its controls."""
    return widgets.HTML(_STYLE + _SCRIPT, layout={"height": "0"})


def row(children: Iterable[Any]) -> widgets.HBox:
    """Controls in a row that wraps where the page is narrow."""
    return _classed(widgets.HBox(list(children)), ROW)


def beside(controls: Sequence[Any], *shown: Any) -> widgets.HBox:
    """Controls, and what they change beside them. On a narrow page it is below them."""
    right = shown[0] if len(shown) == 1 else widgets.VBox(list(shown))
    return _classed(widgets.HBox([widgets.VBox(list(controls)), right]), BESIDE)


def svg(width: float, height: float, words: str, inside: str, *, size: int = 12) -> str:
    """An SVG element that shrinks with the page, never above its own size.

    Args:
        width, height: in pixels.
        words: what a screen reader says.
        inside: elements.
        size: of letters, in pixels.
    """
    return (
        f'<svg role="img" aria-label="{html.escape(words)}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" style="background:white" '
        f'font-family="sans-serif" font-size="{size}" fill="{style.INK}">{inside}</svg>'
    )


def side_by_side(parts: Iterable[str], *, least: str = "15em") -> str:
    """Pieces of HTML side by side, each at least `least` wide. On a narrow page they are one above the other."""
    cells = "".join(f'<div style="flex:1 1 {least};min-width:0">{part}</div>' for part in parts)
    return f'<div style="display:flex;flex-wrap:wrap;gap:4px 12px">{cells}</div>'


def scrolled(part: str) -> str:
    """A long or wide piece of HTML with its own scroll bars, which the keyboard can reach."""
    look = 'class="nasbook-scrolled" style="max-height:55vh;overflow:auto"'
    return f'<div tabindex="0" role="region" aria-label="table" {look}>{part}</div>'


def _classed(box: Any, name: str) -> Any:
    box.add_class(name)
    return box
