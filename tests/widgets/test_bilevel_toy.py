"""The plane of the toy problem: what it computes, its state, its controls, and its static picture."""

import time

import pytest

from nasbook.analysis import bilevel_toy as toy
from nasbook.runtime.errors import UsageError
from nasbook.search import first_order, second_order
from nasbook.widgets.bilevel_toy import REACH, STEPS, BilevelToy, BilevelToyState, compute


def test_compute_is_the_searches_of_the_package():
    shown = compute(BilevelToyState(0.35, -1.5, 1.0, 12))
    assert shown.first.w.tolist() == toy.run(first_order, steps=12, start=(-1.5, 1.0)).w.tolist()
    expected = toy.run(second_order, 0.35, steps=12, start=(-1.5, 1.0))
    assert shown.second.alpha.tolist() == pytest.approx(expected.alpha.tolist(), abs=1e-9)


def test_its_task_has_an_answer():
    shown = compute(BilevelToyState.parse("xi=0.5 start=2,-2 steps=100"))
    assert shown.second.end == pytest.approx(toy.SOLUTION, abs=1e-4)
    assert compute(BilevelToyState.parse("xi=0.45 start=2,-2 steps=100")).second.end[0] > 1.04


@pytest.mark.parametrize(
    "text", ["xi=0.25 start=2,-2 steps=0", "xi=0.5 start=-1.5,0 steps=100", "xi=1 start=0,0 steps=1"]
)
def test_a_state_goes_out_and_in(text):
    plane = BilevelToy(text)
    assert plane.state() == text
    other = BilevelToy()
    other.restore(text)
    assert other.state() == text
    assert str(BilevelToyState.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "reads like"),
        ("steps=3", "reads like"),
        ("xi=0.5 start=1 steps=3", "reads like"),
        ("xi=0.5 start=1,1 steps=3 more=1", "reads like"),
        ("xi=nan start=1,1 steps=3", "between 0 and 1"),
        ("xi=1.5 start=1,1 steps=3", "between 0 and 1"),
        ("xi=0.5 start=9,1 steps=3", "A start lies"),
        ("xi=0.5 start=1,nan steps=3", "A start lies"),
        ("xi=0.5 start=1,1 steps=101", "0 to 100 steps"),
    ],
)
def test_a_state_of_another_form_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        BilevelToyState.parse(text)


def test_a_refused_state_changes_nothing():
    plane = BilevelToy("xi=0.5 start=1,1 steps=3")
    with pytest.raises(UsageError):
        plane.restore("xi=0.5 start=1,1 steps=-1")
    assert plane.state() == "xi=0.5 start=1,1 steps=3"


def test_every_control_at_both_ends():
    plane = BilevelToy()
    sliders = plane._sliders
    assert all(field.description and field.tooltip for field in sliders.values())
    for name, field in sliders.items():
        for value in (field.min, field.max):
            field.value = value
            assert getattr(plane, name) == value
            assert f"After {plane.steps} steps" in plane._drawing.value
    assert plane.state() == f"xi=1 start={REACH:g},{REACH:g} steps={STEPS}"
    plane.alpha = 0.5
    assert sliders["alpha"].value == 0.5


def test_buttons_step_and_begin_again(buttons_of):
    plane = BilevelToy()
    (step, ten, reset), play = buttons_of(plane), plane._play
    step.click()
    ten.click()
    assert plane.steps == sliders_value(plane) == play.value == 11
    play.value = 12
    assert plane.steps == 12
    plane.step(1000)
    assert plane.steps == STEPS
    reset.click()
    assert plane.steps == play.value == 0


def sliders_value(plane):
    return plane._sliders["steps"].value


def test_the_drawing_stays_on_the_plane():
    from nasbook.widgets import plane_drawing

    for alpha in (-REACH, 0.0, REACH):
        for w in (-REACH, 0.0, REACH):
            for look_ahead in (0.0, 0.5, 1.0):
                shown = compute(BilevelToyState(look_ahead, alpha, w, STEPS))
                for path in (shown.first, shown.second):
                    assert min(path.alpha.min(), path.w.min()) >= plane_drawing.LOW
                    assert max(path.alpha.max(), path.w.max()) <= plane_drawing.HIGH


def test_a_step_is_drawn_at_once():
    plane = BilevelToy()
    plane.step()
    begin = time.perf_counter()
    for _ in range(10):
        plane.step()
    assert (time.perf_counter() - begin) / 10 < 0.1


def test_the_picture_carries_its_words(alt_of):
    plane = BilevelToy("xi=0.5 start=2,-2 steps=100")
    bundle = plane._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "second order" in alt_of(bundle)
    assert "(1.00, 1.00)" in alt_of(bundle)
    assert bundle["text/plain"] == plane.figure().alt
    drawn = plane.figure().axes
    assert [max(len(line.get_xdata()) for line in axes.lines) for axes in drawn] == [101, 101]


def test_the_live_drawing_has_words():
    value = BilevelToy("xi=0.5 start=2,-2 steps=100")._drawing.value
    assert value.count('role="img"') == value.count("aria-label=") == 2
    assert "second order, ξ = 0.5: after 100 steps alpha is 1.000 and w is 1.000." in value
