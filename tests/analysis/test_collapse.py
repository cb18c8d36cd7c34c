import json

import pytest

from nasbook import spaces
from nasbook.analysis import collapse
from nasbook.analysis.collapse import Setting, control_cells, early, late, stop, study, summary
from nasbook.runtime.errors import UsageError
from nasbook.runtime.events import EpochEnded
from nasbook.search import early_stopping

TINY = {
    "space": "s2",
    "numbers": {"epochs": 2, "images": 256, "batch": 32, "channels": 4, "layers": 3},
    "train_numbers": {"epochs": 1, "images": 128, "channels": 4, "layers": 3},
    "retrain_at": [1],
    "retrainings": 2,
    "early_stop": 1.3,
}


class Killed(Exception):
    pass


def killed_after(epochs):
    """A listener that ends everything after so many epochs of whatever runs."""
    seen = []

    def listen(event):
        if isinstance(event, EpochEnded):
            seen.append(event)
            if len(seen) == epochs:
                raise Killed

    return listen


@pytest.fixture(scope="module")
def whole():
    return study(3, TINY)


def test_a_study_holds_series_controls_and_numbers(whole):
    assert whole["search"]["epoch"] == whole["frozen"]["epoch"] == [1, 2]
    assert [epoch for epoch, _ in whole["retrained"]] == [1, 2]
    assert len(whole["final"]) == 2
    assert set(whole["trained"]) == {"convolutions", "empty", "random"}
    json.dumps(whole, allow_nan=False)


def test_frozen_alpha_stays_where_it_started(whole):
    assert whole["frozen"]["weights"][0] == whole["frozen"]["weights"][1]
    assert whole["search"]["weights"][0] != whole["search"]["weights"][1]


def test_a_killed_study_goes_on_to_the_same_numbers(whole, tmp_path):
    for epochs in (1, 2, 3):
        with pytest.raises(Killed):
            study(3, TINY, folder=tmp_path, listeners=[killed_after(epochs)])
    assert study(3, TINY, folder=tmp_path) == whole


def test_more_images_than_are_shipped_are_drawn(monkeypatch):
    asked = []
    real = collapse.street_numbers.fresh
    monkeypatch.setattr(
        collapse.street_numbers, "fresh", lambda count, seed: asked.append(count) or real(64, seed=seed)
    )
    runner = collapse._Runner(Setting("s2", {"images": 5000}), 0, "class", "cpu", None, ())
    assert len(runner._data().train) == 64
    assert asked == [5000]


def test_no_images_are_drawn_for_a_real_data_set(monkeypatch):
    """The drawn digits must not stand in for photographs."""
    real = collapse.replace(collapse.datasets.load("street_numbers"), name="cifar10")
    monkeypatch.setattr(collapse.datasets, "load", lambda name: real)
    with pytest.raises(UsageError, match="cifar10 has 4000, and no more can be drawn"):
        study(0, {"space": "s2", "numbers": {"images": 5000}})


def test_numbers_of_a_seed_by_hand():
    """Ten epochs: `late` is the mean of the last two, `early` the first."""
    genotype = str(
        spaces.get("s2", nodes=2, reduction="fixed").genotype(
            {"normal": (("skip_connect", 0), ("skip_connect", 1), ("skip_connect", 0), ("sep_conv_3x3", 1))}
        )
    )
    rising = [float(value) for value in range(1, 11)]
    searched = {
        "epoch": list(range(1, 11)),
        "valid_accuracy": rising,
        "eigenvalue": rising,
        "mixing_eigenvalue": rising,
        "skip_weight": [0.5, 0.3, *[0.4] * 7, 0.6],
        "derived_accuracy": [20.0, *[30.0] * 8, 12.0],
        "genotype": [genotype] * 10,
    }
    frozen = {"eigenvalue": [2.0] * 10, "mixing_eigenvalue": [4.75] * 10}
    result = {
        "search": searched,
        "frozen": frozen,
        "retrained": [[5, 60.0], [10, 25.0]],
        "final": [20.0, 30.0],
        "stopped": 4,
        "of_stopped": 55.0,
        "trained": {"convolutions": 66.0, "empty": 24.0, "random": 60.0},
    }
    values = summary(result, Setting("s2"))
    assert values["empty_share"] == 0.75
    assert values["skips"] == 3
    assert values["supernet"] == 9.5
    assert values["supernet_rise"] == 9.0
    assert values["gap"] == -2.0
    assert values["one_hot_fall"] == 18.0
    assert values["eigenvalue_growth"] == 9.5
    assert values["frozen_eigenvalue_growth"] == 1.0
    assert values["eigenvalue_over_frozen"] == 4.75
    assert values["mixing_eigenvalue_over_frozen"] == 2.0
    assert values["skip_weight_rise"] == pytest.approx(0.3)
    assert values["derived_fall"] == 35.0
    assert values["stopped_minus_derived"] == 30.0
    assert values["derived_minus_convolutions"] == -41.0
    assert values["convolutions_minus_empty"] == 42.0


def test_late_and_early_of_a_short_search_take_one_epoch():
    assert (late([1.0, 2.0]), early([1.0, 2.0])) == (2.0, 1.0)


def test_stop_is_what_an_early_stopped_search_would_have_done():
    """The rule looks at what has been measured so far; here the eigenvalue jumps at the middle of 20 epochs."""
    curve = [1.0] * 10 + [5.0] * 10
    found = stop({"epoch": list(range(1, 21)), "eigenvalue": curve}, 1.3)
    looks = []
    for epoch, value in enumerate(curve, start=1):
        looks.append((epoch, value))
        expected = early_stopping.stopping_epoch(looks, factor=1.3, epochs=20)
        if expected is not None:
            break
    assert found == expected
    assert stop({"epoch": list(range(1, 21)), "eigenvalue": [1.0] * 20}, 1.3) is None


@pytest.mark.parametrize("name", ["s1", "s2", "s3", "s4"])
@pytest.mark.parametrize("nodes", [2, 4])
def test_controls_are_cells_of_the_space(name, nodes):
    space = spaces.get(name, nodes=nodes)
    cells = control_cells(space, 0)
    for cell in cells.values():
        space.check(cell)
    normal = cells["empty"].normal
    if name != "s1":
        assert {operation for operation, _ in normal} == {collapse.EMPTY[name]}
        assert {operation for operation, _ in cells["convolutions"].normal} == {"sep_conv_3x3"}
    else:  # the edges into the last node of S1 that offer convolutions alone are not needed
        assert not any("conv" in operation for operation, _ in normal)
    assert cells["random"] == control_cells(space, 0)["random"]


def test_other_spaces_and_numbers_are_refused():
    with pytest.raises(UsageError, match="not in 'darts'"):
        Setting("darts")
    with pytest.raises(UsageError, match="at least once"):
        Setting("s2", retrainings=0)
