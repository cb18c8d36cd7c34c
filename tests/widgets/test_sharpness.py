"""The line and the surface under the sliders: what is shown is what was measured, at once and in words."""

import time
from xml.etree import ElementTree

import pytest

from nasbook.instruments import Landscape, Line
from nasbook.runtime.errors import UsageError
from nasbook.widgets.sharpness import Sharpness, SharpnessState, compute

LINE = Line(
    t=(0.0, 0.25, 0.5, 0.75, 1.0),
    loss=(1.0, 1.1, 1.5, 2.2, 3.0),
    accuracy=(60.0, 55.0, 40.0, 30.0, 20.0),
    slope=-0.5,
    curvature=2.0,
    eigenvalue=4.0,
    length=1.5,
    images=512,
)
SURFACE = Landscape(
    offsets=(-2.0, 0.0, 2.0),
    loss=((4.0, 5.0, 6.0), (2.0, 1.0, 3.0), (7.0, 8.0, 9.0)),
    accuracy=((40.0, 50.0, 30.0), (20.0, 60.0, 35.0), (37.0, 28.0, 19.0)),
    first=(1.0, 0.0),
    second=(0.0, 1.0),
    direction="eigenvector",
    coordinates="alpha",
    images=512,
)


@pytest.fixture
def sharp():
    return Sharpness(LINE, SURFACE)


def test_what_is_shown_was_measured():
    shown = compute(LINE, SURFACE, SharpnessState(2, 2, 0))
    assert (shown.t, shown.loss, shown.accuracy) == (0.5, 1.5, 40)
    assert (shown.taylor, shown.taylor_with_gradient) == (1.25, 1.0)
    assert shown.offsets == (2, -2)
    assert (shown.surface_loss, shown.surface_accuracy) == (6, 30)  # row 0, column 2


def test_it_begins_where_the_search_stands(sharp):
    shown = sharp.result()
    assert (shown.t, shown.loss) == (0, 1)
    assert shown.offsets == (0, 0)
    assert (shown.surface_loss, shown.surface_accuracy) == SURFACE.centre
    assert sharp.state() == "line=0 surface=1,1"


def test_each_slider_at_both_ends(sharp):
    for name, field in sharp._sliders.items():
        last = len(field.options) - 1
        for index in (0, last):
            field.index = index
            assert getattr(sharp, name) == index
    assert sharp.state() == "line=4 surface=2,2"
    assert "At t = 1.00 the loss is 3.00 nats and the accuracy 20.0 %" in sharp._drawings[0].value
    assert "formula says 2.00 nats, and 1.50 with the gradient term." in sharp._drawings[0].value
    assert "+2.00 along the top eigenvector and +2.00 along the random direction" in sharp._drawings[1].value
    assert "loss is 9.00 nats and the accuracy 19.0 %" in sharp._drawings[1].value
    sharp.place = 1
    assert sharp._sliders["place"].index == 1
    assert sharp._sliders["place"].label == "0.25"


def test_sliders_have_words(sharp):
    assert [field.description for field in sharp._sliders.values()] == ["t", "top eigenvector", "random"]
    assert all(field.tooltip for field in sharp._sliders.values())


def test_a_step_goes_on_until_the_architecture(sharp):
    for _ in range(7):
        sharp.step()
    assert sharp.result().t == 1


def test_state_goes_out_and_comes_back(sharp):
    text = "line=3 surface=0,2"
    again = Sharpness(LINE, SURFACE, state=text)
    assert again.state() == str(SharpnessState.parse(text)) == text
    assert [field.index for field in again._sliders.values()] == [3, 0, 2]
    sharp.restore(text)
    assert sharp.state() == text
    assert sharp._drawings[0].value == again._drawings[0].value
    assert sharp._drawings[1].value == again._drawings[1].value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "reads like"),
        ("line=1", "reads like"),
        ("line=1 surface=1", "reads like"),
        ("line=x surface=1,1", "reads like"),
        ("place=1 surface=1,1", "reads like"),
        ("line=1 surface=1,1 more=2", "reads like"),
        ("line=5 surface=1,1", "other measurements"),
        ("line=-1 surface=1,1", "other measurements"),
        ("line=1 surface=3,1", "other measurements"),
        ("line=1 surface=1,3", "other measurements"),
    ],
)
def test_what_is_no_state_is_refused(sharp, text, message):
    with pytest.raises(UsageError, match=message):
        sharp.restore(text)
    with pytest.raises(UsageError, match=message):
        Sharpness(LINE, SURFACE, state=text)
    assert sharp.state() == "line=0 surface=1,1"


@pytest.mark.parametrize("name", ["place", "row", "column"])
def test_traits_are_checked(sharp, name):
    with pytest.raises(UsageError, match="other measurements"):
        setattr(sharp, name, 7)
    assert sharp.state() == "line=0 surface=1,1"


def test_the_drawings_are_whole_and_have_words(sharp):
    sharp.restore("line=2 surface=0,1")
    line, surface = (ElementTree.fromstring(box.value.split("<p>")[0]) for box in sharp._drawings)
    for drawn, words in ((line, "At t = 0.50"), (surface, "-2.00 along the top eigenvector")):
        assert drawn.get("role") == "img"
        assert drawn.get("aria-label").startswith(words)
        _, _, width, height = map(float, drawn.get("viewBox").split())
        for circle in drawn.iter("circle"):
            assert 0 < float(circle.get("cx")) < width
            assert 0 < float(circle.get("cy")) < height
    assert len(line.findall("polyline")) == 4
    assert len(surface.findall("rect")) == 9


def test_the_surface_has_its_rows_from_the_bottom_and_its_best_brightest(sharp):
    sharp.restore("line=0 surface=2,0")
    drawn = ElementTree.fromstring(sharp._drawings[1].value.split("<p>")[0])
    squares = [(float(each.get("x")), float(each.get("y")), each.get("fill")) for each in drawn.findall("rect")]
    ring = drawn.find("circle")
    assert float(ring.get("cx")) > max(x for x, _, _ in squares)  # last column
    assert float(ring.get("cy")) > max(y for _, y, _ in squares)  # first row
    light = [sum(int(fill[place : place + 2], 16) for place in (1, 3, 5)) for _, _, fill in squares]
    flat = [value for row in SURFACE.accuracy for value in row]
    assert light.index(max(light)) == flat.index(60.0)
    assert light.index(min(light)) == flat.index(19.0)


def test_without_a_kernel_there_is_a_picture_with_words(sharp, alt_of):
    sharp.restore("line=2 surface=0,1")
    bundle = sharp._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    alt = alt_of(bundle)
    assert alt == bundle["text/plain"]
    assert "Marked: t = 0.50, 1.50 nats, 40.0 %." in alt
    assert "marked: 20.0 %" in alt
    assert sharp.sentence().startswith("At t = 0.50")
    assert "-2.00 along the top eigenvector and +0.00 along the random" in sharp.sentence()


def test_a_flat_measurement_is_drawn():
    line = Line((0.0, 1.0), (1.0, 1.0), (0.0, 0.0), 0.0, 0.0, 0.0, 1.0, 2)
    flat = ((5.0,) * 3,) * 3
    shown = Sharpness(line, Landscape((-1.0, 0.0, 1.0), flat, flat, (1.0,), (0.0,), "gradient", "mixing", 2))
    assert "nan" not in shown._drawings[0].value + shown._drawings[1].value


def test_a_slider_answers_within_a_tenth_of_a_second(sharp):
    start = time.process_time()
    for index in range(12):
        sharp._sliders["place"].index = index % 5
        sharp._sliders["row"].index = index % 3
    assert (time.process_time() - start) / 24 < 0.1
