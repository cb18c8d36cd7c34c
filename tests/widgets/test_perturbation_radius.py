"""The perturbation under a slider: what it measures, its state, its controls, its task, and its static picture."""

import time
import xml.etree.ElementTree as ElementTree

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.analysis import smoothing
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.selection import magnitude
from nasbook.widgets import perturbation_radius
from nasbook.widgets.perturbation_radius import PerturbationRadius, RadiusState, compute
from nasbook.widgets.perturbation_radius_drawing import BARS

TINY = {"images": 128, "batch": 32, "channels": 2, "layers": 3, "alpha_scale": 0.5}
STATE = "kind=adversarial radius=0.45 seed=2"


@pytest.fixture(scope="module")
def search():
    numbers = sizes.override(sizes.get("class").search, TINY)
    space = spaces.get("s2", nodes=2, reduction="fixed")
    data = datasets.load("street_numbers")
    return Search(space, data, recipe=recipes.get("darts"), numbers=numbers, derive=magnitude)


def drawing(widget):
    """Both elements, the weights and the scales, as one."""
    parts = widget._drawing.value.split("<svg")[1:]
    return ElementTree.fromstring(
        "".join(["<g>", *(f"<svg{part.partition('</svg>')[0]}</svg>" for part in parts), "</g>"])
    )


def test_a_state_is_measured_as_the_analysis_does(search):
    shown = compute(search, RadiusState.parse(STATE))
    right = smoothing.perturbed(search, "adversarial", 0.45, images=64, steps=3, seed=2)
    assert (shown.loss, shown.accuracy) == (right.loss, right.accuracy)
    assert torch.equal(shown.after["normal"], right.after["normal"])


@pytest.mark.parametrize("text", [STATE, "kind=random radius=0 seed=9", str(RadiusState())])
def test_a_state_goes_out_and_in(search, text):
    widget = PerturbationRadius(search, text)
    assert widget.state() == text == str(RadiusState.parse(text))
    other = PerturbationRadius(search)
    other.restore(text)
    assert other.state() == text
    assert other._drawing.value == widget._drawing.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "reads like"),
        ("kind=random radius=0.1", "reads like"),
        ("kind=worst radius=0.1 seed=0", "The kind is random or adversarial"),
        ("kind=random radius=1.1 seed=0", "The radius lies"),
        ("kind=random radius=nan seed=0", "The radius lies"),
        ("kind=random radius=0.1 seed=10", "The seed is"),
    ],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(search, text, message):
    widget = PerturbationRadius(search)
    before = widget.state()
    with pytest.raises(UsageError, match=message):
        widget.restore(text)
    assert widget.state() == before


def test_every_control_at_both_ends(search):
    widget = PerturbationRadius(search)
    assert all(field.description and field.tooltip for field in widget._fields.values())
    for kind in smoothing.KINDS:
        widget._fields["kind"].value = kind
        for name in ("radius", "seed"):
            for value in (widget._fields[name].min, widget._fields[name].max):
                widget._fields[name].value = value
                assert widget.sentence() in widget._drawing.value
    assert widget.state() == "kind=adversarial radius=1 seed=9"
    with pytest.raises(UsageError, match="The radius lies"):
        widget.radius = 2.0


def test_buttons_widen_and_begin_again(search, buttons_of):
    widget = PerturbationRadius(search, "kind=random radius=0.9 seed=1")
    more, again = buttons_of(widget)
    for _ in range(3):
        more.click()
    assert widget.state() == "kind=random radius=1 seed=1"
    again.click()
    assert widget.state() == str(RadiusState())


def test_the_task_is_above_the_controls_and_is_about_what_is_shown(search):
    widget = PerturbationRadius(search)
    assert perturbation_radius.TASK in widget.children[0].value
    widget.restore("kind=adversarial radius=0 seed=0")
    assert widget.result().rise == pytest.approx(0, abs=1e-5)
    widget.restore("kind=adversarial radius=1 seed=0")
    assert widget.result().rise >= 0


def test_the_live_drawing_holds_the_weights_and_the_numbers(search):
    widget = PerturbationRadius(search, STATE)
    shown, drawn = widget.result(), drawing(widget)
    assert drawn.find("svg").get("aria-label") == widget.sentence()
    for kind, values in (("before", shown.before["normal"]), ("after", shown.after["normal"])):
        widths = [float(each.get("width")) / BARS for each in drawn.iter("rect") if each.get("class") == kind]
        assert widths == pytest.approx(values.flatten().tolist(), abs=1e-4)
    words = " ".join(text.text for text in drawn.iter("text"))
    assert all(f"{value:.3f}" in words for value in shown.loss)
    assert all(f"{value:.1f}" in words for value in shown.accuracy)
    assert "0→2" in words


def test_a_move_is_drawn_in_less_than_a_second_and_a_known_state_at_once(search):
    widget = PerturbationRadius(search, "kind=adversarial radius=0.3 seed=0")
    begin = time.process_time()
    widget.radius = 0.35
    assert time.process_time() - begin < 1.0
    begin = time.process_time()
    widget.radius = 0.3
    assert time.process_time() - begin < 0.1


def test_the_picture_carries_its_words(search, alt_of):
    widget = PerturbationRadius(search, STATE)
    bundle = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == alt_of(bundle) == widget.figure().alt
    assert widget.sentence() in bundle["text/plain"]
    assert "An adversarial perturbation with radius 0.45, seed 2: the loss on 64 validation" in bundle["text/plain"]
    left, right = widget.figure().figure.axes
    before = [bar.get_width() for bar in left.patches if bar.get_height() < 0.2]
    assert sorted(before) == pytest.approx(sorted(widget.result().before["normal"].flatten().tolist()))
    assert [bar.get_height() for bar in right.patches] == pytest.approx(list(widget.result().loss))
    assert 1000 < len(widget.figure().png()) < 60_000


def test_a_space_of_choice_blocks_has_its_groups_named():
    numbers = sizes.override(sizes.get("class").search, {**TINY, "nodes": None})
    space = spaces.get("nas-bench-1shot1-1")
    data = datasets.load("street_numbers")
    search = Search(space, data, recipe=recipes.get("darts"), numbers=numbers, derive=magnitude)
    widget = PerturbationRadius(search)
    words = " ".join(text.text for text in drawing(widget).iter("text"))
    rows = sum(group.shape[0] for group in space.groups.values())
    assert sum(f"{name} " in words for name in space.groups) == len(space.groups)
    bars = [each for each in drawing(widget).iter("rect") if each.get("class") == "after"]
    assert len(bars) == sum(group.shape[0] * group.shape[1] for group in space.groups.values()) > rows
