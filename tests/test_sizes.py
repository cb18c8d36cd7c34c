"""The table of numbers: the published values, and the refusal of others that make no sense."""

from dataclasses import asdict

import pytest

from nasbook import sizes
from nasbook.runtime.errors import UsageError


def test_the_paper_size_is_as_published():
    """Liu et al. 2019, section 3 and appendix A, with the released code's defaults."""
    search, train = asdict(sizes.get("paper").search), asdict(sizes.get("paper").train)
    published = {
        "epochs": 50,
        "batch": 64,
        "channels": 16,
        "layers": 8,
        "nodes": 4,
        "w_lr": 0.025,
        "w_lr_end": 0.001,
        "w_momentum": 0.9,
        "w_decay": 3e-4,
        "clip": 5.0,
        "alpha_lr": 3e-4,
        "alpha_beta1": 0.5,
        "alpha_beta2": 0.999,
        "alpha_decay": 1e-3,
        "alpha_scale": 1e-3,
        "order": "alpha-first",
        "reduction": "searched",
        "stem_stride": 1,
    }
    assert {name: search[name] for name in published} == published
    published = {
        "epochs": 600,
        "batch": 96,
        "channels": 36,
        "layers": 20,
        "lr": 0.025,
        "momentum": 0.9,
        "decay": 3e-4,
        "clip": 5.0,
        "auxiliary": 0.4,
        "drop_path": 0.2,
        "cutout": 16,
    }
    assert {name: train[name] for name in published} == published


def test_overrides_change_what_they_name_and_nothing_else():
    numbers = sizes.get("class").search
    changed = sizes.override(numbers, {"epochs": 3})
    assert asdict(changed) == {**asdict(numbers), "epochs": 3}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"epoch": 3}, "no number 'epoch'"),
        ({"epochs": -1}, "whole number"),
        ({"epochs": True}, "whole number"),
        ({"batch": 1}, "batch normalisation"),
        ({"w_lr": -0.1}, "at least 0"),
        ({"w_lr": float("nan")}, "at least 0"),
        ({"images": 1}, "images must be"),
        ({"precision": "float16"}, "float32 or float64"),
        ({"order": "both"}, "alpha-first or weights-first"),
    ],
)
def test_refusals(changes, says):
    with pytest.raises(UsageError, match=says):
        sizes.override(sizes.get("class").search, changes)
