"""Counts of operations: published cells as their papers print them, and degenerate ones recognised."""

import pytest

from nasbook import spaces
from nasbook.analysis.counts import PARAMETER_FREE, counts
from nasbook.runtime.errors import UsageError
from nasbook.spaces.operations import NAMES, Normalising, build


def test_a_published_cell_has_the_counts_of_its_figure():
    """DARTS, second order (Liu et al. 2019, figures 4 and 5)."""
    found = counts(spaces.get("darts"), spaces.published("DARTS_V2").genotype)
    held = {name: count for name, count in found.operations.items() if count}
    assert held == {"max_pool_3x3": 5, "skip_connect": 5, "sep_conv_3x3": 5, "dil_conv_3x3": 1}
    assert list(found.operations) == list(spaces.get("darts").operations)
    assert found.total == 16
    assert found.parameter_free == 10
    assert found.degenerate == pytest.approx(10 / 16)
    assert str(found) == "max_pool_3x3 5, skip_connect 5, sep_conv_3x3 5, dil_conv_3x3 1"


@pytest.mark.parametrize(("name", "empty"), [("s2", "skip_connect"), ("s3", "skip_connect"), ("s4", "noise")])
def test_collapsed_cells_are_recognised(name, empty):
    space = spaces.get(name, nodes=2, reduction="fixed")

    def cell(*names):
        return space.genotype({"normal": tuple((name, place % 2) for place, name in enumerate(names))})

    conv = "sep_conv_3x3"
    shares = [counts(space, cell(*[empty] * skips, *[conv] * (4 - skips))).degenerate for skips in range(5)]
    assert shares == [0, 0.25, 0.5, 0.75, 1]


def test_the_benchmark_cell_counts_its_six_edges():
    space = spaces.get("nas-bench-201")
    text = "|none~0|+|skip_connect~0|nor_conv_3x3~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|"
    found = counts(space, space.parse(text))
    assert found.total == 6
    assert found.operations["nor_conv_3x3"] == 2
    assert found.degenerate == 0.5


def test_parameter_free_is_what_has_no_parameters():
    for name in NAMES:
        built = build(name, 4, 1, normalising=Normalising(affine=False), pool_norm=False)
        assert (name in PARAMETER_FREE) == (not list(built.parameters())), name


def test_an_architecture_of_another_space_is_refused():
    with pytest.raises(UsageError, match="not in space s2"):
        counts(spaces.get("s2"), spaces.published("DARTS_V2").genotype)
