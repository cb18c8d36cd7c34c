"""What the comparator looks up: the stored numbers of both methods, and what they say together."""

import pytest

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.widgets.comparison import PARTS, ComparatorState, answer, compute
from nasbook.widgets.lens_drawing import draw_view

SPACE = spaces.get("nas-bench-201")


def looked_up(values, left="darts", right="pc-darts", part=PARTS):
    return compute(values, SPACE, ComparatorState(0, left, right, part))


def test_numbers_are_those_of_the_record_at_this_share_of_the_epochs(make_values):
    values = make_values()
    for part in range(1, PARTS + 1):
        for side in looked_up(values, part=part):
            record = values["records"][side.method][part - 1]
            assert side.view.epoch == record["epoch"] == part * len(side.view.numbers) / PARTS
            assert side.supernet == record["valid_accuracy"]
            assert side.derived == record["derived_accuracy"]
            assert side.gap == pytest.approx(record["valid_accuracy"] - record["derived_accuracy"], abs=1e-3)
            assert str(side.view.genotype) == record["genotype"]
            assert side.view.weights == tuple(map(tuple, record["weights"]["normal"]))


def test_curves_have_every_epoch_and_no_training_accuracy(make_values):
    values = make_values()
    short, long = looked_up(values)
    assert (len(short.view.numbers), len(long.view.numbers)) == (8, 16)
    for side in (short, long):
        assert side.view.valid == tuple(values["series"][side.method]["valid_accuracy"])
        assert side.view.derived.values == tuple(values["series"][side.method]["derived_accuracy"])
        drawn = draw_view(side.view)
        assert len(drawn.curves("supernet-")) == len(side.view.numbers) - 1
        assert not drawn.curves("training")
        scores = f"supernet {side.supernet:.1f} %, derived cell {side.derived:.1f} % (validation)"
        assert scores in [box.text for box in drawn.boxes("text-scores")]
        assert "training" not in " ".join(box.text for box in drawn.boxes("text-"))
        assert "in training" not in side.sentence()


def test_a_search_shorter_than_the_parts_shows_its_nearest_record(make_values):
    values = make_values()
    values["records"]["darts"] = values["records"]["darts"][:3]
    epochs = [looked_up(values, part=part)[0].view.epoch for part in range(1, PARTS + 1)]
    assert epochs == [1, 1, 1, 2, 2, 2, 3, 3]


def test_only_a_method_with_edge_weights_shows_them(make_values):
    darts, partial = looked_up(make_values(), part=4)
    record = make_values()["records"]["pc-darts"][3]
    assert darts.view.edge_weights == ()
    assert partial.view.edge_weights == tuple(record["weights"]["normal edges"][0])
    shown = draw_view(partial.view).boxes("edge-weight-")
    assert [box.text for box in shown] == [f"{weight:.2f}" for weight in partial.view.edge_weights]
    assert not draw_view(darts.view).boxes("edge-weight-")
    numbers = draw_view(partial.view).boxes("weight-")
    assert max(box.x + box.width / 2 for box in numbers) < min(box.x - box.width / 2 for box in shown)
    assert f"edge weights {partial.view.edge_weights[0]:.2f} of 0→1" in partial.sentence()


def test_no_edge_is_chosen(make_values):
    drawn = draw_view(looked_up(make_values())[0].view)
    assert not drawn.boxes("chosen")
    assert not [box for box in drawn.boxes("text-edge") if "▸" in box.text]


def test_a_method_that_chooses_after_the_search_has_no_derived_cell_before_and_no_gap(make_values):
    values = make_values()
    early, late = (looked_up(values, left="rsps", part=part)[0] for part in (5, PARTS))
    for side in (early, late):
        assert (side.derived, side.gap, side.view.derived) == (None, None, None)
        assert "gap" not in side.sentence()
    assert early.view.genotype is None
    assert set(early.view.kept) == {None}
    assert "no cell is derived here" in early.sentence()
    assert str(late.view.genotype) == values["cells"]["rsps"]
    names = tuple(late.view.operations[edge][kept] for edge, kept in enumerate(late.view.kept))
    assert names == spaces.read(values["cells"]["rsps"]).operations
    assert not [box for box in draw_view(early.view).boxes("weight-") if "✓" in box.text]
    assert len([box for box in draw_view(late.view).boxes("weight-") if "✓" in box.text]) == 6


def test_after_training_the_cell_stands_beside_a_random_one(make_values):
    values = make_values()
    values["trained"] |= {"darts": 71.5, "random": 74.0}
    side = looked_up(values, part=2)[0]
    assert (side.trained, side.random, side.gain) == (71.5, 74.0, -2.5)
    assert "reaches 71.5 % after training, a random one 74.0 %" in side.sentence()


def test_the_answer_is_the_gap_nearest_to_0_and_the_best_trained_cell(make_values):
    values = make_values()
    for method, gap in (("darts", 30.0), ("gdas", -2.0), ("pc-darts", 10.0), ("rsps", -9.0)):
        values["series"][method]["valid_accuracy"][-1] = 50.0
        values["series"][method]["derived_accuracy"][-1] = 50.0 - gap
    values["trained"] |= {"darts": 60.0, "gdas": 70.0, "pc-darts": 80.0, "rsps": 65.0, "random": 99.0}
    found = answer(values)
    assert (found.least_change, found.best_trained, found.same) == (("gdas",), ("pc-darts",), False)
    values["trained"]["gdas"] = 80.0
    values["series"]["darts"] |= {"valid_accuracy": [30.2], "derived_accuracy": [32.2]}  # -2.0000000000000036
    found = answer(values)
    assert (found.least_change, found.best_trained, found.same) == (("darts", "gdas"), ("gdas", "pc-darts"), True)
    values["series"]["pc-darts"] |= {"valid_accuracy": [31.0], "derived_accuracy": [30.0]}
    assert answer(values).least_change == ("pc-darts",)


@pytest.mark.parametrize(
    "text",
    ["", "seed=0", "seed=0 methods=darts part=8/8", "seed=0 methods=darts,gdas,rsps part=8/8",
     "seed=0 methods=darts,gdas part=8", "seed=0 methods=darts,gdas part=4/9", "seed=-1 methods=darts,gdas part=4/8"],
)  # fmt: skip
def test_what_is_no_state_is_refused(text):
    with pytest.raises(UsageError, match="A state reads like"):
        ComparatorState.parse(text)


def test_a_state_is_read_back():
    state = ComparatorState(3, "drnas-progressive", "pc-darts", 5)
    assert str(state) == "seed=3 methods=drnas-progressive,pc-darts part=5/8"
    assert ComparatorState.parse(str(state)) == state
