"""The study of ranks: it scores what `weight_sharing.growth` scores, and goes on to the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nasbook import strategies
from nasbook.analysis import ranks, weight_sharing
from nasbook.claims.studies import sharing
from nasbook.runtime.events import EpochEnded, Event

SETTINGS = {
    "table": "s2_2nodes_fixed",
    "epochs": 2,
    "top": 10,
    "numbers": {"images": 160, "batch": 16, "channels": 2, "layers": 3},
}


def measured(folder: Path | None = None, listeners: Any = ()) -> dict[str, Any]:
    return sharing.study(3, SETTINGS, size="class", device="cpu", folder=folder, listeners=listeners)


def test_the_numbers_are_those_of_the_population_and_the_table() -> None:
    found = measured()
    numbers: Any = SETTINGS["numbers"]
    scores = weight_sharing.growth(weight_sharing.population(seed=3, epochs=2, numbers=numbers), marks=(0, 2))
    assert found["shared"] == scores[2]
    table = strategies.tabulated("s2_2nodes_fixed")
    alone = [table(each) for each in strategies.architectures(table.space)]
    assert found["tau"] == pytest.approx(ranks.kendall(scores[2], alone, resamples=0).value, abs=1e-6)
    assert found["tau_gain"] == pytest.approx(found["tau"] - ranks.kendall(scores[0], alone).value, abs=1e-6)
    best = {place for place, score in enumerate(alone) if score >= sorted(alone)[-10]}
    chosen = sorted(range(48), key=lambda place: -scores[2][place])[:10]
    assert found["top_overlap"] == pytest.approx(len(best & set(chosen)) / 10)
    assert found["top_above_chance"] == pytest.approx(found["top_overlap"] - 10 / 48)


def test_a_killed_training_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    epochs: list[int] = []

    def kill(event: Event) -> None:
        if isinstance(event, EpochEnded):
            epochs.append(event.epoch)
            if len(epochs) == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path, [kill])
    assert measured(tmp_path, [kill]) == measured()
    assert epochs == [1, 2]
