"""Pictures of a search show its history's numbers, in the operations' colours, and say the trend."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from nasbook import spaces
from nasbook.figures import searches, style
from nasbook.runtime.errors import UsageError

SPACE = spaces.get("s2", nodes=2, reduction="fixed")


def make_history(space, epochs=6):
    """A search in which the first operation of every edge takes over."""
    history = []
    for epoch in range(1, epochs + 1):
        alpha = {name: torch.zeros(group.shape) for name, group in space.groups.items()}
        for value in alpha.values():
            value[:, 0] = 0.5 * (epoch - 1)
        history.append(
            {
                "epoch": epoch,
                "train_loss": 2.3 / epoch,
                "valid_loss": 2.4 / epoch,
                "train_accuracy": 10.0 * epoch,
                "valid_accuracy": 9.0 * epoch,
                "alpha": {name: value.tolist() for name, value in alpha.items()},
                "weights": {name: value.softmax(-1).tolist() for name, value in alpha.items()},
            }
        )
    return history


def test_curves_hold_the_recorded_numbers():
    history = make_history(SPACE)
    picture = searches.curves(history)
    train, valid = picture.axes[0].lines
    np.testing.assert_array_equal(train.get_xdata(), range(1, 7))
    np.testing.assert_array_equal(train.get_ydata(), [record["train_accuracy"] for record in history])
    np.testing.assert_array_equal(valid.get_ydata(), [record["valid_accuracy"] for record in history])
    assert picture.axes[0].get_ylabel() == "supernet's accuracy (%)"
    assert "on the training half it rises from 10.0 to 60.0 %" in picture.alt
    assert "on the validation half it rises from 9.0 to 54.0 %" in picture.alt
    assert "6.0 % apart" in picture.alt
    assert train.get_linestyle() != valid.get_linestyle()


def test_curves_of_the_loss_are_in_nats():
    picture = searches.curves(make_history(SPACE), "loss")
    assert picture.axes[0].get_ylabel() == "supernet's loss (nats)"
    assert "falls from 2.30 to 0.38 nats" in picture.alt


@pytest.mark.parametrize("name", ["s2", "s1", "darts"])
def test_heat_maps_hold_every_weight(name):
    space = spaces.get(name, nodes=3)
    history = make_history(space)
    picture = searches.weights_over_epochs(history, space, "reduce")
    panels = [ax for ax in picture.axes if ax.images]
    assert len(panels) == len(space.reduce.edges)
    for index, ax in enumerate(panels):
        shown = np.array(ax.images[0].get_array())
        expected = np.array([record["weights"]["reduce"][index] for record in history]).T
        np.testing.assert_allclose(shown, expected)
        assert ax.get_title() == "{}→{}".format(*space.reduce.edges[index])
        assert ax.images[0].get_clim() == (0, 1)
    labels = [text.get_text() for text in panels[0].get_yticklabels()]
    assert labels == [style.operation(each).label for each in space.reduce.operations[0]]
    assert f"one heat map for each of {len(panels)} edges" in picture.alt


def test_alphas_have_a_map_centred_at_zero():
    picture = searches.weights_over_epochs(make_history(SPACE), SPACE, what="alpha")
    low, high = picture.axes[0].images[0].get_clim()
    assert low == -high == -2.5
    assert picture.axes[0].images[0].get_cmap().name == style.DIVERGING


def test_bars_are_as_high_as_the_weights_and_keep_their_colours():
    weights = make_history(SPACE)[-1]["weights"]["normal"]
    picture = searches.bars(weights, SPACE)
    heights = {
        (to_hex(bar.get_facecolor()), round(bar.get_x() + bar.get_width() / 2)): bar.get_height()
        for bar in picture.axes[0].patches
    }
    for edge, names in enumerate(SPACE.normal.operations):
        for column, name in enumerate(names):
            assert heights[style.operation(name).colour.lower(), edge] == weights[edge][column]
    assert [text.get_text() for text in picture.axes[0].get_xticklabels()] == ["0→2", "1→2", "0→3", "1→3", "2→3"]
    assert f"skip on 0 to 2 ({weights[0][0]:.2f})" in picture.alt


def test_mean_weights_average_over_the_edges_that_have_the_operation():
    space = spaces.get("s1", nodes=2)
    history = make_history(space)
    picture = searches.mean_weights(history, space)
    lines = {line.get_label(): line.get_ydata() for line in picture.axes[0].lines}
    values = np.array([record["weights"]["normal"] for record in history])
    cell = space.normal
    for name in {each for names in cell.operations for each in names}:
        picked = [(edge, names.index(name)) for edge, names in enumerate(cell.operations) if name in names]
        expected = np.mean([values[:, edge, column] for edge, column in picked], axis=0)
        np.testing.assert_allclose(lines[style.operation(name).label], expected)
    assert "skip rises from 0.50" in picture.alt


@pytest.mark.parametrize("name", ["nas-bench-201", "nas-bench-1shot1-1"])
def test_groups_of_every_family_are_drawn(name):
    space = spaces.get(name)
    history = make_history(space)
    for kind, group in space.groups.items():
        last = history[-1]["weights"][kind]
        maps = searches.weights_over_epochs(history, space, kind)
        assert [ax.get_title() for ax in maps.axes if ax.images] == list(group.rows)
        bars = searches.bars(last, space, kind)
        assert [text.get_text() for text in bars.axes[0].get_xticklabels()] == list(group.rows)
        heights = sorted(bar.get_height() for bar in bars.axes[0].patches)
        assert heights == sorted(weight for row in last for weight in row)
        lines = {
            line.get_label(): line.get_ydata() for line in searches.mean_weights(history, space, kind).axes[0].lines
        }
        assert len(lines) == group.shape[1]
        first = style.OPERATIONS[group.operations[0][0]].label if kind in ("normal", "operations") else "input"
        np.testing.assert_allclose(lines[first], [np.mean(record["weights"][kind], axis=0)[0] for record in history])
        assert f"of the {'normal cell' if kind == 'normal' else f'group {kind!r}'} over" in maps.alt


def test_the_rows_of_a_cell_are_edges_in_words():
    space = spaces.get("nas-bench-201")
    weights = make_history(space)[-1]["weights"]["normal"]
    picture = searches.bars(weights, space)
    assert picture.axes[0].get_xlabel() == "edge"
    assert f"none on 0 to 1 ({weights[0][0]:.2f}), none on 0 to 2" in picture.alt
    other = spaces.get("nas-bench-1shot1-1")
    picture = searches.bars(make_history(other)[-1]["weights"]["output"], other, "output")
    assert "as bars for each row. The largest: input on output" in picture.alt


def test_what_cannot_be_drawn_is_refused():
    history = make_history(SPACE)
    with pytest.raises(UsageError, match="no finished epoch"):
        searches.curves([])
    with pytest.raises(UsageError, match="accuracy, not 'speed'"):
        searches.curves(history, "speed")
    with pytest.raises(UsageError, match="no searched group 'reduce'; it has normal"):
        searches.mean_weights(history, SPACE, "reduce")
    with pytest.raises(UsageError, match="this history has"):
        searches.mean_weights(history, spaces.get("s3", nodes=2))
    with pytest.raises(UsageError, match="weights and alpha, not 'beta'"):
        searches.weights_over_epochs(history, SPACE, what="beta")
    with pytest.raises(UsageError, match=r"shape \(5, 2\), not \(1, 2\)"):
        searches.bars([[0.5, 0.5]], SPACE)


def test_one_epoch_is_enough():
    history = make_history(SPACE, epochs=1)
    assert "1 epoch:" in searches.curves(history).alt
    assert "stays at 0.50" in searches.mean_weights(history, SPACE).alt


def test_the_largest_picture_is_small():
    space = spaces.get("darts")
    assert len(searches.weights_over_epochs(make_history(space, 20), space).png()) < 60_000


def test_pictures_share_a_figure():
    figure, axes = style.figure("wide", columns=2)
    history = make_history(SPACE)
    for ax, measure in zip(axes, ("accuracy", "loss"), strict=True):
        assert searches.curves(history, measure, ax=ax).figure is figure
