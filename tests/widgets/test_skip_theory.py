"""The theory under sliders: what it computes, its state, its controls, and its static picture."""

import math
import time
import xml.etree.ElementTree as ElementTree

import pytest

from nasbook.runtime.errors import UsageError
from nasbook.widgets.skip_theory import CORRELATION, DEEPEST, LARGEST, SMALLEST, SkipTheory, SkipTheoryState, compute


def test_compute_is_the_closed_form():
    shown = compute(SkipTheoryState(0.8, 0.5, 0.25, 3))
    assert (shown.skip, shown.conv) == (pytest.approx(0.2), 0.5)
    covariance = 0.25 * math.sqrt(0.2 * 0.5)
    assert shown.covariance == pytest.approx(covariance)
    assert shown.theta == pytest.approx((0.5 - covariance) / (0.7 - 2 * covariance))
    assert shown.difference == pytest.approx(math.log((0.5 - covariance) / (0.2 - covariance)))
    assert 1 / (1 + math.exp(-shown.difference)) == pytest.approx(shown.theta)
    assert shown.error < 0.2


def test_depth_alone_lets_the_skip_connection_take_over():
    weights = [compute(SkipTheoryState(1.0, 1.0, 0.0, depth)).theta for depth in (0, 1, 4, 16, 64)]
    assert weights == pytest.approx([1 / 2, 2 / 3, 5 / 6, 17 / 18, 65 / 66])


def test_where_errors_are_alike_one_operation_alone_is_best():
    skip, conv = compute(SkipTheoryState(0.1, 1.0, 0.9, 0)), compute(SkipTheoryState(1.0, 0.1, 0.9, 0))
    assert (skip.theta, skip.difference, skip.error) == (1.0, math.inf, 0.1)
    assert (conv.theta, conv.difference, conv.error) == (0.0, -math.inf, 0.1)
    assert "skip connection alone is best" in SkipTheory("skip=0.1 conv=1 correlation=0.9 depth=0").sentence()
    assert "convolution alone is best" in SkipTheory("skip=1 conv=0.1 correlation=0.9 depth=0").sentence()


@pytest.mark.parametrize(
    "text", ["skip=1 conv=0.67 correlation=0.1 depth=1", "skip=0.05 conv=2 correlation=-0.95 depth=64"]
)
def test_a_state_goes_out_and_in(text):
    theory = SkipTheory(text)
    assert theory.state() == text == str(SkipTheoryState.parse(text))
    other = SkipTheory()
    other.restore(text)
    assert other.state() == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "reads like"),
        ("skip=1 conv=1 correlation=0", "reads like"),
        ("skip=1 conv=1 correlation=0 depth=1.5", "reads like"),
        ("skip=1 conv=1 correlation=0 depth=1 more=1", "reads like"),
        ("skip=0 conv=1 correlation=0 depth=1", "A variance lies"),
        ("skip=1 conv=nan correlation=0 depth=1", "A variance lies"),
        ("skip=1 conv=1 correlation=1 depth=1", "correlation lies"),
        ("skip=1 conv=1 correlation=nan depth=1", "correlation lies"),
        ("skip=1 conv=1 correlation=0 depth=65", "depth lies"),
    ],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(text, message):
    theory = SkipTheory()
    before = theory.state()
    with pytest.raises(UsageError, match=message):
        theory.restore(text)
    assert theory.state() == before


def test_every_control_at_both_ends():
    theory = SkipTheory()
    assert all(field.description and field.tooltip for field in theory._sliders.values())
    for name, field in theory._sliders.items():
        for value in (field.min, field.max):
            field.value = value
            assert getattr(theory, name) == value
            assert theory.sentence() in theory._drawing.value
    assert theory.state() == f"skip={LARGEST:g} conv={LARGEST:g} correlation={CORRELATION:g} depth={DEEPEST}"
    theory.skip = SMALLEST
    assert theory._sliders["skip"].value == SMALLEST
    with pytest.raises(UsageError, match="A variance lies"):
        theory.conv = 3.0


def test_buttons_go_deeper_and_begin_again(buttons_of):
    theory = SkipTheory("skip=1 conv=0.5 correlation=0 depth=0")
    deeper, again = buttons_of(theory)
    depths = []
    for _ in range(8):
        deeper.click()
        depths.append(theory.depth)
    assert depths == [1, 2, 4, 8, 16, 32, 64, 64]
    assert theory._sliders["depth"].value == 64
    again.click()
    assert theory.state() == str(SkipTheoryState())


def test_the_live_drawing_is_well_formed_and_marks_the_minimum():
    theory = SkipTheory("skip=1 conv=1 correlation=0 depth=3")
    _, _, rest = theory._drawing.value.partition("<svg")
    drawn = ElementTree.fromstring(f"<svg{rest.partition('</svg>')[0]}</svg>")
    assert drawn.get("aria-label") == theory.sentence()
    points = [tuple(map(float, pair.split(","))) for pair in drawn.find("polyline").get("points").split()]
    lowest = max(points, key=lambda point: point[1])
    (star,) = [text for text in drawn.iter("text") if text.text == "★"]
    assert float(star.get("x")) == pytest.approx(lowest[0], abs=1)
    assert theory.result().theta == pytest.approx(0.8)
    assert {text.text for text in drawn.iter("text")} >= {"0.800", "0.200", "skip alone", "convolution alone"}


def test_a_move_is_drawn_at_once():
    theory = SkipTheory()
    begin = time.process_time()
    for depth in range(10):
        theory.depth = depth + 10
    assert (time.process_time() - begin) / 10 < 0.1


def test_the_picture_carries_its_words(alt_of):
    theory = SkipTheory("skip=1 conv=1 correlation=0 depth=3")
    bundle = theory._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == alt_of(bundle) == theory.figure().alt
    assert "θ_skip* = 0.800, θ_conv* = 0.200, α_skip* - α_conv* = +1.386" in bundle["text/plain"]
    assert len(theory.figure().png()) > 1000
