"""The supernet microscope, without a browser."""

import time
import xml.etree.ElementTree as ElementTree

import pytest
import torch

from nasbook import spaces
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import EpochEnded, Finished, Started
from nasbook.widgets.lens import State, compute
from nasbook.widgets.lens_drawing import draw_view
from nasbook.widgets.microscope import Microscope
from nasbook.widgets.recordings import Recording


@pytest.fixture
def scope(s3, make_history):
    return Microscope(make_history(s3, 10), make_history(s3, 6, seed=1), space=s3, titles=("first", "second"))


def test_compute_gives_the_records_numbers(s3, make_history):
    records = make_history(s3, 5)
    view = compute(Recording("run", s3, records), State(3, "normal", 4))
    assert (view.epoch, view.numbers) == (3, (1, 2, 3, 4, 5))
    assert view.valid[view.at] == records[2]["valid_accuracy"]
    assert view.edges == ("0→2", "1→2", "0→3", "1→3", "2→3")
    assert [each.weight for each in view.chosen] == records[2]["weights"]["normal"][4]
    alpha = torch.tensor([each.alpha for each in view.chosen])
    assert torch.allclose(alpha.softmax(0), torch.tensor([each.weight for each in view.chosen]))


def test_what_is_ticked_is_what_the_derived_cell_holds(s3, make_history):
    view = compute(Recording("run", s3, make_history(s3, 5)), State(5, "normal", 0))
    held = {
        (s3.normal.edges[edge], view.operations[edge][kept]) for edge, kept in enumerate(view.kept) if kept is not None
    }
    assert held == {((source, target), name) for source, target, name in view.genotype.edges("normal")}
    assert "none" not in {name for _, name in held}
    ticked = [box for box in draw_view(view).boxes("weight-") if "✓" in box.text]
    assert len(ticked) == len(held) == 4


def test_each_edge_and_operation_has_its_number_in_the_drawing(darts, make_history):
    view = compute(Recording("run", darts, make_history(darts, 2)), State(2, "reduce", 13))
    boxes = {box.key: box for box in draw_view(view).boxes("weight-")}
    assert len(boxes) == 14 * 8
    assert all(f"{view.weights[edge][column]:.2f}" in boxes[f"weight-{edge}-{column}"].text
               for edge in range(14) for column in range(8))  # fmt: skip


def test_the_cursor_stands_at_the_epoch(s3, make_history):
    run = Recording("run", s3, make_history(s3, 9))
    places = [draw_view(compute(run, State(epoch))).curves("cursor")[0].points[0][0] for epoch in (1, 5, 9)]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1])
    assert places[0] < places[1]


def test_where_edges_have_lists_of_their_own_each_number_names_its_operation(make_history):
    s1 = spaces.get("s1", nodes=2, reduction="fixed")
    view = compute(Recording("run", s1, make_history(s1, 1)), State())
    words = [box.text for box in draw_view(view).boxes("weight-1-")]
    assert ["skip" in words[0], "dil 5×5" in words[1]] == [True, True]


def test_it_opens_at_the_last_epoch_and_steps(scope):
    assert scope.state() == "epoch=10 group=normal edge=0"
    back, step = scope.children[0].children[:2]
    back.click()
    assert [view.epoch for view in scope.views()] == [9, 6]  # the shorter run stays at its last epoch
    step.click()
    step.click()
    assert scope.epoch == 10


def test_a_state_comes_back(scope, s3, make_history):
    scope.epoch, scope.edge = 4, 3
    other = Microscope(make_history(s3, 10), space=s3, state=scope.state())
    assert (other.epoch, other.group, other.edge) == (4, "normal", 3)


@pytest.mark.parametrize(
    "text", ["", "epoch=4", "epoch=0 group=normal edge=0", "epoch=11 group=normal edge=0",
             "epoch=1 group=reduce edge=0", "epoch=1 group=normal edge=5"],
)  # fmt: skip
def test_a_state_that_is_not_there_is_refused_and_changes_nothing(scope, text):
    before = scope.state()
    with pytest.raises(UsageError):
        scope.restore(text)
    assert scope.state() == before


def test_a_state_may_be_pasted_and_a_wrong_one_is_explained(scope):
    scope._text.value = "epoch=2 group=normal edge=1"
    assert (scope.epoch, scope.edge, scope._note.value) == (2, 1, "")
    scope._text.value = "here"
    assert "A state reads like" in scope._note.value
    assert scope.epoch == 2


def test_both_ends_of_every_control(scope, darts, make_history):
    for epoch in (scope._slider.min, scope._slider.max):
        scope._slider.value = epoch
        assert f"first: epoch {epoch} of 10" in scope._shown.value
    for edge in (0, 4):
        scope._edge.value = edge
        assert scope.views()[0].edge == edge
    both = Microscope(make_history(darts, 2), space=darts)
    both._group.value = "reduce"
    both._edge.value = 13
    assert both.state() == "epoch=2 group=reduce edge=13"
    assert "edge 4→5 of the reduce cell" in both._shown.value


def test_traits_stay_in_range(scope):
    scope.epoch, scope.edge, scope.group = 99, 99, "reduce"
    assert scope.state() == "epoch=10 group=normal edge=4"


def test_the_shown_drawings_are_well_formed_and_described(scope):
    drawings = [f"<svg{part.partition('</svg>')[0]}</svg>" for part in scope._shown.value.split("<svg")[1:]]
    labels = [ElementTree.fromstring(text).get("aria-label") for text in drawings]
    assert len(labels) == 4
    assert labels[2:] == [view.sentence() for view in scope.views()]  # after the cells


def test_the_numbers_of_the_chosen_edge_are_shown_for_both_runs(scope):
    scope.epoch = 3
    for view in scope.views():
        for operation in view.chosen:
            assert f"<td>{operation.alpha:+.4f}</td><td>{operation.weight:.4f}</td>" in scope._shown.value


def test_it_listens_to_searches_and_follows_them(s3, make_history):
    scope = Microscope(space=s3)
    for seed in (0, 1, 2):
        scope(Started("search", 3, 0))
        assert "no epoch is done yet" in scope._shown.value
        for record in make_history(s3, 3, seed=seed):
            scope(EpochEnded("search", record["epoch"], 3, record))
        scope(Finished("search", 1.0))
        scope(Started("train", 8, 0))
        scope(EpochEnded("train", 1, 8, {"train_loss": 1.0}))
    assert [run.title for run in scope.recordings] == ["run 2", "run 3"]
    assert scope.recordings[1].records == make_history(s3, 3, seed=2)
    assert scope.epoch == 3


def test_a_reader_who_looks_back_is_not_pulled_on(s3, make_history):
    scope = Microscope(space=s3)
    scope(Started("search", 5, 0))
    records = make_history(s3, 5)
    for record in records[:3]:
        scope(EpochEnded("search", record["epoch"], 5, record))
    scope.epoch = 1
    scope(EpochEnded("search", 4, 5, records[3]))
    assert scope.epoch == 1


def test_a_resumed_search_keeps_its_epoch_numbers(s3, make_history):
    scope = Microscope(space=s3)
    scope(Started("search", 9, 6))
    for record in make_history(s3, 2, first=7):
        scope(EpochEnded("search", record["epoch"], 9, record))
    assert "epoch 8 of 8" in scope._shown.value


def test_without_a_kernel_it_is_a_picture_with_words(scope, alt_of):
    scope.epoch = 2
    data = scope._repr_mimebundle_()
    assert data["text/plain"] == alt_of(data)
    assert "first, epoch 2 of 10" in data["text/plain"]
    assert "second, epoch 2 of 6" in data["text/plain"]
    assert len(Microscope(space=scope.space).figure().png()) > 1000


def test_an_epoch_seen_before_is_redrawn_in_a_tenth_of_a_second(darts, make_history):
    scope = Microscope(make_history(darts, 6), make_history(darts, 6, seed=1), space=darts)
    for epoch in range(1, 7):
        scope.epoch = epoch
    start = time.process_time()
    for epoch in range(1, 7):
        scope.epoch = epoch
    assert (time.process_time() - start) / 6 < 0.1


def with_tracks(records):
    """The same records, with what instruments add: an eigenvalue in every second epoch only."""
    return [
        {
            **record,
            "eigenvalue": 0.25 * record["epoch"] if record["epoch"] % 2 else None,
            "skip_weight": 0.3 + 0.05 * record["epoch"],
            "derived_accuracy": 10.0 + record["epoch"],
        }
        for record in records
    ]


def test_records_without_instruments_have_no_tracks(s3, make_history):
    records = make_history(s3, 5)
    view = compute(Recording("run", s3, records), State(4))
    assert (view.derived, view.tracks) == (None, ())
    empty = [{**record, "eigenvalue": None, "skip_weight": float("nan")} for record in records]
    assert compute(Recording("run", s3, empty), State(4)) == view
    tracked = compute(Recording("run", s3, with_tracks(records)), State(4))
    plain, drawn = draw_view(view), draw_view(tracked)
    assert not plain.curves("eigenvalue") + plain.curves("skip_weight") + plain.curves("derived")
    assert drawn.height - plain.height == 2 * 54
    for box in plain.boxes("weight-"):  # the table moves down and is the same
        (moved,) = [each for each in drawn.boxes(box.key) if each.key == box.key]
        assert (moved.y - box.y, moved.x, moved.text) == (108, box.x, box.text)
    assert "Recorded besides" not in view.sentence()


def test_tracks_hold_the_recorded_numbers(s3, make_history):
    view = compute(Recording("run", s3, with_tracks(make_history(s3, 5))), State(3))
    eigenvalue, skip = view.tracks
    assert (eigenvalue.label, eigenvalue.values) == ("eigenvalue", (0.25, None, 0.75, None, 1.25))
    assert (skip.label, skip.values) == ("skip weight", pytest.approx((0.35, 0.40, 0.45, 0.50, 0.55)))
    assert view.derived.values == (11.0, 12.0, 13.0, 14.0, 15.0)
    assert "Recorded besides: derived cell with shared weights 13.0 %, eigenvalue 0.75, skip weight 0.45." in (
        view.sentence()
    )


def test_tracks_are_drawn_to_scale_under_the_chart(s3, make_history):
    drawn = draw_view(compute(Recording("run", s3, with_tracks(make_history(s3, 5))), State(5)))
    steps = drawn.curves("skip_weight-")
    line = [curve for curve in steps if not curve.key.startswith("skip_weight-grid")]
    assert len(line) == 4
    rises = [curve.points[0][1] - curve.points[3][1] for curve in line]
    assert rises == pytest.approx([36 * 0.05 / 0.55] * 4)
    # gaps in what was recorded are gaps in the line, and its spot stands at the last value
    assert not [curve for curve in drawn.curves("eigenvalue-") if "grid" not in curve.key]
    (spot,) = drawn.boxes("eigenvalue-spot")
    (cursor,) = drawn.curves("cursor")
    assert spot.x == cursor.points[0][0]
    texts = {box.key: box.text for box in drawn.boxes("text-")}
    assert (texts["text-eigenvalue-value"], texts["text-skip_weight-value"]) == ("1.25", "0.55")
    assert texts["text-scores"].endswith("training 35.0 %, derived cell 15.0 %")
    table = min(box.y for box in drawn.boxes("weight-"))
    assert cursor.points[3][1] < table
    assert max(box.y for box in drawn.boxes("skip_weight-spot")) < cursor.points[3][1]
    assert max(box.y for box in drawn.boxes("validation-spot")) < spot.y


def test_an_epoch_that_lacks_a_value_says_so(s3, make_history):
    view = compute(Recording("run", s3, with_tracks(make_history(s3, 4))), State(2))
    drawn = draw_view(view)
    assert not drawn.boxes("eigenvalue-spot")
    (text,) = drawn.boxes("text-eigenvalue-value")
    assert text.text == "–"
    assert "eigenvalue" not in view.sentence()


def test_a_negative_eigenvalue_stays_in_its_track(s3, make_history):
    records = [{**record, "eigenvalue": 0.5 - record["epoch"]} for record in make_history(s3, 3)]
    drawn = draw_view(compute(Recording("run", s3, records), State(3)))
    low, high = (float(box.text) for box in drawn.boxes("text-eigenvalue-tick"))
    assert (low, high) == (-2.5, 0.0)
    ys = {box.key: box.y for box in drawn.boxes("text-eigenvalue-tick")}
    (spot,) = drawn.boxes("eigenvalue-spot")
    assert spot.y == max(ys.values())


def test_labels_keep_apart(s3, make_history):
    records = [
        {**record, "train_accuracy": 40.0, "valid_accuracy": 40.0, "derived_accuracy": 40.0}
        for record in make_history(s3, 2)
    ]
    drawn = draw_view(compute(Recording("run", s3, records), State(2)))
    heights = sorted(
        box.y for name in ("training", "validation", "derived") for box in drawn.boxes(f"text-{name}-label")
    )
    assert len(heights) == 3
    assert min(heights[1] - heights[0], heights[2] - heights[1]) > 10


def test_runs_with_and_without_tracks_stand_side_by_side(s3, make_history):
    scope = Microscope(with_tracks(make_history(s3, 4)), make_history(s3, 4), space=s3, titles=("with", "without"))
    assert scope._shown.value.count("skip weight</text>") == 1
    assert "skip weight 0.5" in scope.figure().alt
    live = Microscope(space=s3)
    live(Started("search", 2, 0))
    for record in with_tracks(make_history(s3, 2)):
        live(EpochEnded("search", record["epoch"], 2, record))
    assert "skip weight</text>" in live._shown.value


def test_edge_weights_stand_in_a_column_of_their_own_and_in_words(darts, make_history):
    records = make_history(darts, 2)
    for group in ("normal", "reduce"):
        records[1]["weights"][f"{group} edges"] = [[round(0.01 * (edge + len(group)), 2) for edge in range(14)]]
    run = Recording("run", darts, records)
    view = compute(run, State(2, "reduce", 3))
    assert view.edge_weights == tuple(records[1]["weights"]["reduce edges"][0])
    assert "edge weights 0.06 of 0→2, 0.07 of 1→2" in view.sentence()
    drawn = draw_view(view)
    column = drawn.boxes("edge-weight-")
    assert [box.text for box in column] == [f"{weight:.2f}" for weight in view.edge_weights]
    assert {box.key: box.y for box in drawn.boxes("weight-")}["weight-9-0"] == column[9].y
    assert not [box for box in drawn.boxes("weight-") if any(box.overlaps(other) for other in column)]
    before = compute(run, State(1, "reduce", 3))
    assert before.edge_weights == ()
    assert not draw_view(before).boxes("edge-weight-")
    assert "edge weight" not in before.sentence()


def test_what_it_cannot_show_is_refused(s3, darts, make_history):
    run = make_history(s3, 1)
    with pytest.raises(UsageError, match="one run or two"):
        Microscope(run, run, run, space=s3)
    with pytest.raises(UsageError, match="one space"):
        Microscope(Recording("a", s3, run), Recording("b", darts))
    with pytest.raises(UsageError, match="give space="):
        Microscope()


def test_it_shows_searches_of_nas_bench_201(make_history):
    space = spaces.get("nas-bench-201")
    records = make_history(space, 4)
    scope = Microscope(records, space=space, state="epoch=3 group=normal edge=5")
    (view,) = scope.views()
    names = spaces.read(records[2]["genotype"]).operations
    assert view.edges == ("0→1", "0→2", "1→2", "0→3", "1→3", "2→3")
    assert tuple(view.operations[edge][kept] for edge, kept in enumerate(view.kept)) == names
    assert view.sentence().endswith(f"has {', '.join(f'{name} on {e}' for name, e in zip(names, view.edges))}.")
    assert "edge 2→3 of the normal cell" in scope._shown.value
    assert len([box for box in draw_view(view).boxes("weight-") if "✓" in box.text]) == 6
    assert len(scope.figure().png()) > 1000


def test_spaces_without_operations_on_edges_are_refused():
    with pytest.raises(UsageError, match="nas-bench-1shot1-1 they stand on nodes"):
        Microscope(space=spaces.get("nas-bench-1shot1-1"))
