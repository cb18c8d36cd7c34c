"""What a search records besides: the numbers of the instruments, at no change of the search."""

import dataclasses
import json

import pytest
import torch

from nasbook import experiment, instruments
from nasbook.instruments import INSTRUMENTS, gap, hessian, named
from nasbook.runtime.errors import UsageError
from nasbook.supernet import one_hot

NUMBERS = {"epochs": 2, "images": 128, "batch": 32, "channels": 2, "layers": 3}


def equal(left, right):
    """Equal to the last bit, tensors inside included."""
    if isinstance(left, torch.Tensor):
        return left.dtype == right.dtype and torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(equal, left, right))
    return left == right


def run(search):
    return [search.run_epoch(lambda step, steps: None) for _ in range(search.epochs)]


def everything(search):
    """All that the room measures."""
    for instrument in INSTRUMENTS.values():
        instrument(search)
    for coordinates in ("alpha", "mixing"):
        instruments.hessian(search, coordinates=coordinates, batch=16)
        instruments.leading(search, coordinates=coordinates, batch=16)
        instruments.landscape(search, coordinates=coordinates, points=3, images=16)
    instruments.published(search)
    instruments.line(search, points=3, images=16)


@pytest.mark.parametrize("space", ["s2", "s4"])
@pytest.mark.parametrize("running", [False, True])
def test_measuring_leaves_no_trace(make_search, space, running):
    """In weights, alpha, optimisers, generators, running statistics, gradients and torch's own random state."""
    search = make_search(space=space, running=running)
    search.run_epoch(lambda step, steps: None)
    before, random = copied(search.state_dict()), torch.get_rng_state()
    gradients = copied([value.grad for value in [*search.supernet.parameters(), *search.alpha.values()]])
    everything(search)
    assert equal(search.state_dict(), before)
    assert torch.equal(torch.get_rng_state(), random)
    assert equal([value.grad for value in [*search.supernet.parameters(), *search.alpha.values()]], gradients)
    assert search.supernet.training


def copied(value):
    """A copy that shares nothing with the original."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(copied(each) for each in value)
    return value


@pytest.mark.parametrize(("method", "space"), [("darts", "s2"), ("darts", "s4"), ("darts-2nd", "s2"), ("rsps", "s2")])
def test_a_search_that_is_measured_is_the_search_that_is_not(make_search, method, space):
    plain, measured = (make_search(method, space, instruments=used) for used in ({}, INSTRUMENTS))
    records = run(plain), run(measured)
    assert equal(plain.state_dict(), measured.state_dict())
    for one, other in zip(*records, strict=True):
        assert one == {key: other[key] for key in one} | {"memory_mib": one["memory_mib"]}
        assert other["instrument_seconds"] > 0
        assert "instrument_seconds" not in one


def test_records_hold_what_the_instruments_measure(make_search):
    search = make_search(instruments=INSTRUMENTS, epochs=1, precision="float64")
    (record,) = run(search)
    expected = hessian(search, batch=32)
    assert record["eigenvalue"] == pytest.approx(expected.largest, rel=1e-6)
    assert record["eigenvalue_spread"] == pytest.approx(expected.spread, rel=1e-9)
    assert record["mixing_eigenvalue"] == pytest.approx(hessian(search, batch=32, coordinates="mixing").largest)
    weights = torch.softmax(search.alpha["normal"].detach(), -1)
    assert record["skip_weight"] == pytest.approx(weights[:, 0].mean().item())
    derived = one_hot(search.space, search.genotype())
    assert record["derived_accuracy"] == search.validate(derived, batch_statistics=True)[1]
    assert record["gap"] == gap(search) == pytest.approx(record["valid_accuracy"] - record["derived_accuracy"])


def test_a_space_without_skips_has_no_skip_weight(make_search):
    assert INSTRUMENTS["skip-weight"](make_search(space="s4")) == {"skip_weight": None}


def test_the_gap_with_running_statistics_is_of_batch_statistics_at_both_ends(make_search):
    search = make_search(running=True, epochs=1)
    run(search)
    derived = search.validate(one_hot(search.space, search.genotype()), batch_statistics=True)[1]
    assert INSTRUMENTS["gap"](search)["gap"] == gap(search) == search.validate(batch_statistics=True)[1] - derived
    assert gap(search) != search.validate()[1] - derived


def test_an_experiment_records_by_name_and_keeps_it(tmp_path):
    names = ["eigenvalue", "skip-weight", "derived-accuracy"]
    arguments = {"space": "s2", "device": "cpu", "retrain": False, "numbers": NUMBERS}
    outcome = experiment.search(record=names, run=tmp_path / "run", **arguments)
    kept = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in kept] == [1, 2]
    for record in kept:
        assert {"eigenvalue", "eigenvalue_spread", "skip_weight", "derived_accuracy", "instrument_seconds"} <= set(
            record
        )
        assert record["instrument_seconds"] <= record["seconds"]
    plain = experiment.search(**arguments)
    assert plain.result["genotype"] == outcome.result["genotype"]
    assert [record["alpha"] for record in plain.history] == [record["alpha"] for record in outcome.history]
    assert not {"eigenvalue", "instrument_seconds"} & set(plain.history[0])


def test_a_mistyped_name_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="cannot record 'eigenvalues'; it can record eigenvalue, "):
        experiment.search(record=["eigenvalues"], device="cpu", numbers=NUMBERS, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match="cannot record"):
        named(["gap", "nothing"])
    assert list(named(["gap", "eigenvalue"])) == ["gap", "eigenvalue"]


def test_results_are_frozen(exact):
    for result in (hessian(exact, batch=16), instruments.line(exact, points=2, images=16)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            result.images = 3
