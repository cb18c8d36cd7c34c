"""Pictures of selections by perturbation: their artists hold the data, and their sentences say it."""

import numpy as np
import pytest
from scipy import stats

from nasbook.figures import selection
from nasbook.runtime.errors import UsageError

OPERATION = {
    "kind": "operation",
    "group": "normal",
    "where": "0→2",
    "options": ["skip_connect", "sep_conv_3x3"],
    "weights": [0.7, 0.3],
    "losses": [1.2, 1.9],
    "accuracies": [48.0, 31.0],
    "kept": ["sep_conv_3x3"],
    "before": 50.0,
    "after": 45.0,
}
EDGES = {
    "kind": "edges",
    "group": "normal",
    "where": "node 3",
    "options": ["0→3", "1→3", "2→3"],
    "weights": [1.0, 1.0, 1.0],
    "losses": [1.5, 1.2, 1.8],
    "accuracies": [40.0, 47.0, 30.0],
    "kept": ["0→3", "2→3"],
    "before": 47.0,
    "after": 46.0,
}
RECORDS = [{"decisions": [OPERATION], "valid_accuracy": 47.0}, {"decisions": [EDGES], "valid_accuracy": 46.0}]


def texts(axis):
    return [each.get_text() for each in axis.texts]


def test_a_decision_shows_weights_accuracies_the_kept_and_the_favourite():
    picture = selection.decision(OPERATION)
    weights, without = picture.axes
    assert [bar.get_width() for bar in weights.patches] == OPERATION["weights"]
    assert [bar.get_width() for bar in without.patches] == OPERATION["accuracies"]
    assert [label.get_text() for label in weights.get_yticklabels()] == ["skip", "sep 3×3"]
    (favourite,) = weights.lines
    assert (favourite.get_xdata()[0], favourite.get_ydata()[0]) == (0.7, 0)
    (before,) = without.lines
    assert set(before.get_xdata()) == {50.0}
    (kept,) = without.texts
    assert (kept.get_text().strip(), kept.get_position()) == ("kept", (31.0, 1))
    assert (
        "on 0→2: the supernet reaches 50.0 %, and without skip 48.0 % (weight 0.70) and sep 3×3 31.0 %" in picture.alt
    )
    assert "Kept: sep 3×3, after which it reaches 45.0 %. The largest weight is that of skip." in picture.alt


def test_edges_have_no_favourite():
    picture = selection.decision(EDGES)
    weights, without = picture.axes
    assert not weights.lines
    assert sorted(each.get_position()[1] for each in without.texts) == [0, 2]
    assert "Kept: 0→3 and 2→3" in picture.alt
    assert "largest weight" not in picture.alt


def test_the_log_has_a_row_for_each_decision_and_a_frame_for_what_is_kept():
    picture = selection.log(RECORDS)
    table, course = picture.axes
    assert texts(table) == ["▲ skip -2.0", "sep 3×3 -19.0", "0→3 -7.0", "1→3 +0.0", "2→3 -17.0"]
    framed = [(patch.get_x(), round(patch.get_y() + 0.42)) for patch in table.patches if not patch.get_fill()]
    assert framed == [(1, 0), (0, 1), (2, 1)]
    paints = {each.get_facecolor() for each in table.patches if each.get_fill()}
    assert len(paints) == 5
    assert [label.get_text() for label in table.get_yticklabels()] == ["0→2", "node 3"]
    before, after, *_ = course.lines
    assert [list(line.get_xdata()) for line in (before, after)] == [[50.0, 47.0], [45.0, 46.0]]
    assert "2 decisions" in picture.alt
    assert "In 1 of them the largest weight is not kept. The supernet falls from 50.0 to 46.0 %." in picture.alt


def test_a_log_without_a_decision_is_refused():
    for draw in (selection.log, lambda records: selection.over_decisions({"one": records})):
        with pytest.raises(UsageError, match="no decision to draw"):
            draw([])
    with pytest.raises(UsageError, match="no decision to draw"):
        selection.over_decisions({})


MEASURED = {
    "S1": {"DARTS": [40.0, 50.0, 45.0], "PT": [30.0, 31.0, 29.0]},
    "S2": {"DARTS": [70.0, 70.0, 73.0], "PT": [30.0, 36.0, 33.0]},
}


def test_every_space_has_means_with_their_interval_and_what_is_published():
    picture = selection.per_space(MEASURED, {"S1": {"DARTS": 3.84, "PT": 3.5}})
    first, second, published, none = picture.axes
    dots, whisker, mean, *_ = first.lines
    assert list(dots.get_xdata()) == MEASURED["S1"]["DARTS"]
    half = stats.t.ppf(0.975, 2) * np.std(MEASURED["S1"]["DARTS"], ddof=1) / 3**0.5
    assert list(whisker.get_xdata()) == pytest.approx([45 - half, 45 + half])
    assert mean.get_xdata()[0] == pytest.approx(45.0)
    assert [axis.get_title() for axis in (first, second)] == ["S1", "S2"]
    assert [line.get_xdata()[0] for line in published.lines] == [3.84, 3.5]
    assert texts(none) == ["none"]
    assert f"S1 (3 seeds): DARTS 45.0 ± {half:.1f} and PT 30.0" in picture.alt
    assert "Published in S1: DARTS 3.84 and PT 3.50. None is published in S2." in picture.alt
    assert len(selection.per_space({"S1": {"DARTS": [40.0]}}).axes[0].lines) == 2  # one seed has no interval


@pytest.mark.parametrize("measured", [{}, {"S1": {"a": []}}, {"S1": {"a": [1.0]}, "S2": {"b": [1.0]}}])
def test_spaces_without_the_same_methods_are_refused(measured):
    with pytest.raises(UsageError, match="the same methods"):
        selection.per_space(measured)


RUNS = [
    {"magnitude": [[3, [60.0, 62.0]], [6, [40.0, 40.0]]], "perturbation": [[3, [70.0]], [6, [72.0]]]},
    {"magnitude": [[3, [63.0]], [6, [50.0]]], "perturbation": [[3, [74.0]], [6, [70.0]]]},
]


def test_both_rules_are_drawn_over_the_search():
    picture = selection.over_search(RUNS)
    (axis,) = picture.axes
    curves = {line.get_label(): list(line.get_ydata()) for line in axis.lines if not line.get_label().startswith("_")}
    assert curves == {"magnitude": [62.0, 45.0], "perturbation": [72.0, 71.0]}
    assert "over 2 seeds" in picture.alt
    assert "by magnitude falls from 62.0 to 45.0 % and by perturbation falls from 72.0 to 71.0 %" in picture.alt
    other = {**RUNS[0], "magnitude": RUNS[0]["magnitude"][:1]}
    for runs in ([], [RUNS[0], other]):
        with pytest.raises(UsageError, match="the same epochs"):
            selection.over_search(runs)


def test_the_supernet_is_drawn_before_and_after_each_decision():
    picture = selection.over_decisions({"tuned": RECORDS, "not tuned": RECORDS[:1]})
    (axis,) = picture.axes
    tuned, plain = axis.lines
    assert list(tuned.get_ydata()) == [50.0, 45.0, 47.0, 46.0]
    assert list(plain.get_ydata()) == [50.0, 45.0]
    assert picture.alt == (
        "The supernet over the decisions: tuned falls from 50.0 to 46.0 % and not tuned falls from 50.0 to 45.0 %."
    )


def test_pictures_stay_small():
    pictures = [selection.decision(EDGES), selection.log(RECORDS), selection.per_space(MEASURED, {})]
    assert all(1000 < len(each.png()) < 60_000 for each in [*pictures, selection.over_search(RUNS)])
