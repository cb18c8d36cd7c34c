"""Two methods of the study of the methods' order, side by side, without a browser."""

import json
import time
import xml.etree.ElementTree as ElementTree

import pytest

from nasbook.claims import Run
from nasbook.runtime.errors import UsageError
from nasbook.widgets import comparator
from nasbook.widgets.comparator import NOT_MEASURED, MethodComparator
from nasbook.widgets.comparison import PARTS


@pytest.fixture
def runs(make_values):
    return [Run(4, make_values(seed=4)), Run(7, make_values(seed=7))]


@pytest.fixture
def compared(runs):
    return MethodComparator(runs)


def test_it_opens_with_the_first_two_methods_at_the_end(compared):
    assert compared.state() == "seed=4 methods=darts,gdas part=8/8"
    assert [side.method for side in compared.result()] == ["darts", "gdas"]


def test_every_control_at_both_ends(compared, runs):
    for name, control in compared._controls.items():
        options = [option[1] if isinstance(option, tuple) else option for option in control.options]
        for value in (options[0], options[-1]):
            control.value = value
            assert getattr(compared, name) == value
    assert compared.state() == "seed=7 methods=rsps,rsps part=8/8"
    compared.restore("seed=7 methods=pc-darts,gdas part=1/8")
    assert [control.value for control in compared._controls.values()] == ["pc-darts", "gdas", 7, 1]
    assert compared.result()[0].supernet == runs[1].values["records"]["pc-darts"][0]["valid_accuracy"]


def test_controls_have_words(compared):
    assert [control.description for control in compared._controls.values()] == ["left", "right", "seed", "searched"]
    assert all(control.tooltip for control in compared._controls.values())
    assert compared._controls["part"].label == "8/8"


def test_a_step_goes_on_until_the_end(compared):
    compared.part = PARTS - 2
    button = compared.children[1].children[-1]
    button.click()
    assert compared.part == PARTS - 1
    button.click()
    button.click()
    assert compared.part == PARTS


def test_state_goes_out_and_comes_back(compared, runs):
    text = "seed=7 methods=rsps,pc-darts part=3/8"
    again = MethodComparator(runs, state=text)
    assert again.state() == text
    compared.restore(text)
    assert compared.state() == text
    assert compared._shown.value == again._shown.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("here", "A state reads like"),
        ("seed=5 methods=darts,gdas part=8/8", "no seed 5; there is 4, 7"),
        ("seed=4 methods=darts,nasp part=8/8", "no method 'nasp'"),
        ("seed=4 methods=random,darts part=8/8", "no method 'random'"),
        ("seed=4 methods=darts,gdas part=0/8", "parts 1 to 8"),
        ("seed=4 methods=darts,gdas part=9/8", "parts 1 to 8"),
    ],
)
def test_a_state_that_is_not_there_is_refused_and_changes_nothing(compared, runs, text, message):
    with pytest.raises(UsageError, match=message):
        compared.restore(text)
    with pytest.raises(UsageError, match=message):
        MethodComparator(runs, state=text)
    assert compared.state() == "seed=4 methods=darts,gdas part=8/8"


@pytest.mark.parametrize(("name", "value"), [("seed", 5), ("left", "nasp"), ("right", ""), ("part", 9)])
def test_traits_are_checked(compared, name, value):
    with pytest.raises(UsageError, match="There "):
        setattr(compared, name, value)
    assert compared.state() == "seed=4 methods=darts,gdas part=8/8"


def test_all_numbers_of_both_methods_are_shown(compared):
    compared.restore("seed=7 methods=darts,pc-darts part=5/8")
    inside = compared._shown.value.partition("<table")[2].partition("</table>")[0]
    table = ElementTree.fromstring(f"<table{inside}</table>")
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    sides = compared.result()
    assert rows == [
        ["", "darts", "pc-darts"],
        ["epoch", "5 of 8", "10 of 16"],
        ["supernet", *(f"{side.supernet:.1f} %" for side in sides)],
        ["derived cell, same weights", *(f"{side.derived:.1f} %" for side in sides)],
        ["gap", *(f"{side.supernet - side.derived:.1f} points" for side in sides)],
        ["cell of the whole search, trained", *(f"{side.trained:.1f} %" for side in sides)],
        ["random cell, trained", *(f"{side.random:.1f} %" for side in sides)],
        ["better than random by", *(f"{side.trained - side.random:+.1f} points" for side in sides)],
    ]


def test_the_drawings_are_whole_described_and_drawn_as_the_microscope_does(compared):
    compared.restore("seed=4 methods=pc-darts,rsps part=5/8")
    drawings = [f"<svg{part.partition('</svg>')[0]}</svg>" for part in compared._shown.value.split("<svg")[1:]]
    labels = [ElementTree.fromstring(text).get("aria-label") for text in drawings]
    left, right = (side.view.sentence() for side in compared.result())
    assert labels[1:] == [left, right]  # after the cells
    assert len(labels) == 3  # rsps has no cell yet
    assert compared._shown.value.count("edge weight</text>") == 1
    assert compared._shown.value.count("chosen after the search by ranking") == 2
    compared.part = PARTS
    assert compared._shown.value.count("<svg") == 4


def test_the_answer_is_that_of_the_seed(compared, runs):
    runs[0].values["trained"]["darts"] = 99.0
    runs[1].values["trained"]["pc-darts"] = 99.0
    assert compared.answer().best_trained == ("darts",)
    compared.seed = 7
    assert compared.answer().best_trained == ("pc-darts",)


def test_without_a_kernel_there_is_a_picture_with_words(compared, alt_of):
    compared.restore("seed=7 methods=darts,rsps part=3/8")
    bundle = compared._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert alt_of(bundle) == bundle["text/plain"] == compared.sentence()
    assert "darts, epoch 3 of 8" in bundle["text/plain"]
    assert "rsps, epoch 6 of 16" in bundle["text/plain"]
    titles = [ax.get_title() for ax in compared.figure().axes]
    darts, rsps = compared.result()
    assert titles[2].startswith(f"gap {darts.gap:.1f} points; trained {darts.trained:.1f} %")
    assert titles[3].startswith(f"trained {rsps.trained:.1f} %")


def test_before_anything_is_measured_it_says_what_measures(tmp_path, monkeypatch, alt_of):
    monkeypatch.setattr(comparator, "data_folder", lambda: tmp_path)
    for empty in (MethodComparator(), MethodComparator([])):
        bundle = empty._repr_mimebundle_()
        assert bundle["text/plain"] == alt_of(bundle) == NOT_MEASURED
        assert "nasbook claims measure method-order --folder data/results" in empty._shown.value
        for act in (empty.state, empty.step, empty.result, empty.answer):
            with pytest.raises(UsageError, match="not measured yet"):
                act()
        with pytest.raises(UsageError, match="not measured yet"):
            empty.restore("seed=4 methods=darts,gdas part=8/8")


def test_stored_runs_are_read(tmp_path, monkeypatch, runs):
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(comparator, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(comparator.claims, "runs", lambda study: tuple(runs) if study == "method-order" else ())
    (tmp_path / "results" / "method-order.json").write_text(json.dumps({}))
    assert MethodComparator().state() == "seed=4 methods=darts,gdas part=8/8"


def test_a_control_answers_within_a_tenth_of_a_second(compared):
    start = time.process_time()
    for part in range(1, PARTS + 1):
        compared._controls["part"].value = part
    for method in compared.methods:
        compared._controls["left"].value = method
    assert (time.process_time() - start) / (PARTS + len(compared.methods)) < 0.1
