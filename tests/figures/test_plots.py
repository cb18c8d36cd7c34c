"""Costs, ranks, the bilevel toy and the mixed edge: what is drawn is what was given, and the words follow the data."""

import csv
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

from nasbook.analysis import bilevel_toy
from nasbook.figures import bilevel, costs, mixed, ranks, style
from nasbook.runtime import resources
from nasbook.runtime.errors import UsageError
from nasbook.search import first_order, second_order


def lines_of(picture):
    return {line.get_label(): line for line in picture.axes[0].lines}


@pytest.fixture(scope="module")
def trajectories():
    return {"darts": bilevel_toy.run(first_order, steps=60), "darts-2nd": bilevel_toy.run(second_order, 0.5, steps=60)}


def test_the_plane_holds_the_trajectories_the_line_and_the_answer(trajectories):
    picture = bilevel.plane(trajectories)
    lines = lines_of(picture)
    for name, trajectory in trajectories.items():
        line = lines[style.METHODS[name].label]
        np.testing.assert_array_equal(line.get_xdata(), trajectory.alpha)
        np.testing.assert_array_equal(line.get_ydata(), trajectory.w)
        assert line.get_color() == style.METHODS[name].colour
    np.testing.assert_array_equal(lines["w*(α) = α"].get_xdata(), lines["w*(α) = α"].get_ydata())
    assert (*lines["exact answer"].get_xdata(), *lines["exact answer"].get_ydata()) == (1, 1)
    low, high = picture.axes[0].get_xlim()
    assert low < min(t.alpha.min() for t in trajectories.values())
    assert high > max(t.w.max() for t in trajectories.values())
    assert "DARTS, second order comes nearest to the exact answer" in picture.alt


def test_the_contours_are_of_the_validation_loss(trajectories):
    contours = bilevel.plane(trajectories).axes[0].collections[0]
    for level, path in zip(contours.levels, contours.get_paths(), strict=True):
        if len(path.vertices):
            alpha, w = path.vertices.T
            np.testing.assert_allclose(alpha * w - 2 * alpha + 1, level, atol=0.02)


def test_the_plane_stops_where_it_is_told(trajectories):
    lines = lines_of(bilevel.plane(trajectories, until=3))
    assert len(lines[style.METHODS["darts"].label].get_xdata()) == 4


def test_alpha_over_steps(trajectories):
    picture = bilevel.over_steps(trajectories)
    np.testing.assert_array_equal(lines_of(picture)["DARTS, first order"].get_ydata(), trajectories["darts"].alpha)
    assert f"DARTS, first order goes from 2.00 to {trajectories['darts'].alpha[-1]:.2f}" in picture.alt
    with pytest.raises(UsageError, match="no trajectory"):
        bilevel.over_steps({})


def test_a_scatter_shows_and_says_the_rank_correlation():
    x, y = np.arange(10.0), np.arange(10.0)[::-1]
    picture = ranks.scatter(x, y, xlabel="shared (%)", ylabel="alone (%)", kendall=-1.0, spearman=-1.0)
    points = picture.axes[0].lines[0]
    np.testing.assert_array_equal(points.get_xdata(), x)
    np.testing.assert_array_equal(points.get_ydata(), y)
    assert "Kendall's τ = -1.00, Spearman's ρ = -1.00: the two orders are rather opposite" in picture.alt
    assert "The best by shared is number 10 of 10 by alone." in picture.alt
    with pytest.raises(UsageError, match="equally long"):
        ranks.scatter([1, 2], [1], xlabel="x", ylabel="y", kendall=0.0)


def test_best_so_far_is_the_mean_with_its_range():
    runs = {"random": [[1.0, 2.0, 2.0], [3.0, 3.0, 4.0]], "evolution": [[1.0, 5.0, 6.0]]}
    picture = ranks.best_so_far(runs)
    line = lines_of(picture)["random search"]
    np.testing.assert_array_equal(line.get_ydata(), [2.0, 2.5, 3.0])
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
    (band,) = picture.axes[0].collections
    assert (band.get_datalim(picture.axes[0].transData).y0, band.get_datalim(picture.axes[0].transData).y1) == (1, 4)
    assert "random search from 2.0 to 3.0 (2 seeds) and evolution from 1.0 to 6.0 (1 seed)" in picture.alt
    assert picture.alt.endswith("evolution ends highest.")
    with pytest.raises(UsageError, match="shape"):
        ranks.best_so_far({"random": []})


def test_bars_show_means_and_every_seed():
    picture = ranks.bars({"random": [80.0, 82.0], "mine": [85.0]})
    ax = picture.axes[0]
    assert [bar.get_height() for bar in ax.patches] == [81.0, 85.0]
    assert [list(line.get_ydata()) for line in ax.lines] == [[80.0, 82.0], [85.0]]
    assert ax.get_ylim()[0] == 0
    assert "random search 81.0 (2 seeds) and mine 85.0 (1 seed). mine is highest." in picture.alt


@pytest.fixture(scope="module")
def published():
    def number(text):
        return float(text) if text else None

    path = resources.data_folder() / "published_methods.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {
                "name": row["title"],
                "year": int(row["year"]),
                "family": row["family"],
                "error_percent": float(row["error_percent"]),
                "error_std": number(row["error_std"]),
                "gpu_days": number(row["gpu_days"]),
            }
            for row in csv.DictReader(file)
            if row["error_percent"]
        ]


def test_costs_place_every_system_on_a_logarithmic_axis(published):
    rows = [row for row in published if row["gpu_days"] or row["family"] == "human design"]
    picture = costs.cost_error(rows)
    ax = picture.axes[0]
    assert ax.get_xscale() == "log"
    drawn = {(x, y) for box in ax.containers for x, y in zip(*box[0].get_data(), strict=True)}
    assert drawn == {(row["gpu_days"], row["error_percent"]) for row in rows if row["gpu_days"]}
    assert {text.get_text() for text in ax.texts} == {row["name"] for row in rows}
    dear = max((row for row in rows if row["gpu_days"]), key=lambda row: row["gpu_days"])
    assert f"The most costly search is {dear['name']} ({dear['year']})" in picture.alt
    assert f"with {dear['gpu_days']:,g} GPU-days" in picture.alt


def test_labels_of_costs_do_not_cover_each_other(published):
    picture = costs.cost_error([row for row in published if row["gpu_days"]])
    picture.png()
    # An annotation's own extent would take in the line to its point.
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in picture.axes[0].texts]
    for (first, one), (second, other) in combinations(boxes, 2):
        assert not one.overlaps(other), (first, second)


def test_families_differ_in_marker(published):
    ax = costs.cost_error([row for row in published if row["gpu_days"]]).axes[0]
    found = [box[0].get_marker() for box in ax.containers]
    assert len(found) == len(set(found)) >= 3


def test_costs_without_any_cost_are_refused(published):
    with pytest.raises(UsageError, match="No row has GPU-days"):
        costs.cost_error([row for row in published if not row["gpu_days"]])


def test_cost_against_operations():
    picture = costs.against_operations([1, 2, 4], {"mixture": [10, 21, 40]}, ylabel="memory (MiB)")
    lines = lines_of(picture)
    np.testing.assert_array_equal(lines["mixture"].get_ydata(), [10, 21, 40])
    np.testing.assert_array_equal(lines["in proportion to K"].get_ydata(), [10, 20, 40])
    assert "from 1 to 4 (4.0 times): mixture rises from 10.00 to 40.00, 4.0 times" in picture.alt
    with pytest.raises(UsageError, match="at least two"):
        costs.against_operations([1], {"mixture": [1]}, ylabel="s")


def test_lines_go_on_beyond_the_points():
    measured = {"all operations": [12, 22], "one path": [7, 7]}
    fitted = {"all operations": lambda k: 2 + 10 * k, "one path": lambda k: 7.0}
    picture = costs.lines([1, 2], measured, fitted, until=100)
    (axis,) = picture.figure.axes
    (points, line, *_) = axis.get_lines()
    assert list(points.get_ydata()) == [12, 22]
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 100], [12, 1002])
    assert "all operations from 12 to 1,002 MiB and one path from 7 to 7 MiB" in picture.alt
    with pytest.raises(UsageError, match="before the last"):
        costs.lines([1, 2], measured, fitted, until=1)
    with pytest.raises(UsageError, match="one fit for each"):
        costs.lines([1, 2], measured, {}, until=3)


def test_budgets_say_what_fits_where():
    picture = costs.budgets({"all": 5000.0, "one path": 900.0, "huge": 1e6}, {"2 GiB": 2048, "8 GiB": 8192})
    assert "all needs 5,000 MiB and fits from 8 GiB on; one path needs 900 MiB and fits from 2 GiB on" in picture.alt
    assert "huge needs 1,000,000 MiB and fits nowhere" in picture.alt
    (axis,) = picture.figure.axes
    points = [line.get_xdata() for line in axis.get_lines() if line.get_marker() == "o"]
    assert [float(*at) for at in points] == [5000, 900, 1e6]
    assert not axis.patches  # a length on a logarithmic axis means nothing
    with pytest.raises(UsageError, match="at least one need"):
        costs.budgets({}, {"2 GiB": 2048})
    with pytest.raises(UsageError, match="above 0"):
        costs.budgets({"all": 0.0}, {"2 GiB": 2048})


def test_a_mixed_edge_shows_image_outputs_mixture_and_weights():
    generator = np.random.default_rng(0)
    outputs = {name: generator.normal(size=(8, 8)) for name in ("skip_connect", "max_pool_3x3", "sep_conv_3x3")}
    weights = {"skip_connect": 0.1, "max_pool_3x3": 0.1, "sep_conv_3x3": 0.8}
    mixture = sum(weights[name] * output for name, output in outputs.items())
    picture = mixed.edge(generator.random((3, 8, 8)), outputs, weights, mixture)
    panels = [ax for ax in picture.axes if ax.images]
    assert [ax.get_title() for ax in panels] == [
        "image",
        "skip\n× 0.10",
        "max 3×3\n× 0.10",
        "sep 3×3\n× 0.80",
        "mixture",
    ]
    np.testing.assert_array_equal(panels[3].images[0].get_array(), outputs["sep_conv_3x3"])
    np.testing.assert_array_equal(panels[4].images[0].get_array(), mixture)
    assert len({ax.images[0].get_clim() for ax in panels[1:]}) == 1
    assert picture.alt.endswith("The mixture is most like the output of sep 3×3.")
    assert len(picture.png()) < 60_000


def test_weight_bars():
    picture = mixed.weight_bars({"skip_connect": 0.25, "sep_conv_3x3": 0.75})
    ax = picture.axes[0]
    assert [bar.get_width() for bar in ax.patches] == [0.25, 0.75]
    assert [text.get_text() for text in ax.texts] == ["0.25", "0.75"]
    assert "skip 0.25 and sep 3×3 0.75. sep 3×3 has the largest share." in picture.alt


def test_weights_of_other_operations_are_refused():
    with pytest.raises(UsageError, match="the outputs are of noise"):
        mixed.edge(np.ones((4, 4)), {"noise": np.ones((4, 4))}, {"skip_connect": 1.0}, np.ones((4, 4)))
