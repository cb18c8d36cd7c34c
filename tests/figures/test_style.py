"""The look of the book: sizes, palette with fixed meaning, no trace in global settings."""

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import pyplot
from matplotlib.colors import to_rgb

from nasbook import spaces
from nasbook.figures import Picture, style
from nasbook.runtime.errors import UsageError
from nasbook.spaces import operations


def test_every_operation_has_a_mark_of_its_own():
    assert tuple(style.OPERATIONS) == operations.NAMES
    for field in ("label", "marker", "dash"):
        values = [getattr(mark, field) for mark in style.OPERATIONS.values()]
        assert len(set(values)) == len(values), field


@pytest.mark.parametrize("name", spaces.names())
def test_the_operations_of_one_space_differ_in_colour(name):
    colours = [style.operation(each).colour for each in spaces.get(name).operations]
    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("table", [style.OPERATIONS, style.METHODS, style.FAMILIES])
def test_colours_are_never_alone(table):
    assert len({mark.marker for mark in table.values()}) == len(table)
    assert len({mark.label for mark in table.values()}) == len(table)


def test_neighbouring_operations_of_the_spaces_differ_in_lightness_or_dash():
    def lightness(mark):
        return float(np.dot(to_rgb(mark.colour), (0.2126, 0.7152, 0.0722)))

    marks = list(style.OPERATIONS.values())
    for i, first in enumerate(marks):
        for second in marks[i + 1 :]:
            assert abs(lightness(first) - lightness(second)) > 0.05 or first.dash != second.dash


@pytest.mark.parametrize(("size", "inches"), [("single", (5.5, 3.4)), ("wide", (8.0, 3.4)), ("square", (4.2, 4.2))])
def test_sizes(size, inches):
    figure, ax = style.figure(size)
    assert tuple(figure.get_size_inches()) == inches
    assert to_rgb(ax.get_facecolor()) == to_rgb(figure.get_facecolor()) == (1, 1, 1)


def test_a_figure_leaves_global_settings_and_pyplot_alone():
    before = matplotlib.rcParams.copy()
    style.figure("wide", rows=2, columns=3)
    assert matplotlib.rcParams == before
    assert not pyplot.get_fignums()


@style.styled
def a_word() -> bytes:
    figure, ax = style.figure()
    ax.set(title="a_b", xlabel="$x$")
    return Picture(figure, "Two words.").png()


@pytest.mark.parametrize(
    "setting",
    [
        {"text.usetex": True, "text.latex.preamble": r"\usepackage{nothing}"},
        {"savefig.bbox": "tight"},
        {"savefig.dpi": 300, "figure.autolayout": True},
        {"axes.unicode_minus": False, "path.sketch": (1, 100, 2), "xtick.direction": "in"},
    ],
)
def test_a_readers_settings_change_no_picture(setting):
    """Settings such as text.usetex even ask for programs that may be missing."""
    before = a_word()
    with matplotlib.rc_context(setting):
        held = matplotlib.rcParams.copy()
        assert a_word() == before
        assert matplotlib.rcParams == held


def test_a_figure_of_no_size_is_refused():
    with pytest.raises(UsageError, match="single, wide, square, not 'huge'"):
        style.figure("huge")


def test_use_gives_readers_the_same_look():
    with matplotlib.rc_context():
        style.use()
        assert matplotlib.rcParams["savefig.facecolor"] == "white"
        assert tuple(matplotlib.rcParams["figure.figsize"]) == style.SIZES["single"]


def test_marks_keep_known_methods_and_tell_unknown_ones_apart():
    found = style.marks(["evolution", "mine", "yours", "evolution"])
    assert found["evolution"] == style.METHODS["evolution"]
    assert len({mark.colour for mark in found.values()}) == 3
    assert found["mine"].label == "mine"


def test_array_takes_tensors_with_gradients():
    values = style.array(torch.ones(2, 3, requires_grad=True))
    assert values.dtype == np.float64
    assert values.shape == (2, 3)
