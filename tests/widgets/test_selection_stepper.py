"""The PT stepper: a replay forwards and backwards, decisions by hand with their cost, its state, and its pictures."""

import xml.etree.ElementTree as ElementTree

import pytest
import torch

from nasbook import datasets, sizes, spaces
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.selection import PerturbationSelection, magnitude
from nasbook.selection.records import decisions
from nasbook.widgets import selection_stepper
from nasbook.widgets.selection_stepper import SelectionStepper, StepperState, cell_weights
from nasbook.widgets.selection_stepper_drawing import BARS

NUMBERS = {"epochs": 1, "images": 128, "batch": 16, "channels": 2, "layers": 3, "tuning_steps": 1, "running": True}
SPACE = spaces.get("s2", nodes=2, reduction="fixed")


def trained():
    numbers = sizes.override(sizes.get("class").of("darts", "darts").search, NUMBERS)
    settings = {"recipe": recipes.get("darts"), "numbers": numbers, "derive": magnitude, "seed": 0}
    made = Search(SPACE, datasets.load("street_numbers"), **settings)
    made.run_epoch(lambda step, steps: None)
    return made


@pytest.fixture(scope="module")
def records():
    selection = PerturbationSelection(trained())
    return [selection.run_epoch(lambda step, steps: None) for _ in range(selection.epochs)]


@pytest.fixture
def stepper(records):
    return SelectionStepper(records, SPACE)


@pytest.fixture
def by_hand(records):
    return SelectionStepper(records, SPACE, live=trained(), images=32, tuning_steps=1)


def drawings(widget):
    parts = widget._drawing.value.split("<svg")[1:]
    return [ElementTree.fromstring(f"<svg{part.partition('</svg>')[0]}</svg>") for part in parts]


def test_the_cell_so_far_holds_what_is_decided(records):
    made = decisions(records)
    begin = cell_weights(SPACE, [])["normal"]
    assert torch.equal(begin, torch.full(SPACE.groups["normal"].shape, 0.5))
    rows, first = SPACE.groups["normal"].rows, made[0]
    one = cell_weights(SPACE, made[:1])["normal"]
    row = rows.index(first["where"])
    kept = SPACE.groups["normal"].operations[row].index(first["kept"][0])
    assert one[row].tolist() == [float(place == kept) for place in range(2)]
    assert (one != begin).any(1).tolist() == [place == row for place in range(5)]
    end = cell_weights(SPACE, made)["normal"]
    dropped = [rows.index(name) for name in made[-1]["options"] if name not in made[-1]["kept"]]
    assert end.sum(1).tolist() == [float(place not in dropped) for place in range(5)]


def test_the_replay_goes_forwards_and_backwards_between_its_ends(stepper, records):
    made = decisions(records)
    back, further, again = stepper._back, stepper._next, stepper._again
    assert stepper.state() == "mode=replay decided=1 picks=-"
    further.click()
    assert (stepper.decided, stepper._steps.value) == (2, 2)
    assert f"Decision 2 of 6, {made[1]['where']}" in stepper.sentence()
    for _ in range(9):
        further.click()
    assert stepper.decided == len(made) == 6
    back.click()
    assert stepper.decided == 5
    again.click()
    back.click()
    assert stepper.decided == 0
    assert "No decision is made yet" in stepper._drawing.value
    stepper._steps.value = 3
    assert stepper.state() == "mode=replay decided=3 picks=-"
    assert stepper._keeps.children == ()


def test_the_drawing_has_the_bars_and_the_course_of_the_supernet(stepper, records):
    made = decisions(records)
    stepper.decided = 2
    cell, course, bars = drawings(stepper)
    assert bars.get("aria-label") == stepper.sentence()
    weights = [float(each.get("width")) for each in bars.iter("rect") if each.get("class") == "weight"]
    assert weights == pytest.approx([BARS * each for each in made[1]["weights"]], abs=0.06)
    without = [float(each.get("width")) for each in bars.iter("rect") if each.get("class") == "without"]
    most = max(*made[1]["accuracies"], made[1]["before"], 1.0)
    assert without == pytest.approx([BARS * each / most for each in made[1]["accuracies"]], abs=0.06)
    words = [each.text for each in bars.iter("text")]
    (kept,) = [text for text in words if text.endswith("kept")]
    assert kept == f"{made[1]['accuracies'][made[1]['options'].index(made[1]['kept'][0])]:.1f} kept"
    assert sum("▲" in text for text in words) == 2  # at the largest weight, and in the legend
    assert len(course.find("polyline").get("points").split()) == 4
    assert "The normal cell as a mixture" in cell.get("aria-label")


def marked(cell):
    keys = [each.get("data-key", "") for each in cell.iter()]
    return [key for key in keys if key.startswith("decided-")]


def test_the_edge_that_is_decided_is_marked(stepper, by_hand, records):
    made = decisions(records)
    for decided in (1, 4):
        stepper.decided = decided
        assert marked(drawings(stepper)[0]) == [f"decided-{made[decided - 1]['where']}"]
        assert made[decided - 1]["where"] in drawings(stepper)[0].get("aria-label")
    stepper.decided = len(made)  # two of three edges into a node: all three are in question
    assert marked(drawings(stepper)[0]) == [f"decided-{name}" for name in made[-1]["options"]]
    by_hand._mode.value = "hand"
    assert marked(drawings(by_hand)[0]) == [f"decided-{by_hand.hand.next()['where']}"]


def test_by_hand_each_decision_is_priced_beside_the_others(by_hand):
    by_hand._mode.value = "hand"
    coming = by_hand.hand.next()
    assert [each.description for each in by_hand._keeps.children] == ["Keep skip", "Keep sep 3×3"]
    assert by_hand._steps.disabled
    by_hand._keeps.children[1].click()
    assert by_hand.state() == "mode=hand decided=1 picks=1"
    (made,) = by_hand.made()
    assert made["kept"] == ["sep_conv_3x3"]
    assert (
        f"kept sep 3×3; the supernet goes from {coming['before']:.1f} % to {made['after']:.1f} %." in by_hand.sentence()
    )
    assert f"({made['after_by_perturbation']:.1f} %), the largest weight" in by_hand.sentence()
    by_hand._next.click()
    assert len(by_hand.made()) == 2
    assert by_hand.made()[1]["kept"] == by_hand.made()[1]["by_perturbation"]
    by_hand._back.click()
    assert by_hand.state() == "mode=hand decided=1 picks=1"
    assert [each["after"] for each in by_hand.made()] == [made["after"]]
    by_hand._again.click()
    assert by_hand.picks == "-"
    assert by_hand.hand.next() == coming


def test_by_hand_to_the_end(by_hand):
    by_hand.mode = "hand"
    for _ in range(5):
        by_hand._keeps.children[1].click()
    names = ["Keep 0→3 and 1→3", "Keep 0→3 and 2→3", "Keep 1→3 and 2→3"]
    assert [each.description for each in by_hand._keeps.children] == names
    by_hand._keeps.children[2].click()
    assert by_hand.state() == "mode=hand decided=1 picks=1.1.1.1.1.2"
    assert "all weights are equal. All is decided: Genotype(normal=[('sep_conv_3x3', 0)" in by_hand.sentence()
    assert by_hand._keeps.children == ()
    before = by_hand.state()
    by_hand._next.click()  # nothing is left to decide
    assert by_hand.state() == before
    with pytest.raises(UsageError, match="no decision to make"):
        by_hand.keep(["skip_connect"])


def test_a_state_goes_out_and_in(by_hand, records):
    by_hand.restore("mode=hand decided=4 picks=0.1")
    assert by_hand.state() == "mode=hand decided=4 picks=0.1"
    assert [each["kept"] for each in by_hand.made()] == [["skip_connect"], ["sep_conv_3x3"]]
    other = SelectionStepper(records, SPACE, state="decided=4 mode=replay picks=-")
    assert other.state() == str(StepperState(decided=4))
    by_hand.restore(other.state())
    assert by_hand._drawing.value == other._drawing.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mode=replay decided=1", "reads like"),
        ("mode=both decided=1 picks=-", "The mode is"),
        ("mode=replay decided=-1 picks=-", "At least 0"),
        ("mode=replay decided=7 picks=-", "has 6 decisions"),
        ("mode=replay decided=1 picks=a", "Picks read like"),
        ("mode=hand decided=1 picks=3", "keeps one of 2"),
        ("mode=hand decided=1 picks=0.0.0.0.0.0.0", "There are 6 decisions"),
    ],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(by_hand, text, message):
    before = by_hand.state()
    with pytest.raises(UsageError, match=message):
        by_hand.restore(text)
    assert by_hand.state() == before


def test_without_a_live_supernet_nothing_is_decided_by_hand(stepper, records):
    assert [value for _, value in stepper._mode.options] == ["replay"]
    for text in ("mode=hand decided=1 picks=-", "mode=replay decided=1 picks=0"):
        with pytest.raises(UsageError, match="live="):
            stepper.restore(text)
    with pytest.raises(UsageError, match="no live supernet"):
        stepper.keep(["skip_connect"])
    with pytest.raises(UsageError, match="has none"):
        SelectionStepper(records, spaces.get("nas-bench-1shot1-1"))
    with pytest.raises(UsageError, match="no decision to replay"):
        SelectionStepper([], SPACE)


def test_what_may_not_be_kept_is_refused(by_hand):
    by_hand.mode = "hand"
    with pytest.raises(UsageError, match="One keeps skip_connect or sep_conv_3x3"):
        by_hand.keep(["none"])
    assert by_hand.picks == "-"


def test_controls_have_names_and_the_task_stands_above(stepper):
    assert selection_stepper.TASK in stepper.children[0].value
    controls = [stepper._mode, stepper._steps, stepper._back, stepper._next, stepper._again]
    assert all(each.description and each.tooltip for each in controls)


def test_the_picture_carries_its_words(stepper, alt_of):
    for decided in (0, 2, 6):
        stepper.decided = decided
        bundle = stepper._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert bundle["text/plain"] == alt_of(bundle) == stepper.figure().alt
        assert stepper.sentence() in bundle["text/plain"]
        assert 1000 < len(stepper.figure().png()) < 60_000
