"""The studies of skip domination: the same numbers as worked out beside them, on tiny searches."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbook import datasets, experiment, sizes, spaces
from nasbook.analysis import skip_domination, skip_errors
from nasbook.claims.studies import skips
from nasbook.figures import skips as figures
from nasbook.runtime.driver import drive
from nasbook.runtime.events import EpochEnded, Event
from nasbook.runtime.run_folder import RunFolder
from nasbook.search import Search, recipes
from nasbook.selection import magnitude

NUMBERS = {"epochs": 2, "images": 512, "batch": 32, "channels": 4, "layers": 3}
SETTINGS = {"space": "s2", "numbers": NUMBERS}
CELLS = {"space": "nas-bench-201", "numbers": {**NUMBERS, "layers": 5, "stem_stride": 2}}


def measured(function: Any, seed: int, settings: Any, folder: Path | None = None, listeners: Any = ()) -> Any:
    return function(seed, settings, size="class", device="cpu", folder=folder, listeners=listeners)


def test_the_limit_is_that_of_the_formula() -> None:
    found = measured(skips.limit, 3, {"depths": [1, 4, 99], "samples": 1000})
    weights = [skip_domination.best_weight(*skip_domination.at_depth(depth)[:2]) for depth in (1, 4, 99)]
    assert found["theory"] == pytest.approx(weights, abs=0.05)  # of which the covariance is a small part
    assert found["deepest"] == found["theory"][2]
    steps = np.diff(found["theory"])
    assert found["least_rise"] == pytest.approx(steps.min())
    assert found["apart"] == pytest.approx(np.abs(np.subtract(found["theory"], found["fitted"])).max())
    assert 0 < found["apart"] < 0.1


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return dict(measured(skips.domination, 2, SETTINGS))


def test_curves_are_those_of_the_two_searches_with_the_seed(found: dict[str, Any]) -> None:
    request: dict[str, Any] = {"space": "s2", "seed": 2, "device": "cpu", "retrain": False, "record": ("skip-weight",)}
    history = experiment.search("darts", numbers=NUMBERS, **request).history
    frozen = experiment.search("darts", numbers={**NUMBERS, "alpha_lr": 0.0}, **request).history
    accuracy, still = ([record["valid_accuracy"] for record in each] for each in (history, frozen))
    weight = [record["skip_weight"] for record in history]
    assert found["search"]["valid_accuracy"] == pytest.approx(accuracy)
    assert found["frozen"]["valid_accuracy"] == pytest.approx(still)
    assert found["supernet_rise"] == pytest.approx(accuracy[1] - accuracy[0])
    assert found["supernet_minus_frozen"] == pytest.approx(accuracy[1] - still[1])
    assert found["skip_weight"] == pytest.approx(weight[1])
    assert found["skip_weight_rise"] == pytest.approx(weight[1] - min(weight))
    _, skip, conv = figures.curves(
        [[{"valid_accuracy": 0.0, "weights": weights} for weights in found["search"]["weights"]]],
        spaces.get("s2", nodes=2, reduction="fixed"),
    )
    assert skip[0] == pytest.approx(weight, abs=1e-5)
    assert skip + conv == pytest.approx(1, abs=1e-5)


def test_errors_are_those_of_the_search_with_the_seed(found: dict[str, Any]) -> None:
    numbers = sizes.override(sizes.get("class").search, NUMBERS)
    space = spaces.get("s2", nodes=numbers.nodes, reduction=numbers.reduction)
    data = datasets.load("street_numbers")
    search = Search(space, data, recipe=recipes.get("darts"), numbers=numbers, derive=magnitude, seed=2)
    before = skip_errors.measured(search)
    search.run_epoch(lambda step, steps: None)
    halfway = skip_errors.measured(search), skip_errors.measured(search, equal=True)
    drive(search, RunFolder(None, {}))
    after, equal, others = (
        skip_errors.measured(search),
        skip_errors.measured(search, equal=True),
        skip_errors.measured(search, "others"),
    )
    learned = [each.learned for each in after]
    assert found["learned"] == pytest.approx(learned, abs=1e-4)
    for name, edges in (("", after), ("_equal", equal), ("_others", others), ("_untrained", before)):
        right = np.corrcoef([each.predicted for each in edges], learned)[0, 1]
        assert found[f"correlation{name}"] == pytest.approx(right), name
    shares = [np.mean([each.skip < each.conv for each in edges]) for edges in (after, before)]
    assert [found["below"], found["below_untrained"]] == shares
    assert found["below_gain"] == shares[0] - shares[1]
    for kind, edges in zip(("", "_equal"), halfway, strict=True):
        right = np.corrcoef([each.predicted for each in edges], [each.learned for each in halfway[0]])[0, 1]
        assert found[f"correlation_halfway{kind}"] == pytest.approx(right)
        mean = np.mean([each.predicted for each in edges])
        assert found["search"][f"predicted{kind}"][0] == pytest.approx(mean, abs=1e-4)
    assert found["search"]["correlation_equal"][1] == pytest.approx(found["correlation_equal"], abs=1e-4)
    means = [np.mean(found["predicted"][name]) for name in ("frozen", "untrained")]
    assert found["predicted_rise"] == pytest.approx(means[0] - means[1], abs=1e-4)


def test_the_frozen_control_does_not_see_what_was_learned(found: dict[str, Any]) -> None:
    """With a learning rate of zero for alpha the search is the frozen one."""
    still = measured(skips.domination, 2, {"space": "s2", "numbers": {**NUMBERS, "alpha_lr": 0.0}})
    assert still["predicted"]["cell"] == still["predicted"]["frozen"] == found["predicted"]["frozen"]
    assert still["below"] == still["below_frozen"] == found["below_frozen"]
    assert found["predicted"]["cell"] != found["predicted"]["frozen"]


def test_a_killed_measurement_goes_on_to_the_same_numbers(found: dict[str, Any], tmp_path: Path) -> None:
    epochs: list[int] = []

    def kill(event: Event) -> None:
        if isinstance(event, EpochEnded):
            epochs.append(event.epoch)
            if len(epochs) == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured(skips.domination, 2, SETTINGS, tmp_path, [kill])
    assert measured(skips.domination, 2, SETTINGS, tmp_path, [kill]) == found
    assert epochs == [1, 2, 1, 2]


def test_shares_are_counted_in_what_the_search_kept(tmp_path: Path) -> None:
    found = measured(skips.shares, 1, CELLS, tmp_path)
    outcome = experiment.search(
        "darts", space="nas-bench-201", numbers=CELLS["numbers"], seed=1, device="cpu", retrain=False
    )
    kept = Counter(operation for _, _, operation in outcome.genotype.edges())
    assert found["skip_share"] == kept["skip_connect"] / 6
    assert found["none_share"] == kept["none"] / 6
    names = spaces.get("nas-bench-201").groups["normal"].operations[0]
    means = [np.array(record["weights"]["normal"]).mean(0) for record in outcome.history]
    skip, none = ([mean[names.index(name)] for mean in means] for name in ("skip_connect", "none"))
    assert found["skip_above_even"] == pytest.approx(skip[-1] - 0.2, abs=1e-4)
    assert found["skip_change"] == pytest.approx(skip[1] - skip[0], abs=1e-4)
    assert found["none_change"] == pytest.approx(none[1] - none[0], abs=1e-4)
    accuracy = [record["valid_accuracy"] for record in outcome.history]
    assert found["supernet_rise"] == pytest.approx(accuracy[1] - accuracy[0])
    assert (tmp_path / "search" / "result.json").exists()
