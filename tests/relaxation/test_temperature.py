"""The schedule of a temperature: both ends, the line between them, and a search of one epoch."""

import pytest

from nasbook import sizes
from nasbook.relaxation import Temperature


@pytest.mark.parametrize("epochs", [2, 3, 7, 50, 250])
def test_first_and_last_epoch_have_the_two_temperatures(epochs):
    """Trap of GDAS: with `epochs` in the denominator instead of `epochs` - 1 the last temperature is never reached."""
    temperature = Temperature(10.0, 0.1, epochs)
    assert temperature(0.0) == 10.0
    assert temperature((epochs - 1) / epochs) == pytest.approx(0.1, rel=1e-12)


def test_epochs_between_lie_on_a_straight_line():
    temperature = Temperature(10.0, 0.1, 5)
    assert [temperature(epoch / 5) for epoch in range(5)] == pytest.approx([10.0, 7.525, 5.05, 2.575, 0.1])


def test_after_the_last_epoch_the_temperature_stays():
    """An evaluation after the search asks at progress 1; the line itself would be at -2.375, no temperature at all."""
    assert Temperature(10.0, 0.1, 5)(1.0) == pytest.approx(0.1)


def test_one_epoch_has_the_first_temperature():
    assert [Temperature(10.0, 0.1, 1)(progress) for progress in (0.0, 1.0)] == [10.0, 10.0]


def test_a_search_takes_its_schedule_from_its_numbers():
    numbers = sizes.get("paper").of("nas-bench-201", "gdas").search
    temperature = Temperature.of(numbers)
    assert (temperature.first, temperature.last, temperature.epochs) == (10.0, 0.1, 250)
    assert Temperature.of(sizes.get("paper").search)(0.5) == 1.0
