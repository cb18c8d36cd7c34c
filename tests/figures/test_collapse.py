from itertools import pairwise

import numpy as np
import pytest

from nasbook.figures import collapse
from nasbook.runtime.errors import UsageError

SCORES = {
    "S2": {"derived": [24.0, 26.0], "convolutions": [66.0, 68.0], "skips": [25.0, 25.0]},
    "S4": {"derived": [10.0, 30.0, 50.0], "convolutions": [70.0, 72.0, 74.0], "skips": [11.0, 12.0, 13.0]},
}


def test_bars_are_means_and_every_run_is_a_dot():
    picture = collapse.by_group(SCORES)
    (axis,) = picture.axes
    heights = sorted(bar.get_height() for bar in axis.patches)
    assert heights == sorted(np.mean(each) for group in SCORES.values() for each in group.values())
    dots = sorted(value for line in axis.lines for value in line.get_ydata())
    assert dots == sorted(value for group in SCORES.values() for each in group.values() for value in each)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["S2", "S4"]
    assert "S2: derived 25.0 (2 runs), convolutions 67.0 (2 runs) and skips 25.0 (2 runs)" in picture.alt
    assert "S4: derived 30.0 (3 runs)" in picture.alt


def test_bars_of_one_group_do_not_overlap():
    (axis,) = collapse.by_group(SCORES).axes
    edges = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in axis.patches)
    assert all(end <= start for (_, end), (start, _) in pairwise(edges))


@pytest.mark.parametrize(
    "scores",
    [{}, {"S2": {}}, {"S2": {"derived": []}}, {"S2": {"derived": [1.0]}, "S4": {"random": [1.0]}}],
)
def test_groups_without_scores_or_of_other_kinds_are_refused(scores):
    with pytest.raises(UsageError, match="same kinds"):
        collapse.by_group(scores)


RUNS = {
    "few": [{"epoch": [1, 2, 3], "skip": [0.5, 0.4, 0.6]}, {"epoch": [1, 2, 3], "skip": [0.5, 0.5, 0.8]}],
    "many": [{"epoch": [1, 2], "skip": [0.4, 0.3]}],
}


def test_a_quantity_stands_over_the_steps_with_its_mean_and_range():
    picture = collapse.over_steps(RUNS, "skip", steps={"few": 10, "many": 100}, ylabel="skip weight")
    (axis,) = picture.axes
    few, many = axis.lines
    assert few.get_xdata().tolist() == [10, 20, 30]
    assert few.get_ydata() == pytest.approx([0.5, 0.45, 0.7])
    assert many.get_xdata().tolist() == [100, 200]
    band = axis.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((0.4, 0.8))
    assert "few (2 runs, 30 steps) rises from 0.50 to 0.70" in picture.alt
    assert "many (1 run, 200 steps) falls from 0.40 to 0.30" in picture.alt


@pytest.mark.parametrize(
    ("runs", "says"),
    [
        ([], "at least one run"),
        ([RUNS["few"][0], RUNS["many"][0]], "the same epochs"),
        ([{"epoch": [1, 2], "skip": [0.4, None]}], "'skip' for each"),
        ([{"epoch": [1, 2]}], "'skip' for each"),
        ([{"epoch": [1, 2], "skip": [0.4]}], "'skip' for each"),
    ],
)
def test_runs_that_do_not_fit_are_refused(runs, says):
    with pytest.raises(UsageError, match=says):
        collapse.over_steps({"few": runs}, "skip", steps={"few": 10}, ylabel="skip weight")
