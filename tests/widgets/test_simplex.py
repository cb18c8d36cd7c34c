"""The simplex under sliders: what it computes, its state, its controls, its task, and its static picture."""

import math
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch

from nasbook.analysis import distributions
from nasbook.figures.distributions import plane
from nasbook.runtime.errors import UsageError
from nasbook.widgets import simplex
from nasbook.widgets.simplex import SimplexExplorer, SimplexState, compute
from nasbook.widgets.simplex_drawing import BARS, SIDE

GUMBEL = "family=gumbel temperature=0.7 concentration=2 logits=1,0,-0.5"
DIRICHLET = "family=dirichlet temperature=0.7 concentration=2 logits=1,0,-0.5"


def drawing(explorer):
    """Both elements, the triangle and the numbers, as one."""
    parts = (explorer._drawing.value + explorer._numbers.value).split("<svg")[1:]
    return ElementTree.fromstring(
        "".join(["<g>", *(f"<svg{part.partition('</svg>')[0]}</svg>" for part in parts), "</g>"])
    )


def test_gumbel_samples_are_those_of_the_analysis():
    shown = compute(SimplexState.parse(GUMBEL), 500)
    assert torch.equal(shown.samples, distributions.gumbel_softmax((1, 0, -0.5), 0.7, samples=500, seed=simplex.SEED))
    assert shown.expected.tolist() == pytest.approx(np.exp([1, 0, -0.5]) / np.exp([1, 0, -0.5]).sum())
    assert shown.entropy == pytest.approx(float(distributions.entropy(shown.samples).mean()))
    assert shown.share == pytest.approx(shown.entropy / math.log(3))
    chance = shown.expected[0]
    exact = chance * (torch.tensor([1.0, 0, 0]).double() - shown.expected)
    torch.testing.assert_close(shown.gradient.exact, exact)
    assert shown.gradient.samples == 500


def test_dirichlet_samples_have_the_closed_moments():
    shown = compute(SimplexState.parse(DIRICHLET))
    beta = 6 * shown.expected
    closed = distributions.dirichlet_moments(beta)
    torch.testing.assert_close(shown.mean, closed.mean, atol=0.01, rtol=0)
    torch.testing.assert_close(shown.samples.var(0), closed.variance, rtol=0.05, atol=0)
    assert shown.entropy == pytest.approx(closed.entropy, rel=0.01)
    assert shown.gradient.bias < 4 * shown.gradient.noise  # its mean is softmax(alpha) at any concentration


def test_a_gumbel_gradient_is_biased_when_warm_and_varies_when_cold():
    cold, warm = (compute(SimplexState(temperature=each)).gradient for each in (0.1, 2.0))
    assert cold.variance > 10 * warm.variance
    assert warm.bias > 20 * warm.noise
    assert cold.bias < 4 * cold.noise


@pytest.mark.parametrize("family", ["gumbel", "dirichlet"])
def test_the_task_can_be_solved_with_the_slider(family):
    """A bisection over the slider's own places; for the Dirichlet the closed form agrees with what it finds."""
    field = "temperature" if family == "gumbel" else "concentration"
    explorer = SimplexExplorer(str(SimplexState(family=family)))
    slider = explorer._fields[field]
    low, high = 0, round((slider.max - slider.min) / slider.step)
    while high - low > 1:
        middle = (low + high) // 2
        slider.value = 10 ** (slider.min + middle * slider.step)
        low, high = (low, middle) if explorer.result().share > 0.5 else (middle, high)
    slider.value = 10 ** (slider.min + high * slider.step)
    assert explorer.result().share == pytest.approx(0.5, abs=0.01)
    assert compute(SimplexState.parse(explorer.state())).share == explorer.result().share
    if family == "dirichlet":
        closed = distributions.dirichlet_moments([explorer.concentration] * 3).entropy
        assert closed / math.log(3) == pytest.approx(0.5, abs=0.02)
    else:
        assert 0.5 < explorer.temperature < 0.6


@pytest.mark.parametrize(
    "text",
    [GUMBEL, DIRICHLET, "family=dirichlet temperature=0.05 concentration=50 logits=-3,3,0.1", str(SimplexState())],
)
def test_a_state_goes_out_and_in(text):
    explorer = SimplexExplorer(text)
    assert explorer.state() == text == str(SimplexState.parse(text))
    other = SimplexExplorer()
    other.restore(text)
    assert other.state() == text
    assert other._drawing.value == explorer._drawing.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "reads like"),
        ("family=gumbel temperature=1 concentration=1", "reads like"),
        ("family=gumbel temperature=1 concentration=1 logits=0,x,0", "reads like"),
        ("family=gumbel temperature=1 concentration=1 logits=0,0,0 more=1", "reads like"),
        ("family=normal temperature=1 concentration=1 logits=0,0,0", "The family is gumbel or dirichlet"),
        ("family=gumbel temperature=0 concentration=1 logits=0,0,0", "The temperature lies"),
        ("family=gumbel temperature=nan concentration=1 logits=0,0,0", "The temperature lies"),
        ("family=gumbel temperature=1 concentration=99 logits=0,0,0", "The concentration lies"),
        ("family=gumbel temperature=1 concentration=1 logits=0,0", "three logits"),
        ("family=gumbel temperature=1 concentration=1 logits=0,0,4", "three logits"),
    ],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(text, message):
    explorer = SimplexExplorer()
    before = explorer.state()
    with pytest.raises(UsageError, match=message):
        explorer.restore(text)
    assert explorer.state() == before


@pytest.mark.parametrize("family", ["gumbel", "dirichlet"])
def test_every_control_at_both_ends(family):
    explorer = SimplexExplorer()
    explorer._fields["family"].value = family
    assert explorer.family == family
    disabled = {name for name, field in explorer._fields.items() if field.disabled}
    assert disabled == {"concentration" if family == "gumbel" else "temperature"}
    fields = [*explorer._fields.values(), *explorer._logits]
    assert all(field.description and field.tooltip for field in fields)
    for slider in fields[1:]:
        log = slider in fields[1:3]
        for value in (slider.min, slider.max):
            slider.value = 10**value if log else value
            assert explorer.sentence() in explorer._drawing.value
            assert math.isfinite(explorer.result().gradient.variance)
    assert explorer.state() == f"family={family} temperature=10 concentration=50 logits=3,3,3"
    with pytest.raises(UsageError, match="The temperature lies"):
        explorer.temperature = 20.0
    with pytest.raises(UsageError, match="three logits"):
        explorer.logits = (1.0, 2.0)


def test_buttons_halve_and_begin_again(buttons_of):
    explorer = SimplexExplorer(GUMBEL)
    half, again = buttons_of(explorer)
    half.click()
    assert explorer.state() == GUMBEL.replace("0.7", "0.35")
    assert explorer._fields["temperature"].value == pytest.approx(0.35)
    explorer.family = "dirichlet"
    half.click()
    assert (explorer.temperature, explorer.concentration) == (pytest.approx(0.35), 1.0)
    for _ in range(8):
        half.click()
    assert explorer.concentration == simplex.SPARSEST
    again.click()
    assert explorer.state() == str(SimplexState())


def test_the_task_is_written_over_the_controls():
    assert simplex.TASK in SimplexExplorer().children[0].value


def test_the_live_drawing_holds_the_samples_and_the_numbers():
    explorer = SimplexExplorer(GUMBEL)
    shown, drawn = explorer.result(), drawing(explorer)
    assert drawn.find("svg").get("aria-label") == explorer.sentence()
    paths = {each.get("class"): each.get("d") for each in drawn.iter("path")}
    (dots,) = [each.get("d") for each in drawn.iter("path") if each.get("d").count("h0") > 10]
    assert dots.count("M") == simplex.DOTS
    outline = [tuple(map(float, each.split(","))) for each in drawn.find("svg/polygon").get("points").split()]
    (left, low), (right, _), _ = outline
    assert right - left == pytest.approx(SIDE)
    x, y = map(float, dots.split("h0")[0].removeprefix("M").split())
    first = plane(shown.samples[:1])[0]
    assert ((x - left) / SIDE, (low - y) / SIDE) == (
        pytest.approx(first[0], abs=1e-3),
        pytest.approx(first[1], abs=1e-3),
    )
    x, y = map(float, paths["mean"].split("h")[0].removeprefix("M").split())
    middle = plane(shown.mean[None])[0]
    assert ((x + 7 - left) / SIDE, (low - y) / SIDE) == (
        pytest.approx(middle[0], abs=1e-3),
        pytest.approx(middle[1], abs=1e-3),
    )
    (bar,) = [each for each in drawn.iter("rect") if each.get("class") == "entropy"]
    assert float(bar.get("width")) == pytest.approx(BARS * shown.share, abs=0.1)
    words = " ".join(text.text for text in drawn.iter("text"))
    assert f"entropy {shown.entropy:.3f} nats = {shown.share:.3f} log 3" in words
    assert f"variance {shown.gradient.variance:.3g}" in words
    assert f"off by {shown.gradient.bias:.3f} (chance: {shown.gradient.noise:.3f})" in words


@pytest.mark.parametrize("family", ["gumbel", "dirichlet"])
def test_a_move_is_drawn_at_once(family):
    explorer = SimplexExplorer(str(SimplexState(family=family)))
    begin = time.process_time()
    for step in range(10):
        explorer.logits = (0.1 * step + 0.05, 0.0, 0.0)
    assert (time.process_time() - begin) / 10 < 0.1


def test_the_picture_carries_its_words(alt_of):
    explorer = SimplexExplorer(DIRICHLET)
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == alt_of(bundle) == explorer.figure().alt
    assert explorer.sentence() in bundle["text/plain"]
    assert "Dirichlet, concentration 2, logits 1, 0, -0.5: the mean entropy of 10000 samples" in bundle["text/plain"]
    (ax,) = explorer.figure().axes
    (dots,) = [line for line in ax.lines if len(line.get_xdata()) == simplex.DOTS]
    np.testing.assert_allclose(dots.get_xydata(), plane(explorer.result().samples[: simplex.DOTS]))
    assert 1000 < len(explorer.figure().png()) < 60_000
