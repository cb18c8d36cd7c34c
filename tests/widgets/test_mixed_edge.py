"""The mixed edge under the sliders: what it computes, its state as text, its controls."""

from __future__ import annotations

import math
import time

import pytest
import torch

from nasbook.datasets import Normalisation, street_numbers
from nasbook.runtime.errors import UsageError
from nasbook.widgets.mixed_edge import LARGEST, EdgeOutputs, MixedEdgeSliders, MixedEdgeState, compute


@pytest.fixture(scope="module")
def outputs() -> EdgeOutputs:
    pixels = street_numbers.fresh(4, seed=402, size=16).pixels
    return EdgeOutputs.of(Normalisation()(pixels, dtype=torch.float64))


@pytest.fixture
def sliders(outputs: EdgeOutputs) -> MixedEdgeSliders:
    return MixedEdgeSliders(outputs)


def test_the_operations_are_those_of_a_supernets_edge(outputs: EdgeOutputs) -> None:
    assert outputs.outputs.shape == (3, 4, 3, 16, 16)
    torch.testing.assert_close(outputs.outputs[0], outputs.images)
    again = EdgeOutputs.of(outputs.images)
    torch.testing.assert_close(again.outputs, outputs.outputs, rtol=0, atol=0)
    with pytest.raises(UsageError, match="colour images"):
        EdgeOutputs.of(outputs.images[:, :1])


def test_none_takes_weight_and_puts_out_nothing(outputs: EdgeOutputs) -> None:
    edge = EdgeOutputs.of(outputs.images, ("none", "skip_connect"))
    result = compute(edge, MixedEdgeState(0, (0.0, 0.0)))
    assert result.weights == pytest.approx((0.5, 0.5))
    size = float(outputs.images[0].square().mean().sqrt())
    assert result.distances == pytest.approx((size / 2, size / 2))


def test_weights_and_distances_are_those_of_the_formula(outputs: EdgeOutputs) -> None:
    result = compute(outputs, MixedEdgeState(2, (0.5, -1.0, 2.0)))
    total = math.exp(0.5) + math.exp(-1) + math.exp(2)
    assert result.weights == pytest.approx([math.exp(value) / total for value in (0.5, -1, 2)])
    mixture = sum(weight * part[2] for weight, part in zip(result.weights, outputs.outputs))
    assert result.distances[1] == pytest.approx(float((mixture - outputs.outputs[1, 2]).square().mean().sqrt()))
    assert result.output.shape == (16, 16, 3)
    assert result.output.min() >= 0
    assert result.output.max() <= 1


def test_the_one_hot_limit_and_the_shift(outputs: EdgeOutputs) -> None:
    corner = compute(outputs, MixedEdgeState(0, (-10.0, -10.0, 10.0)))
    assert corner.distances[2] < 1e-7
    here, moved = (compute(outputs, MixedEdgeState(1, alpha)) for alpha in ((0.0, 1.0, -1.0), (3.0, 4.0, 2.0)))
    assert here.weights == pytest.approx(moved.weights)
    assert here.distances == pytest.approx(moved.distances)


@pytest.mark.parametrize("end", [-LARGEST, LARGEST])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_each_slider_at_both_ends(sliders: MixedEdgeSliders, place: int, end: float) -> None:
    sliders._sliders[place].value = end
    assert sliders.alpha == tuple(end if index == place else 0.0 for index in range(3))
    weight = sliders.result().weights[place]
    assert weight > 0.999 if end > 0 else weight < 0.001
    assert f"{weight:.3f}" in sliders._drawing.value


def test_the_image_is_chosen(sliders: MixedEdgeSliders) -> None:
    before = sliders._drawing.value
    sliders._picture.value = 3
    assert sliders.picture == 3
    assert sliders._drawing.value != before


def test_state_goes_out_and_comes_back(outputs: EdgeOutputs, sliders: MixedEdgeSliders) -> None:
    sliders.picture, sliders.alpha = 2, (1.5, -0.3, 10)
    text = sliders.state()
    assert text == "picture=2 alpha=1.5,-0.3,10"
    again = MixedEdgeSliders(outputs, state=text)
    assert again.state() == text
    assert [slider.value for slider in again._sliders] == [1.5, -0.3, 10]
    sliders.alpha = (0, 0, 0)
    sliders.restore(text)
    assert sliders.state() == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "reads like"),
        ("picture=x alpha=1,2,3", "reads like"),
        ("picture=0 alpha=1,2", "another one"),
        ("picture=4 alpha=1,2,3", "another one"),
        ("picture=0 alpha=1,2,11", "between -10 and 10"),
        ("picture=0 alpha=1,2,nan", "between -10 and 10"),
    ],
)
def test_what_is_no_state_is_refused(outputs: EdgeOutputs, sliders: MixedEdgeSliders, text: str, message: str) -> None:
    before = sliders.state()
    with pytest.raises(UsageError, match=message):
        sliders.restore(text)
    with pytest.raises(UsageError, match=message):
        MixedEdgeSliders(outputs, state=text)
    assert sliders.state() == before


def test_traits_are_checked(sliders: MixedEdgeSliders) -> None:
    with pytest.raises(UsageError, match="images 0 to 3"):
        sliders.picture = 4
    with pytest.raises(UsageError, match="3 numbers"):
        sliders.alpha = (1, 2)
    with pytest.raises(UsageError, match="between"):
        sliders.alpha = (1, 2, 10.5)
    assert sliders.state() == "picture=0 alpha=0,0,0"


def test_a_step_doubles_until_the_sliders_end(sliders: MixedEdgeSliders) -> None:
    sliders.step()
    assert sliders.alpha == (0, 0, 0)
    sliders.alpha = (1, -2, 3)
    sliders.step()
    assert sliders.alpha == (2, -4, 6)
    for _ in range(3):
        sliders.step()
    assert sliders.alpha == (3.3, -6.7, 10)


def test_buttons_and_labels(sliders: MixedEdgeSliders) -> None:
    controls = sliders.children[0].children[0].children
    double, zero = controls[-1].children
    assert all(control.description and control.tooltip for control in (*controls[:-1], double, zero))
    sliders.alpha = (1, 0, 0)
    double.click()
    assert sliders.alpha == (2, 0, 0)
    zero.click()
    assert sliders.alpha == (0, 0, 0)


def test_without_a_kernel_there_is_a_picture_with_words(sliders: MixedEdgeSliders, alt_of) -> None:
    assert "All have the same share" in sliders.figure().alt
    sliders.alpha = (0, 0, 3)
    bundle = sliders._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "sep 3×3 0.91" in alt_of(bundle)
    assert alt_of(bundle) == bundle["text/plain"]
    assert "nearest to the output of sep_conv_3x3" in sliders.sentence()


def test_a_slider_answers_within_a_tenth_of_a_second(sliders: MixedEdgeSliders) -> None:
    start = time.process_time()
    for index in range(10):
        sliders._sliders[0].value = index / 10
    assert (time.process_time() - start) / 10 < 0.1
