"""Early stopping on recorded eigenvalue curves: where the rule ends a search, and what the search then is."""

import pytest
import torch

from nasbook import datasets, experiment, sizes, spaces
from nasbook.instruments import INSTRUMENTS
from nasbook.runtime.errors import UsageError
from nasbook.search import Search, recipes
from nasbook.search.early_stopping import check, measured, stopping_epoch
from nasbook.selection import magnitude

# Measurements every 2 epochs, as the published searches of 50 epochs have them. The first decision needs 11 of them:
# the mean of measurements 7 to 11 (centre: epoch 18) against that of 3 to 7 (centre: epoch 10).
FLAT = [1.0] * 25
FAST = [1.0] * 7 + [2.0] * 18


def curve(values, every=2):
    return [(every * (place + 1), value) for place, value in enumerate(values)]


def decisions(values, *, epochs=50, factor=1.3, every=2):
    """What the rule says after each measurement."""
    looks = curve(values, every)
    return [stopping_epoch(looks[: place + 1], factor=factor, epochs=epochs) for place in range(len(looks))]


def first(values, **numbers):
    """(epoch after which the search ends, epoch that it goes back to), or None."""
    every = numbers.get("every", 2)
    ended = [(every * (place + 1), back) for place, back in enumerate(decisions(values, **numbers)) if back is not None]
    return ended[0] if ended else None


def test_a_flat_curve_never_ends_a_search():
    assert decisions(FLAT) == [None] * 25


def test_a_falling_curve_never_ends_a_search():
    assert decisions([1 / (1 + place) for place in range(25)]) == [None] * 25


def test_a_fast_growth_goes_back_to_before_it():
    assert first(FAST) == (22, 10)
    late = [1.0] * 15 + [2.0] * 10
    # Means of 5 reach 1.4 at the second large measurement, number 17 (epoch 34); the centre 4 before 15 is 11.
    assert first(late) == (34, 22)


def test_growth_at_the_factor_is_allowed_and_above_it_is_not():
    at, above = ([1.0] * 7 + [value] * 18 for value in (1.375, 1.3751))
    assert decisions(at)[10] is None  # (1 + 4 x 1.375) / 5 = 1.3
    assert decisions(above)[10] == 10
    assert first(FAST, factor=1.79) == (22, 10)  # the means are 1.8 and 1, and never so far apart again
    assert first(FAST, factor=1.81) is None


def test_no_search_goes_back_to_before_epoch_ten():
    """Growth in the first ten epochs is not held against a search."""
    early = [float(2**place) for place in range(8)] + [128.0] * 17
    assert first(early) == (22, 10)
    assert decisions(early)[:10] == [None] * 10
    assert first([0.1] * 3 + [3.0] * 22) is None


def test_one_outlier_is_averaged_away():
    values = list(FLAT)
    values[14] = 2.4  # mean of five: 1.28
    assert decisions(values) == [None] * 25
    values[14] = 2.6
    assert first(values) is not None


def test_growth_from_a_curvature_that_is_not_positive_has_no_factor():
    """Else -1 against -1.3 x 1 would count as growth."""
    assert decisions([-1.0] * 25) == [None] * 25
    assert decisions([-2.0] * 7 + [-1.0] * 18) == [None] * 25
    assert decisions([0.0] * 7 + [1.0] * 3)[-1] is None


def test_a_shorter_search_keeps_the_proportions():
    assert [epoch for epoch in range(1, 51) if measured(epoch, 50)] == list(range(2, 51, 2))
    assert all(measured(epoch, 20) for epoch in range(1, 21))
    assert [epoch for epoch in range(1, 13) if measured(epoch, 100)] == [4, 8, 12]
    assert first(FAST[:20], epochs=20, every=1) == (10, 4)  # 4 = 10 x 20 / 50
    assert first(FAST[:20], epochs=30, every=1) == (12, 6)
    assert first([2.0**place for place in range(8)], epochs=8, every=1) is None  # too short for two means


NUMBERS = {"epochs": 14, "images": 64, "batch": 32, "channels": 2, "layers": 3, "stem_stride": 2, "alpha_lr": 0.5}
GROWING = [1.0] * 7 + [3.0] * 7  # means at 7 and 11: 1.8 against 1 after epoch 9
ENDS, BACK = 9, 3


def recorded(search):
    """An instrument that reads the eigenvalue off a curve."""
    return {"eigenvalue": GROWING[search.epoch - 1]}


@pytest.fixture(scope="module")
def dataset():
    return datasets.load("street_numbers")


def make(dataset, *, space="s4", early_stop=1.3, instruments=None):
    numbers = sizes.override(sizes.get("class").search, NUMBERS | {"early_stop": early_stop, "drop_path": 0.2})
    used = {"eigenvalue": recorded} if instruments is None else instruments
    return Search(
        spaces.get(space, nodes=2, reduction="fixed"),
        dataset,
        recipe=recipes.get("darts"),
        numbers=numbers,
        derive=magnitude,
        instruments=used,
    )


def go_on(search):
    records = []
    while search.epoch < search.epochs:
        records.append(search.run_epoch(lambda step, steps: None))
    return records


def test_a_stopped_search_ends_early_with_the_earlier_architecture(dataset):
    search = make(dataset)
    records = go_on(search)
    assert (search.epoch, search.epochs, search.stopped) == (ENDS, ENDS, BACK)
    assert str(search.outcome()) == records[BACK - 1]["genotype"]
    assert records[BACK - 1]["genotype"] != records[-1]["genotype"] == str(search.genotype())
    assert search.watch.curve == [(epoch, GROWING[epoch - 1]) for epoch in range(1, ENDS + 1)]


def test_up_to_its_end_it_is_the_search_that_is_not_stopped(dataset):
    stopped, whole = make(dataset), make(dataset, early_stop=0.0)
    records = go_on(stopped), go_on(whole)
    assert whole.epoch == NUMBERS["epochs"]
    assert whole.outcome() == whole.genotype()
    for one, other in zip(*records, strict=False):
        assert one["alpha"] == other["alpha"]
        assert one["valid_loss"] == other["valid_loss"]


@pytest.mark.parametrize("killed_after", [1, 4, 8, ENDS])
def test_killed_and_resumed_it_comes_out_the_same(dataset, killed_after):
    """Also between the epoch that ended it and what follows."""
    whole = make(dataset)
    expected = go_on(whole)
    first = make(dataset)
    for _ in range(killed_after):
        first.run_epoch(lambda step, steps: None)
    resumed = make(dataset)
    resumed.load_state_dict(first.state_dict())
    records = go_on(resumed)
    assert (resumed.epoch, resumed.epochs, resumed.stopped) == (ENDS, ENDS, BACK)
    assert resumed.outcome() == whole.outcome()
    timeless = ("memory_mib", "instrument_seconds")
    for one, other in zip(records, expected[killed_after:], strict=True):
        assert {k: v for k, v in one.items() if k not in timeless} == {
            k: v for k, v in other.items() if k not in timeless
        }
    for one, other in zip(resumed.supernet.parameters(), whole.supernet.parameters(), strict=True):
        assert torch.equal(one, other)


def test_early_stopping_without_its_instrument_is_refused(dataset):
    with pytest.raises(UsageError, match="needs the instrument 'eigenvalue'"):
        make(dataset, instruments={})
    with pytest.raises(UsageError, match="growth above 1"):
        make(dataset, early_stop=0.9)


def run_experiment(folder, **changes):
    train = {"epochs": 2, "images": 64, "batch": 32, "channels": 2, "layers": 3}
    numbers = {**NUMBERS, "early_stop": 1.3}
    arguments = {"space": "s2", "device": "cpu", "numbers": numbers, "train_numbers": train} | changes
    return experiment.search(run=folder, **arguments)


def test_an_experiment_trains_the_earlier_architecture(tmp_path, monkeypatch):
    """The instrument is used although nobody asked to record it; killed at any epoch the run comes out the same."""
    monkeypatch.setitem(INSTRUMENTS, "eigenvalue", recorded)
    whole = run_experiment(tmp_path / "whole")
    assert len(whole.history) == ENDS
    assert whole.history[-1]["eigenvalue"] == GROWING[ENDS - 1]
    assert whole.result["genotype"] == whole.history[BACK - 1]["genotype"] != whole.history[-1]["genotype"]
    assert whole.result["stopped_epoch"] == BACK

    class Killed(BaseException):
        pass

    for stop in (("search", 5), ("search", ENDS), ("train", 1)):

        def kill(event, stop=stop):
            if type(event).__name__ == "EpochEnded" and (event.stage, event.epoch) == stop:
                raise Killed

        with pytest.raises(Killed):
            run_experiment(tmp_path / stop[0] / str(stop[1]), listeners=[kill])
        again = run_experiment(tmp_path / stop[0] / str(stop[1]))
        same = ("genotype", "stopped_epoch", "valid_accuracy", "test_accuracy", "params")
        assert {key: again.result[key] for key in same} == {key: whole.result[key] for key in same}
        assert [record["alpha"] for record in again.history] == [record["alpha"] for record in whole.history]


def test_the_eigenvalue_that_is_measured_drives_it(tmp_path):
    """With the real instrument the curve is that of the records."""
    outcome = run_experiment(tmp_path / "run", retrain=False, record=("eigenvalue",))
    looks = [(record["epoch"], record["eigenvalue"]) for record in outcome.history]
    expected = [stopping_epoch(looks[: place + 1], factor=1.3, epochs=14) for place in range(len(looks))]
    ended = next((back for back in expected if back is not None), None)
    assert outcome.result["genotype"] == outcome.history[(ended or 0) - 1]["genotype"]
    assert len(outcome.history) == (14 if ended is None else expected.index(ended) + 1)


def test_a_search_that_can_never_be_stopped_is_refused():
    check(0.0, 2, learns=False)  # nothing is asked for
    check(1.3, 9, learns=True)
    check(1.3, 50, learns=True)
    with pytest.raises(UsageError, match="a search of 8 is too short"):
        check(1.3, 8, learns=True)
    with pytest.raises(UsageError, match="learns no alpha"):
        check(1.3, 50, learns=False)
