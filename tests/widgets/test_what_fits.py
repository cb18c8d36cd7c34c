"""What fits under sliders: what it computes, its state, its controls, and its static picture."""

import time
from dataclasses import replace

import pytest

from nasbook import sizes
from nasbook.analysis import memory_budget
from nasbook.analysis.cost import MODES
from nasbook.analysis.memory_budget import BUDGETS
from nasbook.runtime.errors import UsageError
from nasbook.widgets.what_fits import RANGES, WhatFits, WhatFitsState, compute


def test_compute_is_the_count_and_the_largest_batch_fits():
    found = compute(WhatFitsState(4, 8, 5, 128))
    numbers = replace(sizes.get("paper").search, channels=8, layers=5, batch=128)
    for name, mode in MODES.items():
        assert found[name].mib == pytest.approx(memory_budget.memory(4, numbers, mode).total)
        batch = found[name].batches["laptop, 8 GiB"]
        for more, fits in ((0, True), (1, False)):
            total = memory_budget.memory(4, replace(numbers, batch=batch + more), mode).total
            assert (total <= BUDGETS["laptop, 8 GiB"]) == fits


def test_one_path_needs_least_and_all_operations_most():
    found = {name: need.mib for name, need in compute(WhatFitsState()).items()}
    assert min(found, key=found.get) == "one path"
    assert max(found, key=found.get) == "all operations"


def test_state_round_trip():
    fits = WhatFits("operations=4 channels=24 layers=14 batch=96")
    assert fits.state() == "operations=4 channels=24 layers=14 batch=96"
    other = WhatFits()
    other.restore(fits.state())
    assert other.result() == fits.result()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "A state reads like"),
        ("operations=4", "A state reads like"),
        ("operations=4 channels=24 layers=14 batch=96 more=1", "A state reads like"),
        ("operations=17 channels=24 layers=14 batch=96", "operations goes from 1 to 16, not to 17"),
        ("operations=4 channels=10 layers=14 batch=96", "channels goes from 8 to 48, in steps of 4"),
    ],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(text, message):
    fits = WhatFits()
    before = fits.state()
    with pytest.raises(UsageError, match=message):
        fits.restore(text)
    assert fits.state() == before


def test_every_control_at_both_ends(buttons_of):
    fits = WhatFits()
    assert all(slider.description and slider.tooltip for slider in fits._sliders.values())
    for name, (low, high, _, _) in RANGES.items():
        for value in (high, low):
            fits._sliders[name].value = value
            assert getattr(fits, name) == value
            assert fits.sentence() in fits._table.value
    assert fits.state() == "operations=1 channels=8 layers=3 batch=8"
    fits.batch = 64
    assert fits._sliders["batch"].value == 64
    buttons_of(fits)[0].click()
    assert fits.state() == str(WhatFitsState())


def test_the_task_ends_within_the_sliders():
    batch = WhatFits().result()["all operations"].batches["laptop, 8 GiB"]
    fits, laptop = WhatFits(f"operations=8 channels=16 layers=64 batch={batch}"), BUDGETS["laptop, 8 GiB"]
    assert fits.result()["all operations"].mib > fits.result()["one path"].mib > laptop
    fits.layers = 8
    assert fits.result()["all operations"].mib <= laptop
    fits.batch += RANGES["batch"][2]
    assert fits.result()["all operations"].mib > laptop


def test_the_table_says_what_fits():
    fits = WhatFits()
    need = fits.result()["one path"]
    assert f"{need.mib:,.0f}" in fits._table.value
    assert f"{need.batches['2 GiB']:,} ✓" in fits._table.value
    assert f"{fits.result()['all operations'].batches['2 GiB']:,} ✗" in fits._table.value


def test_a_move_is_drawn_at_once():
    fits = WhatFits()
    begin = time.process_time()
    for place in range(10):
        fits.batch = 64 + 8 * (place + 1)
    assert (time.process_time() - begin) / 10 < 0.1


def test_the_picture_carries_its_words(alt_of):
    fits = WhatFits()
    bundle = fits._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == alt_of(bundle) == fits.figure().alt
    assert "8 separable convolutions an edge, 16 channels, 8 cells of four nodes" in bundle["text/plain"]
    assert "all operations needs" in bundle["text/plain"]
